package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

const maxFile = 64 << 20 // bytes, of the servers of these tests

// content is a file's bytes.
func content(seed uint64, size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(data) // never fails
	return data
}

// picture is a small JPEG.
func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attach puts a file into the outbox.
func (v *viewer) attach(name string, data []byte, caption string) session.Item {
	v.t.Helper()
	item, err := v.room.SendFile(context.Background(), session.Attachment{
		Name: name, From: bytes.NewReader(data), Width: 400, Height: 300, Thumb: picture(v.t),
	}, caption, "")
	if err != nil {
		v.t.Fatal(err)
	}
	return item
}

// row is the row of an id.
func (v *viewer) row(id string) session.Item {
	if i := slices.IndexFunc(v.rows, func(i session.Item) bool { return i.ID == id }); i >= 0 {
		return v.rows[i]
	}
	return session.Item{}
}

// filer is somebody with files at an odd server.
type filer struct {
	*viewer
	s     *oddServer
	p     *peer
	store *store.Store
	path  string
}

func startFiler(t *testing.T) *filer {
	t.Helper()
	f := &filer{s: startOddServer(t), path: filepath.Join(t.TempDir(), "store")}
	f.store = openStore(t, f.path)
	t.Cleanup(func() { _ = f.store.Close() })
	f.viewer = enter(t, session.Config{Server: f.s.base, Room: "r", User: "Ann", Store: f.store})
	f.enters("e", 0, false, maxFile)
	return f
}

// enters welcomes the next connection.
func (f *filer) enters(epoch string, head int64, resumed bool, most int64) {
	f.t.Helper()
	p, hello := f.s.next()
	f.p = p
	p.welcome(hello, "me", epoch, head, resumed, most)
	f.until("a welcome", func() bool { return f.status.State == session.Connected && f.status.MaxFile == most })
}

// copies are the names in the app's folder of files that wait.
func (f *filer) copies() (names []string) {
	entries, err := os.ReadDir(filepath.Join(f.path+".files", "copies"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		f.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// uploads waits for the question about a file, and lets it come.
func (f *filer) uploads(at int64) (id string) {
	f.t.Helper()
	m := f.p.expect(shared.TypeUpload)
	f.p.send(shared.Message{Type: shared.TypeUpload, ID: m.ID, Key: "key of " + m.ID, At: at})
	return m.ID
}

// receives takes all that is missing of a file.
func (f *filer) receives(id string, data []byte) []byte {
	f.t.Helper()
	for int64(len(data)) < f.size() {
		r := f.s.asked(http.MethodPatch, "/files/"+id)
		if r.key != "Bearer key of "+id || r.at != fmt.Sprint(len(data)) || len(r.body) > shared.MaxUploadPart {
			f.t.Fatalf("%d bytes at %s with the key %q", len(r.body), r.at, r.key)
		}
		data = append(data, r.body...)
		r.answer(http.StatusNoContent, int64(len(data)), "")
	}
	r := f.s.asked(http.MethodPut, "/files/"+id+"/thumb")
	if !bytes.Equal(r.body, picture(f.t)) || r.key != "Bearer key of "+id {
		f.t.Fatalf("the thumbnail has %d bytes, the key %q", len(r.body), r.key)
	}
	r.answer(http.StatusNoContent, -1, "")
	return data
}

// size is that of the first file that waits.
func (f *filer) size() int64 {
	f.take()
	for _, i := range f.rows {
		if i.File != nil && i.Delivery == session.Pending {
			return i.File.Size
		}
	}
	f.t.Fatal("no file waits")
	return 0
}

// fileEcho is what the room says of a message with a file.
func fileEcho(m shared.Message, offset int64, file shared.File) shared.Message {
	e := entryBy("me", offset, m.ID, "Ann", strings.TrimPrefix(m.Text+"\nhttp://192.0.2.1/files/"+m.File.ID, "\n"))
	file.ID, file.Caption = m.File.ID, m.Text
	e.File = &file
	return e
}

// A file goes out in parts, then its thumbnail, then its message. Texts do not wait for it.
func TestSendFile(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	data := content(1, 3<<20+12345)
	item := f.attach(`C:\photos\IMG 1.jpg`, data, "the gate")
	if item.File == nil || item.File.Name != "IMG 1.jpg" || item.File.Size != int64(len(data)) || item.Text != "the gate" || !item.Mine {
		t.Errorf("the row is %+v, %+v", item, item.File)
	}
	f.send("one", "two")
	m := f.p.expect(shared.TypeUpload)
	if m.Name != "IMG 1.jpg" || m.Size != int64(len(data)) || m.Width != 400 || m.Height != 300 || shared.CheckFileID(m.ID) != nil {
		t.Errorf("the question is %+v", m)
	}
	for offset, text := range []string{"one", "two"} {
		m := f.p.expect(shared.TypeChat)
		if m.Text != text {
			t.Fatalf("%q goes out, want %q", m.Text, text)
		}
		f.p.send(entryBy("me", int64(offset)+1, m.ID, "Ann", text))
	}
	f.until("both texts before the file", func() bool { return slices.Equal(f.texts(), []string{"one", "two", "the gate"}) })

	f.p.send(shared.Message{Type: shared.TypeUpload, ID: m.ID, Key: "key of " + m.ID})
	r := f.s.asked(http.MethodPatch, "/files/"+m.ID)
	first := slices.Clone(r.body)
	r.answer(http.StatusNoContent, int64(len(first)), "")
	f.until("progress", func() bool { return f.row(item.ID).File.Sent == int64(len(first)) })
	if got := f.receives(m.ID, first); !bytes.Equal(got, data) {
		t.Errorf("other bytes came: %d of %d", len(got), len(data))
	}
	chat := f.p.expect(shared.TypeChat)
	if chat.ID != item.ID || chat.Text != "the gate" || chat.File == nil || *chat.File != (shared.File{ID: m.ID}) {
		t.Errorf("the message is %+v, %+v", chat, chat.File)
	}
	f.take()
	if got := f.row(item.ID); got.Delivery != session.Pending || got.File.Sent != got.File.Size {
		t.Errorf("before the echo the row is %+v, %+v", got, got.File)
	}
	if thumb, err := f.room.Thumb(context.Background(), f.row(item.ID)); err != nil || !bytes.Equal(thumb, picture(t)) {
		t.Errorf("the waiting row's thumbnail has %d bytes, %v", len(thumb), err)
	}
	var whole bytes.Buffer
	if err := f.room.Fetch(context.Background(), f.row(item.ID), &whole, nil); err != nil || !bytes.Equal(whole.Bytes(), data) {
		t.Errorf("the waiting row's file has %d bytes, %v", whole.Len(), err)
	}
	f.p.send(fileEcho(chat, 3, shared.File{Name: "IMG 1.jpg", Type: "image/jpeg", Size: int64(len(data)), Width: 400, Height: 300, Thumb: true}))
	f.until("the echo", f.settled)
	got := f.row(item.ID)
	if want := (session.File{ID: m.ID, Name: "IMG 1.jpg", Type: "image/jpeg", Size: int64(len(data)), Width: 400, Height: 300, Thumb: true}); got.Text != "the gate" || *got.File != want {
		t.Errorf("the row is %+v, %+v", got, got.File)
	}
	f.room.Close() // when it has done all, nothing is left of the copy, and the thumbnail is there without a question
	if left := f.copies(); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	if thumb, err := f.room.Thumb(context.Background(), got); err != nil || !bytes.Equal(thumb, picture(t)) {
		t.Errorf("the thumbnail has %d bytes, %v", len(thumb), err)
	}
}

// What a server answers to a part, and what becomes of the file.
func TestAnswersToParts(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	problem := `{"detail":"The server's sentence."}`
	for _, test := range []struct {
		name   string
		status int
		offset int64
		asks   bool // the server is asked again where the file stands
		code   shared.ErrorCode
	}{
		{"right offset", http.StatusConflict, 100, false, ""},
		{"behind what it had", http.StatusConflict, 0, true, ""},
		{"a nonsense offset", http.StatusConflict, size + 1, true, ""},
		{"old key", http.StatusUnauthorized, -1, true, ""},
		{"forgotten", http.StatusNotFound, -1, true, ""},
		{"too fast", http.StatusTooManyRequests, -1, true, ""},
		{"too slow", http.StatusRequestTimeout, -1, true, ""},
		{"no log", http.StatusServiceUnavailable, -1, true, ""},
		{"a proxy's", http.StatusBadGateway, -1, true, ""},
		{"no offset", http.StatusNoContent, -1, true, ""},
		{"an offset that went back", http.StatusNoContent, 0, true, ""},
		{"an offset behind the end", http.StatusNoContent, size + 1, true, ""},
		{"a page", http.StatusOK, -1, true, ""},
		{"elsewhere", http.StatusFound, -1, true, ""},
		{"too large", http.StatusRequestEntityTooLarge, -1, false, shared.CodeTooLong},
		{"no room", http.StatusInsufficientStorage, -1, false, session.CodeNoRoom},
		{"bad", http.StatusBadRequest, -1, false, shared.CodeNotAllowed},
		{"no such method", http.StatusMethodNotAllowed, -1, false, shared.CodeNotAllowed},
		{"gone", http.StatusGone, -1, false, shared.CodeNotAllowed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := startFiler(t)
			data := content(2, size)
			item := f.attach("a.bin", data, "")
			id := f.uploads(0)
			r := f.s.asked(http.MethodPatch, "/files/"+id)
			r.answer(test.status, test.offset, problem)
			if test.code != "" {
				f.until("a refusal", func() bool { return f.row(item.ID).Delivery == session.Failed })
				if got := f.row(item.ID); got.Code != test.code || got.Reason != "The server's sentence." || got.File == nil {
					t.Errorf("the row is %+v", got)
				}
				f.p.send(shared.Message{Type: shared.TypePong})
				if left := f.copies(); len(left) != 2 {
					t.Errorf("for Retry there are %q", left)
				}
				return
			}
			at := max(0, test.offset)
			if test.asks {
				at = 200
				if again := f.uploads(at); again != id {
					t.Fatalf("%s is asked about, not %s", again, id)
				}
			}
			f.receives(id, slices.Clone(data[:at]))
			if chat := f.p.expect(shared.TypeChat); chat.Text != "" || chat.File.ID != id {
				t.Errorf("the message is %+v", chat)
			}
		})
	}
}

// A server that never lets a file come on is given up, and the person can try again: under
// another id, from the same copy.
func TestHopelessFile(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	data := content(3, 1000)
	item := f.attach("a.bin", data, "look")
	var id string
	for range 12 {
		id = f.uploads(0)
		f.s.asked(http.MethodPatch, "/files/"+id).answer(http.StatusServiceUnavailable, -1, "")
	}
	f.until("the failure", func() bool { return f.row(item.ID).Delivery == session.Failed })
	if got := f.row(item.ID); got.Code != shared.CodeUnavailable {
		t.Errorf("the row is %+v", got)
	}
	f.room.Retry(item.ID)
	again := f.uploads(0)
	if again == id {
		t.Errorf("it is tried again under the same id")
	}
	if got := f.receives(again, nil); !bytes.Equal(got, data) {
		t.Errorf("%d bytes came", len(got))
	}
	chat := f.p.expect(shared.TypeChat)
	if chat.ID == item.ID || chat.Text != "look" || chat.File.ID != again {
		t.Errorf("the message is %+v, %+v", chat, chat.File)
	}
}

// So is one that never lets it begin, as when its disk is full.
func TestFileThatNeverBegins(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	item := f.attach("a.bin", content(3, 1000), "")
	for range 12 {
		q := f.p.expect(shared.TypeUpload)
		f.p.send(shared.Message{Type: shared.TypeError, ID: q.ID, Code: shared.CodeUnavailable, Text: "The disk is full."})
	}
	f.until("the failure", func() bool { return f.row(item.ID).Delivery == session.Failed })
	if got := f.row(item.ID); got.Code != shared.CodeUnavailable || got.Reason != "The disk is full." {
		t.Errorf("the row is %+v", got)
	}
}

// What the server says to the question itself.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	item := f.attach("a.bin", content(4, 1000), "look")
	other := f.attach("b.bin", content(5, 1000), "")
	f.send("text")
	q := f.p.expect(shared.TypeUpload)
	m := f.p.expect(shared.TypeChat)
	f.p.send(entryBy("me", 1, m.ID, "Ann", "text"))
	f.p.send(shared.Message{Type: shared.TypeError, ID: q.ID, Code: shared.CodeRateLimited, Text: "Later.", RetryMS: 1})
	if again := f.p.expect(shared.TypeUpload); again.ID != q.ID {
		t.Errorf("after a wait %s is asked about, not %s", again.ID, q.ID)
	}
	f.p.send(shared.Message{Type: shared.TypeError, ID: q.ID, Code: shared.CodeNotAllowed, Text: "Only hosts send files here."})
	f.until("the refusal", func() bool { return f.row(item.ID).Delivery == session.Failed })
	if got := f.row(item.ID); got.Code != shared.CodeNotAllowed || got.Reason != "Only hosts send files here." {
		t.Errorf("the row is %+v", got)
	}
	q = f.p.expect(shared.TypeUpload) // the next one's turn
	f.p.send(shared.Message{Type: shared.TypeUpload, ID: q.ID, Key: "k", At: 1001})
	f.until("the refusal", func() bool { return f.row(other.ID).Delivery == session.Failed })
	f.room.Discard(item.ID)
	f.room.Delete(other.ID) // is Discard, too
	f.until("an end", func() bool { return len(f.rows) == 1 })
	f.room.Close()
	if left := f.copies(); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

// Delete takes a file back while it is being sent; the server is told so, and the next
// one goes out.
func TestCancelFile(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	item := f.attach("a.bin", content(6, 3<<20), "")
	next := f.attach("b.bin", content(7, 1000), "b")
	id := f.uploads(0)
	r := f.s.asked(http.MethodPatch, "/files/"+id)
	r.answer(http.StatusNoContent, int64(len(r.body)), "")
	r = f.s.asked(http.MethodPatch, "/files/"+id)
	f.room.Delete(item.ID)
	f.until("its end", func() bool { return f.row(item.ID).ID == "" })
	discard := f.s.asked(http.MethodDelete, "/files/"+id)
	if discard.key != "Bearer key of "+id {
		t.Errorf("it is told with the key %q", discard.key)
	}
	discard.answer(http.StatusNoContent, -1, "")
	r.answer(http.StatusNoContent, 1, "") // nobody hears it
	second := f.uploads(0)
	f.receives(second, nil)
	if chat := f.p.expect(shared.TypeChat); chat.ID != next.ID {
		t.Errorf("the message is %+v", chat)
	}
	f.until("one copy", func() bool { return len(f.copies()) == 2 })
}

// An answer to a file waits for it, and so does what is done to either; the rest goes out.
func TestAnswerToAFile(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	item := f.attach("a.bin", content(8, 1000), "")
	f.until("the row", func() bool { return f.row(item.ID).ID != "" })
	if _, err := f.room.SendReply("what is it?", item.ID); err != nil {
		t.Fatal(err)
	}
	f.send("text")
	q := f.p.expect(shared.TypeUpload)
	if m := f.p.expect(shared.TypeChat); m.Text != "text" {
		t.Fatalf("%q goes out", m.Text)
	} else {
		f.p.send(entryBy("me", 1, m.ID, "Ann", "text"))
	}
	f.until("the text", func() bool { return f.rows[0].Text == "text" })
	if q := f.rows[2].Quote; q == nil || q.Text != "a.bin" {
		t.Errorf("the answer quotes %+v", q)
	}
	f.p.send(shared.Message{Type: shared.TypeError, ID: q.ID, Code: shared.CodeNotAllowed})
	if m := f.p.expect(shared.TypeChat); m.Text != "what is it?" || m.Reply != 0 {
		t.Errorf("once the file has failed, %+v goes out", m)
	}
}

// A connection that ends lets go of the file; the next one asks where it stands. A message
// that may be there already is sent first: if the server says that it has lost the file,
// that is brought again.
func TestFileOverConnections(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	data := content(9, 1<<20)
	item := f.attach("a.bin", data, "")
	id := f.uploads(0)
	r := f.s.asked(http.MethodPatch, "/files/"+id)
	_ = f.p.ws.CloseNow()
	f.enters("e", 0, true, maxFile)
	r.answer(http.StatusNoContent, 77, "") // of the connection before
	if again := f.uploads(300_000); again != id {
		t.Errorf("%s is asked about, not %s", again, id)
	}
	f.receives(id, slices.Clone(data[:300_000]))
	f.p.expect(shared.TypeChat)
	_ = f.p.ws.CloseNow()
	f.enters("other", 0, false, maxFile)
	m := f.p.expect(shared.TypeChat)
	f.p.send(shared.Message{Type: shared.TypeError, ID: m.ID, Code: shared.CodeNotAllowed, Text: "No such file."})
	f.uploads(0)
	f.receives(id, nil)
	m = f.p.expect(shared.TypeChat)
	f.p.send(shared.Message{Type: shared.TypeError, ID: m.ID, Code: shared.CodeNotAllowed, Text: "Still none."})
	f.until("the refusal", func() bool { return f.row(item.ID).Delivery == session.Failed })
	if got := f.row(item.ID); got.Reason != "Still none." {
		t.Errorf("the row is %+v", got)
	}
}

// The store keeps a file over the end of the app; a copy that is gone, or has another
// size, is told. A server that takes no files gets none.
func TestFilesOfTheAppBefore(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	first, second, third := f.attach("a.bin", content(1, 2000), "a"), f.attach("b.bin", content(2, 2000), "b"), f.attach("c.bin", content(3, 2000), "")
	id := f.uploads(0)
	f.s.asked(http.MethodPatch, "/files/"+id).answer(http.StatusNoContent, 1500, "")
	f.until("progress", func() bool { return f.row(first.ID).File.Sent == 1500 })
	f.room.Close()
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(f.path+".files", "copies", "of an app that was killed")
	if err := os.WriteFile(stray, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.store = openStore(t, f.path)
	if left := f.copies(); len(left) != 6 || slices.Contains(left, filepath.Base(stray)) {
		t.Errorf("the new start has %q", left)
	}
	if last := f.store.Recent()[0].Last; last.File == nil || last.File.Name != "c.bin" {
		t.Errorf("the last message is %+v", last)
	}
	if err := os.Truncate(filepath.Join(f.path+".files", "copies", second.File.ID), 10); err != nil {
		t.Fatal(err)
	}
	f.viewer = enter(t, session.Config{Server: f.s.base, Room: "r", User: "Ann", Store: f.store})
	f.until("the rows", func() bool { return len(f.rows) == 3 })
	if got := f.row(first.ID); got.File == nil || got.File.Sent != 1500 {
		t.Errorf("the row is %+v", got)
	}
	f.enters("e", 0, true, maxFile)
	if again := f.uploads(1500); again != id {
		t.Errorf("%s is asked about, not %s", again, id)
	}
	f.receives(id, make([]byte, 1500))
	m := f.p.expect(shared.TypeUpload)
	chat := f.p.expect(shared.TypeChat)
	f.p.send(shared.Message{Type: shared.TypeUpload, ID: m.ID, Key: "k"})
	f.until("the loss", func() bool { return f.row(second.ID).Delivery == session.Failed })
	if got := f.row(second.ID); got.Code != session.CodeNoCopy {
		t.Errorf("the row is %+v", got)
	}
	f.p.expect(shared.TypeUpload)
	_ = f.p.ws.CloseNow()
	f.enters("e", 0, true, 0)
	for _, id := range []string{first.ID, third.ID} {
		f.until("a refusal", func() bool { return f.row(id).Delivery == session.Failed })
		if got := f.row(id); got.Code != shared.CodeUnknownType {
			t.Errorf("the row is %+v", got)
		}
	}
	if _, err := f.room.SendFile(context.Background(), session.Attachment{Name: "d", From: strings.NewReader("d")}, "", ""); !errors.Is(err, session.ErrNoFiles) {
		t.Errorf("a server without files: %v", err)
	}
	e := fileEcho(chat, 1, shared.File{Name: "a.bin", Size: 2000})
	f.p.send(e) // it was there after all
	f.until("the echo", func() bool { return f.row(first.ID).Delivery == session.Sent })
}

// What SendFile refuses leaves no row and no copy.
func TestSendFileRefuses(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	odd := errors.New("the card was pulled out")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		from    io.Reader
		caption string
		want    error
	}{
		{"empty", context.Background(), strings.NewReader(""), "", session.ErrEmptyFile},
		{"long caption", context.Background(), strings.NewReader("x"), strings.Repeat("é", shared.MaxCaption+1), session.ErrTooLong},
		{"too large", context.Background(), io.LimitReader(zeros{}, maxFile+1), "", session.ErrFileTooLarge},
		{"unreadable", context.Background(), io.MultiReader(strings.NewReader("x"), broken{odd}), "", odd},
		{"canceled", canceled, strings.NewReader("x"), "", context.Canceled},
	} {
		if _, err := f.room.SendFile(test.ctx, session.Attachment{Name: "a", From: test.from}, test.caption, ""); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	memory := enter(t, session.Config{Server: f.s.base, Room: "r", User: "Bob"})
	p, hello := f.s.next()
	p.welcome(hello, "bob", "e", 0, false, maxFile)
	memory.until("a welcome", func() bool { return memory.status.MaxFile == maxFile })
	if _, err := memory.room.SendFile(context.Background(), session.Attachment{Name: "a", From: strings.NewReader("x")}, "", ""); !errors.Is(err, session.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
	f.room.Close()
	if _, err := f.room.SendFile(context.Background(), session.Attachment{Name: "a", From: strings.NewReader("x")}, "", ""); !errors.Is(err, session.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if left := f.copies(); len(left) > 0 || len(f.rows) > 0 {
		t.Errorf("%q and %q are left", left, f.texts())
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// What a server answers to somebody who reads a file.
func TestFetchFile(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	id := strings.Repeat("a", 26)
	e := entryBy("bob", 1, "m1", "Bob", "look\nhttp://192.0.2.1/files/"+id)
	e.File = &shared.File{ID: id, Name: "../a.png", Type: "image/png", Size: 5, Thumb: true, Caption: "look"}
	f.p.send(e)
	f.until("the message", func() bool { return len(f.rows) == 1 })
	item := f.rows[0]
	if item.Text != "look" || item.File == nil || item.File.Name != "a.png" {
		t.Fatalf("the row is %+v, %+v", item, item.File)
	}
	fetch := func(path string, status int, body string) (string, error) {
		go func() { f.s.asked(http.MethodGet, "/files/"+id+path).answer(status, -1, body) }()
		var b bytes.Buffer
		if path == "" {
			err := f.room.Fetch(context.Background(), item, &b, nil)
			return b.String(), err
		}
		data, err := f.room.Thumb(context.Background(), item)
		return string(data), err
	}
	var lost *session.Problem
	if got, err := fetch("", http.StatusOK, "12345"); got != "12345" || err != nil {
		t.Errorf("it is %q, %v", got, err)
	}
	for _, body := range []string{"1234", "123456", ""} {
		if got, err := fetch("", http.StatusOK, body); !errors.Is(err, session.ErrCut) {
			t.Errorf("of %q comes %q, %v", body, got, err)
		}
	}
	for body, want := range map[string]error{"12345": nil, "1234": session.ErrCut, "123456": session.ErrCut} {
		go func() { // without a Content-Length
			r := f.s.asked(http.MethodGet, "/files/"+id)
			_ = http.NewResponseController(r.w).Flush()
			_, _ = io.WriteString(r.w, body)
			close(r.done)
		}()
		if err := f.room.Fetch(context.Background(), item, io.Discard, nil); !errors.Is(err, want) {
			t.Errorf("of %q without a length: %v", body, err)
		}
	}
	if _, err := fetch("", http.StatusNotFound, ""); !errors.Is(err, session.ErrFileGone) {
		t.Error(err)
	}
	if _, err := fetch("", http.StatusServiceUnavailable, ""); !errors.As(err, &lost) {
		t.Error(err)
	}
	full := errors.New("the disk is full")
	go func() { f.s.asked(http.MethodGet, "/files/"+id).answer(http.StatusOK, -1, "12345") }()
	if err := f.room.Fetch(context.Background(), item, refuser{full}, nil); !errors.Is(err, full) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		r := f.s.asked(http.MethodGet, "/files/"+id)
		cancel()
		<-over // before that, an answer might win
		close(r.done)
	}()
	if err := f.room.Fetch(ctx, item, io.Discard, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(over)
	if _, err := fetch("/thumb", http.StatusOK, strings.Repeat("x", shared.MaxThumb+1)); !errors.Is(err, session.ErrCut) {
		t.Error(err)
	}
	for range 2 { // asked for once
		if got, err := fetch2(f, item, id); got != "thumb" || err != nil {
			t.Errorf("it is %q, %v", got, err)
		}
	}
	if _, err := fetch("", http.StatusGone, ""); !errors.Is(err, session.ErrFileGone) {
		t.Error(err)
	}
	f.until("it is gone", func() bool { return f.rows[0].File.Gone })

	f.p.send(shared.Message{Type: shared.TypeDelete, ID: "d", Offset: 2, User: "Bob", By: "bob", Targets: []int64{1}, Time: e.Time})
	f.until("its end", func() bool { return f.rows[0].Deleted && f.rows[0].File == nil && f.rows[0].Text == "" })
	thumbs, err := filepath.Glob(filepath.Join(f.path+".files", "thumbs", "*", "*", "*"))
	if len(thumbs) > 0 || err != nil {
		t.Errorf("%q are left, %v", thumbs, err)
	}
	if err := f.room.Fetch(context.Background(), f.rows[0], io.Discard, nil); !errors.Is(err, session.ErrFileGone) {
		t.Error(err)
	}
}

// fetch2 reads a thumbnail that is asked for at most once.
func fetch2(f *filer, item session.Item, id string) (string, error) {
	done := make(chan struct{})
	go func() {
		select {
		case r := <-f.s.files:
			r.answer(http.StatusOK, -1, "thumb")
		case <-done:
		}
	}()
	defer close(done)
	data, err := f.room.Thumb(context.Background(), item)
	return string(data), err
}

type refuser struct{ err error }

func (r refuser) Write([]byte) (int, error) { return 0, r.err }

// A file that was chosen is none any more in the transaction that keeps its row, so that
// an app which is killed then does not offer it again. Its copy goes after that.
func TestDraftFiles(t *testing.T) {
	t.Parallel()
	f := startFiler(t)
	if _, err := f.store.Files().Keep("b", strings.NewReader("copy"), 100); err != nil {
		t.Fatal(err)
	}
	chosen := session.DraftFiles{
		Files:   []session.DraftFile{{ID: "a", Name: "a.txt", Path: "/a.txt"}, {ID: "b", Name: "b.txt", Size: 4}},
		Caption: "caption", AsItIs: true,
	}
	f.room.SetDraftFiles(chosen)
	send := func(id string) (onDisk session.DraftFiles) {
		t.Helper()
		before := len(f.rows)
		a := session.Attachment{Name: id, From: strings.NewReader("copy"), Draft: id}
		if _, err := f.room.SendFile(t.Context(), a, "", ""); err != nil {
			t.Fatal(err)
		}
		f.until("the row", func() bool { return len(f.rows) == before+1 })
		data, err := os.ReadFile(f.path) // as a killed app leaves it
		if err != nil {
			t.Fatal(err)
		}
		found := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(found, data, 0o600); err != nil {
			t.Fatal(err)
		}
		kept := openStore(t, found)
		defer kept.Close()
		r := kept.Enter(f.s.base, "r", nil)
		defer r.Leave()
		saved, err := r.Load()
		if err != nil || len(saved.Outbox) != before+1 {
			t.Fatalf("%d messages wait, %v", len(saved.Outbox), err)
		}
		return saved.State.Files
	}
	want := session.DraftFiles{Files: chosen.Files[1:], AsItIs: true}
	if got := send("a"); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(f.room.DraftFiles(), want) {
		t.Errorf("kept is %+v, the room says %+v", got, f.room.DraftFiles())
	}
	if !slices.Contains(f.copies(), "b") {
		t.Errorf("the copies are %q", f.copies())
	}
	want.Caption = "caption" // is none of what was chosen before
	f.room.SetDraftFiles(want)
	if got := send("c"); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(f.room.DraftFiles(), want) {
		t.Errorf("kept is %+v, the room says %+v", got, f.room.DraftFiles())
	}
	if got := send("b"); !reflect.DeepEqual(got, session.DraftFiles{}) || slices.Contains(f.copies(), "b") {
		t.Errorf("kept is %+v, the copies are %q", got, f.copies())
	}
	f.room.Close()
}
