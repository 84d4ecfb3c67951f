package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"go.uber.org/goleak"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a store on a real log, behind a real server.
type world struct {
	*testing.T
	dir   string
	opt   Options
	free  atomic.Int64 // of the disk
	clock atomic.Int64 // that the time is ahead, in nanoseconds

	log   *sqlitelog.Log
	store *Store
	srv   *httptest.Server
}

var hall, _ = shared.RoomName("hall")

const ann, bob = "ann-000000000000000000000", "bob-000000000000000000000"

func newWorld(t *testing.T, opt Options) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), opt: opt}
	w.free.Store(1 << 40)
	w.opt.Space = func(string) (uint64, error) { return uint64(w.free.Load()), nil }
	w.opt.Now = func() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }
	if w.opt.Max == 0 {
		w.opt.Max = 100e6
	}
	w.start()
	t.Cleanup(w.stop)
	return w
}

func (w *world) start() {
	w.Helper()
	var err error
	if w.log, err = sqlitelog.Open(w.Context(), w.dir, sqlitelog.Options{Sync: sqlitelog.Normal}); err != nil {
		w.Fatal(err)
	}
	if w.store, err = Open(w.Context(), w.dir, w.log, w.opt); err != nil {
		w.Fatal(err)
	}
	router := chi.NewRouter()
	w.store.Routes(router)
	w.srv = httptest.NewServer(router)
	w.srv.Client().Timeout = time.Minute
}

func (w *world) stop() {
	if w.srv == nil {
		return
	}
	w.srv.Close()
	w.store.Close()
	if err := w.log.Close(); err != nil {
		w.Error(err)
	}
	w.srv = nil
}

func newID() string { return strings.ToLower(rand.Text()) }

// fileOf is a file of a device that is to come.
func fileOf(device string, f shared.File) chat.FileRow {
	return chat.FileRow{File: chat.File{ID: f.ID, Name: f.Name, Size: f.Size}, Room: hall.Key, Device: device}
}

// begin begins an upload of Ann's.
func (w *world) begin(id, name string, size int) (key string, at int64) {
	w.Helper()
	key, at, err := w.store.Begin(w.Context(), fileOf(ann, shared.File{ID: id, Name: name, Size: int64(size)}))
	if err != nil {
		w.Fatal(err)
	}
	return key, at
}

type answer struct {
	status int
	http.Header
	body string
}

// do sends a request with pairs of header lines.
func (w *world) do(method, path string, body io.Reader, header ...string) answer {
	w.Helper()
	req, err := http.NewRequest(method, w.srv.URL+path, body)
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.srv.Client().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

func (w *world) patch(id, key string, at int64, part []byte) answer {
	w.Helper()
	return w.do("PATCH", "/files/"+id, bytes.NewReader(part), "Authorization", "Bearer "+key, "Upload-Offset", strconv.FormatInt(at, 10))
}

// upload uploads a file of Ann's and returns its id.
func (w *world) upload(name string, data []byte) (id string) {
	w.Helper()
	id = newID()
	key, at := w.begin(id, name, len(data))
	for at < int64(len(data)) {
		a := w.patch(id, key, at, data[at:min(at+shared.MaxUploadPart, int64(len(data)))])
		if a.status != http.StatusNoContent {
			w.Fatalf("a part at %d: %d %s", at, a.status, a.body)
		}
		at, _ = strconv.ParseInt(a.Get("Upload-Offset"), 10, 64)
	}
	return id
}

// add appends an entry of Ann's, and returns its offset.
func (w *world) add(e chat.Entry) (int64, error) {
	type result struct {
		chat.Receipt
		error
	}
	got := make(chan result, 1)
	e.ID, e.Device, e.User, e.Time = newID(), ann, "Ann", w.opt.Now()
	w.log.Append(context.Background(), hall, e, func(r chat.Receipt, err error) { got <- result{r, err} })
	r := <-got
	return r.Offset, r.error
}

// say has a message take a file.
func (w *world) say(id string) (offset int64) {
	w.Helper()
	e := chat.Entry{Text: "look"}
	e.Own().File = &chat.File{ID: id}
	offset, err := w.add(e)
	if err != nil {
		w.Fatal(err)
	}
	return offset
}

// delete deletes a message.
func (w *world) delete(offset int64) {
	w.Helper()
	all, err := w.log.Read(w.Context(), hall.Key, offset-1, offset, chat.Most{Entries: 1})
	if err != nil || len(all) != 1 {
		w.Fatal(all, err)
	}
	if _, err := w.add(chat.Entry{Kind: chat.KindDelete, Target: offset, Extra: &chat.Extra{Of: all[0].ID}}); err != nil {
		w.Fatal(err)
	}
}

// onDisk are the names of what is in the folder.
func (w *world) onDisk() (names []string) {
	w.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, FolderName, "*", "*"))
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	slices.Sort(names)
	return names
}

// settles waits until the folder has what it should.
func (w *world) settles(want ...string) {
	w.Helper()
	slices.Sort(want)
	late := time.After(time.Minute)
	for {
		got := w.onDisk()
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-late:
			w.Fatalf("the folder has %q, not %q", got, want)
		case <-time.After(time.Millisecond):
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// A file comes in parts, goes on after a restart where it stood, is served once a
// message has it, and goes with the message.
func TestAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	data := random(shared.MaxUploadPart + 5000)
	copy(data, aPNG(t))
	id := newID()
	key, at := w.begin(id, "Foto 1.png", len(data))
	if at != 0 {
		t.Errorf("it begins at %d", at)
	}
	if a := w.patch(id, key, 0, data[:1000]); a.status != 204 || a.Get("Upload-Offset") != "1000" {
		t.Errorf("the first part: %+v", a)
	}
	w.stop()
	w.start()
	if a := w.patch(id, key, 1000, data[1000:]); a.status != 401 || a.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("with the key of before the restart: %+v", a)
	}
	key, at = w.begin(id, "Foto 1.png", len(data))
	if at != 1000 {
		t.Errorf("after the restart it stands at %d", at)
	}
	if a := w.patch(id, key, at, data[at:at+shared.MaxUploadPart]); a.status != 204 {
		t.Errorf("the second part: %+v", a)
	}
	at += shared.MaxUploadPart
	if a := w.do("PUT", "/files/"+id+"/thumb", bytes.NewReader(aJPEG(t)), "Authorization", "bearer "+key); a.status != 204 {
		t.Errorf("the thumbnail: %+v", a)
	}
	if a := w.patch(id, key, at, data[at:]); a.status != 204 || a.Get("Upload-Offset") != fmt.Sprint(len(data)) {
		t.Errorf("the last part: %+v", a)
	}
	if _, at := w.begin(id, "Foto 1.png", len(data)); at != int64(len(data)) {
		t.Errorf("whole, it stands at %d", at)
	}
	for _, path := range []string{"/files/" + id, "/files/" + id + "/thumb"} {
		if a := w.do("GET", path, nil); a.status != 404 {
			t.Errorf("before its message, %s: %d", path, a.status)
		}
	}
	offset := w.say(id)
	a := w.do("GET", "/files/"+id, nil)
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Content-Disposition": `inline; filename="Foto 1.png"`, "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control": "private, no-cache", "Etag": `"` + id + `"`, "Accept-Ranges": "bytes", "Content-Length": fmt.Sprint(len(data)),
	} {
		if a.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, a.Get(name), want)
		}
	}
	if a.status != 200 || a.body != string(data) {
		t.Errorf("it is served with %d, of %d bytes", a.status, len(a.body))
	}
	if a := w.do("GET", "/files/"+id, nil, "Range", "bytes=1000-1999"); a.status != 206 || a.body != string(data[1000:2000]) {
		t.Errorf("a range: %d, %d bytes", a.status, len(a.body))
	}
	if a := w.do("GET", "/files/"+id, nil, "If-None-Match", `"`+id+`"`); a.status != 304 || a.body != "" {
		t.Errorf("again: %d", a.status)
	}
	if a := w.do("HEAD", "/files/"+id, nil); a.status != 200 || a.body != "" || a.Get("Content-Length") != fmt.Sprint(len(data)) {
		t.Errorf("HEAD: %+v", a)
	}
	if a := w.do("GET", "/files/"+id+"/thumb", nil); a.status != 200 || a.body != string(aJPEG(t)) || a.Get("Content-Type") != "image/jpeg" ||
		a.Get("X-Content-Type-Options") != "nosniff" || a.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
		t.Errorf("the thumbnail: %+v", a)
	}
	w.settles(id, id+".thumb")
	w.delete(offset)
	w.settles()
	if a := w.do("GET", "/files/"+id, nil); a.status != 404 {
		t.Errorf("after its message: %d", a.status)
	}
}

// The table of what is not right, and what is answered.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Free: 1000})
	id, size := newID(), 2*shared.MaxUploadPart
	key, _ := w.begin(id, "a.bin", size)
	path, bearer := "/files/"+id, "Bearer "+key
	if a := w.patch(id, key, 0, random(100)); a.status != 204 {
		t.Fatalf("%+v", a)
	}
	small := newID()
	smallKey, _ := w.begin(small, "b.bin", 10)
	huge := bytes.Repeat([]byte{0}, shared.MaxUploadPart+1)
	for _, test := range []struct {
		what, method, path string
		body               io.Reader
		header             []string
		status             int
		offset, says       string
	}{
		{"no such file", "PATCH", "/files/" + newID(), nil, []string{"Authorization", bearer, "Upload-Offset", "0"}, 404, "", "no file"},
		{"no id", "PATCH", "/files/A", nil, nil, 404, "", "no file"},
		{"a path", "GET", "/files/..%2f..%2fparley.db", nil, nil, 404, "", ""},
		{"no key", "PATCH", path, nil, []string{"Upload-Offset", "100"}, 401, "", "key"},
		{"another scheme", "PATCH", path, nil, []string{"Authorization", "Basic " + key, "Upload-Offset", "100"}, 401, "", "key"},
		{"another file's key", "PATCH", path, nil, []string{"Authorization", "Bearer " + smallKey, "Upload-Offset", "100"}, 401, "", "key"},
		{"no offset", "PATCH", path, nil, []string{"Authorization", bearer}, 400, "", "Upload-Offset"},
		{"a negative offset", "PATCH", path, nil, []string{"Authorization", bearer, "Upload-Offset", "-1"}, 400, "", "Upload-Offset"},
		{"a huge offset", "PATCH", path, nil, []string{"Authorization", bearer, "Upload-Offset", "99999999999999999999"}, 400, "", "Upload-Offset"},
		{"too early", "PATCH", path, strings.NewReader("x"), []string{"Authorization", bearer, "Upload-Offset", "99"}, 409, "100", "does not stand"},
		{"too late", "PATCH", path, strings.NewReader("x"), []string{"Authorization", bearer, "Upload-Offset", "101"}, 409, "100", "does not stand"},
		{"too much at once", "PATCH", path, bytes.NewReader(huge), []string{"Authorization", bearer, "Upload-Offset", "100"}, 413, "", "at most 1048576"},
		{"more than the file", "PATCH", "/files/" + small, strings.NewReader("0123456789a"), []string{"Authorization", "Bearer " + smallKey, "Upload-Offset", "0"}, 413, "", "more bytes"},
		{"POST", "POST", path, nil, nil, 405, "", "takes DELETE, GET"},
		{"DELETE of a thumbnail", "DELETE", path + "/thumb", nil, nil, 405, "", "takes GET"},
		{"before its message", "GET", path, nil, nil, 404, "", "no file"},
		{"a thumbnail without a key", "PUT", path + "/thumb", bytes.NewReader(aJPEG(t)), nil, 401, "", "key"},
		{"a thumbnail that is none", "PUT", path + "/thumb", bytes.NewReader(aPNG(t)), []string{"Authorization", bearer}, 400, "", "no JPEG"},
		{"a thumbnail too large", "PUT", path + "/thumb", bytes.NewReader(huge), []string{"Authorization", bearer}, 400, "", "over 32768"},
	} {
		a := w.do(test.method, test.path, test.body, test.header...)
		if a.status != test.status || !strings.Contains(a.body, test.says) || a.Get("Upload-Offset") != test.offset {
			t.Errorf("%s: %d %s, Upload-Offset %q", test.what, a.status, a.body, a.Get("Upload-Offset"))
		}
	}
	// Who sends a whole part has the answer, too, and no reset connection.
	whole := bytes.NewReader(huge[1:])
	for key, status := range map[string]int{key: 409, "wrong": 401} {
		whole.Seek(0, io.SeekStart)
		if a := w.do("PATCH", path, whole, "Authorization", "Bearer "+key, "Upload-Offset", "0"); a.status != status {
			t.Errorf("a whole part: %+v, want %d", a, status)
		}
	}
	// The same without a Content-Length.
	if a := w.do("PATCH", "/files/"+small, io.MultiReader(strings.NewReader("0123456789a")), "Authorization", "Bearer "+smallKey, "Upload-Offset", "0"); a.status != 413 {
		t.Errorf("more than the file, in chunks: %+v", a)
	}
	if a := w.patch(small, smallKey, 10, nil); a.status != 204 {
		t.Errorf("what belonged to the file was not kept: %+v", a)
	}
	if a := w.do("PATCH", path, io.MultiReader(bytes.NewReader(huge)), "Authorization", bearer, "Upload-Offset", "100"); a.status != 413 || a.Get("Upload-Offset") != fmt.Sprint(100+shared.MaxUploadPart) {
		t.Errorf("too much at once, in chunks: %+v", a)
	}
	w.free.Store(900)
	if a := w.patch(id, key, 100+shared.MaxUploadPart, []byte("x")); a.status != 507 {
		t.Errorf("a full disk: %+v", a)
	}
	if _, _, err := w.store.Begin(t.Context(), fileOf(ann, shared.File{ID: newID(), Name: "c", Size: 1})); !errors.Is(err, chat.ErrNoSpace) || !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("begun on a full disk: %v", err)
	}
	w.free.Store(1 << 40)
	if a := w.patch(id, key, 100+shared.MaxUploadPart, []byte("x")); a.status != 204 {
		t.Errorf("with room again: %+v", a)
	}
	for what, f := range map[string]struct {
		device string
		shared.File
	}{
		"another device":   {bob, shared.File{ID: id, Name: "a.bin", Size: int64(size)}},
		"a size that grew": {ann, shared.File{ID: id, Name: "a.bin", Size: int64(size) + 1}},
		"too large":        {ann, shared.File{ID: newID(), Name: "a.bin", Size: 100e6 + 1}},
	} {
		_, _, err := w.store.Begin(t.Context(), fileOf(f.device, f.File))
		var no *chat.Refusal
		if !errors.As(err, &no) || no.Code != shared.CodeNotAllowed {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := w.store.parts.bytes(); got != 100+shared.MaxUploadPart+1+chat.FileOverhead {
		t.Errorf("%d bytes are unfinished", got)
	}
}

// A connection that its client has given up does not hold the upload up, and what came
// over it is kept.
func TestHalfOpenUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Patience: time.Hour})
	data := random(1000)
	id := newID()
	key, _ := w.begin(id, "a.bin", len(data))
	slow, feed := io.Pipe()
	defer feed.Close()
	old := make(chan error, 1)
	go func() {
		req, err := http.NewRequest("PATCH", w.srv.URL+"/files/"+id, slow)
		if err == nil {
			req.Header.Set("Authorization", "Bearer "+key)
			req.Header.Set("Upload-Offset", "0")
			var resp *http.Response
			if resp, err = w.srv.Client().Do(req); err == nil {
				if resp.Body.Close(); resp.StatusCode != http.StatusRequestTimeout {
					err = errors.New(resp.Status)
				}
			}
		}
		old <- err
	}()
	if _, err := feed.Write(data[:300]); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at != 300; { // until the server has it
		_, at = w.begin(id, "a.bin", len(data))
	}
	if a := w.patch(id, key, 300, data[300:]); a.status != 204 || a.Get("Upload-Offset") != "1000" {
		t.Errorf("while the other is open: %+v", a)
	}
	if err := <-old; err != nil && !strings.Contains(err.Error(), "closed") && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("the other ended with %v", err)
	}
	w.say(id)
	if a := w.do("GET", "/files/"+id, nil); a.body != string(data) {
		t.Errorf("it has %d other bytes", len(a.body))
	}
}

// What is done with a file after its last byte may take longer than the patience, and
// somebody else may want its turn: its connection is there for the next request.
func TestConnectionAfterAnUpload(t *testing.T) {
	t.Parallel()
	var w *world
	w = newWorld(t, Options{Patience: time.Second, Charge: func(r *http.Request, n int) {
		if n != wholeSyncs {
			return
		}
		w.store.turns.interrupt()
		select {
		case <-r.Context().Done():
			t.Error("whoever sent it is taken for gone")
		case <-time.After(3 * w.opt.Patience): // is what it is about
		}
	}})
	id := w.upload("a.txt", []byte("hello"))
	w.say(id)
	if a := w.do("GET", "/files/"+id, nil); a.status != 200 {
		t.Errorf("the next request: %+v", a)
	}
}

// One who sends nothing for a while is cut off, one who is slow is not.
func TestTrickledUpload(t *testing.T) {
	t.Parallel()
	// On a busy machine, what is sent may be kept back for longer than that.
	for patience := 750 * time.Millisecond; !trickles(t, patience); patience *= 2 {
		if patience > 10*time.Second {
			t.Fatal("who is slow is cut off")
		}
	}
}

// trickles reports false if one who is slow was cut off.
func trickles(t *testing.T, patience time.Duration) bool {
	w := newWorld(t, Options{Patience: patience})
	id := newID()
	key, _ := w.begin(id, "a.bin", 100)
	slow, feed := io.Pipe()
	go func() {
		for range 10 {
			time.Sleep(patience / 5) // is what it is about
			_, _ = feed.Write([]byte("x"))
		}
	}() // and then nothing more comes
	defer feed.Close()
	began := time.Now()
	a := w.do("PATCH", "/files/"+id, slow, "Authorization", "Bearer "+key, "Upload-Offset", "0")
	if took := time.Since(began); a.status != http.StatusRequestTimeout || took < patience {
		t.Errorf("after %v: %+v", took, a)
	}
	return a.Get("Upload-Offset") == "10"
}

// One source has so many requests at once. Others wait, and other sources do not.
func TestRequestsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{PerSource: 2, Patience: 4 * time.Second, Source: func(r *http.Request) string { return r.Header.Get("From") }})
	var feeds []*io.PipeWriter
	for range 2 {
		id := newID()
		key, _ := w.begin(id, "a.bin", 10_000)
		slow, feed := io.Pipe()
		feeds = append(feeds, feed)
		go func() {
			req, _ := http.NewRequest("PATCH", w.srv.URL+"/files/"+id, slow)
			req.Header.Set("Authorization", "Bearer "+key)
			req.Header.Set("Upload-Offset", "0")
			req.Header.Set("From", "eve")
			if resp, err := w.srv.Client().Do(req); err == nil {
				resp.Body.Close()
			}
		}()
		go func() { // goes on for longer than others wait
			for err := error(nil); err == nil; time.Sleep(50 * time.Millisecond) {
				_, err = feed.Write([]byte("x"))
			}
		}()
		for at := int64(0); at == 0; {
			_, at = w.begin(id, "a.bin", 10_000)
		}
	}
	if a := w.do("GET", "/files/"+newID(), nil, "From", "bob"); a.status != 404 {
		t.Errorf("another source: %+v", a)
	}
	if a := w.do("GET", "/files/"+newID(), nil, "From", "eve"); a.status != 429 || a.Get("Retry-After") == "" {
		t.Errorf("the same source: %+v", a)
	}
	waits := make(chan answer, 1)
	go func() { waits <- w.do("GET", "/files/"+newID(), nil, "From", "eve") }()
	feeds[0].Close()
	if a := <-waits; a.status != 404 {
		t.Errorf("one that waited: %+v", a)
	}
	feeds[1].Close()
	w.stop()
	if n := len(w.store.gates.of); n != 0 {
		t.Errorf("%d sources are kept", n)
	}
}

// The oldest files of a device go first, their messages stay.
func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Bytes: 3*(1000+chat.FileOverhead) - 1, Max: 1000})
	first := w.upload("1.bin", random(1000))
	offset := w.say(first)
	w.clock.Add(int64(time.Second))
	second := w.upload("2.bin", random(1000))
	w.say(second)
	w.settles(first, second)
	w.clock.Add(int64(time.Second))
	third := w.upload("3.bin", random(1000))
	w.settles(second, third)
	if a := w.do("GET", "/files/"+first, nil); a.status != http.StatusGone {
		t.Errorf("the oldest: %+v", a)
	}
	all, err := w.log.Read(t.Context(), hall.Key, offset-1, offset, chat.Most{Entries: 1})
	if err != nil || len(all) != 1 || all[0].Text != "look" || !all[0].Extra.File.Gone {
		t.Errorf("its message is %+v, %v", all, err)
	}
	if a := w.do("GET", "/files/"+second, nil); a.status != 200 {
		t.Errorf("the next: %d", a.status)
	}
}

// What no message takes goes: after a day, and earlier when there is no room.
func TestAbandonedUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Bytes: 2 * (1500 + 2*chat.FileOverhead), Max: 1000})
	half, whole := newID(), w.upload("whole.bin", random(100))
	key, _ := w.begin(half, "half.bin", 1000)
	w.patch(half, key, 0, random(600))
	w.settles(whole, half+".part")
	// Unfinished ones have half of --files-bytes.
	other := newID()
	key, _ = w.begin(other, "other.bin", 900)
	w.patch(other, key, 0, random(800))
	if _, _, err := w.store.Begin(t.Context(), fileOf(ann, shared.File{ID: newID(), Name: "b", Size: 200})); !errors.Is(err, chat.ErrNoSpace) {
		t.Errorf("beyond the half: %v", err)
	}
	w.clock.Add(int64(chat.UnfinishedHold + time.Second))
	w.begin(whole, "whole.bin", 100) // is asked for again
	if _, _, err := w.store.Begin(t.Context(), fileOf(bob, shared.File{ID: newID(), Name: "b", Size: 200})); err != nil {
		t.Errorf("when the others are old: %v", err)
	}
	w.settles(whole)
	if got := w.store.parts.bytes(); got != 0 {
		t.Errorf("%d bytes are unfinished", got)
	}
	w.clock.Add(int64(Hold - time.Minute))
	w.stop()
	w.start()
	w.settles(whole)
	w.clock.Add(int64(2 * time.Minute))
	w.stop()
	w.start()
	w.settles()
}

// A start after a crash at any moment has exactly what the log refers to.
// Whoever sends most that they never finish makes room for others, also after a restart,
// and nobody else does.
func TestUnfinishedShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Bytes: 2 * (2000e3 + 3*chat.FileOverhead), Max: 1000e3})
	begin := func(source int64, device string, size int64) (id, key string, err error) {
		id = newID()
		row := fileOf(device, shared.File{ID: id, Name: "x.bin", Size: size})
		row.Source = source
		key, _, err = w.store.Begin(t.Context(), row)
		return id, key, err
	}
	send := func(source int64, device string, size int64) string {
		t.Helper()
		id, key, err := begin(source, device, size+1)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.patch(id, key, 0, random(int(size))); a.status != 204 {
			t.Fatalf("%+v", a)
		}
		return id + ".part"
	}
	small, large := send(1, "mallory", 500e3), send(1, "mallory2", 900e3)
	bobs := send(2, bob, 500e3)
	w.settles(small, large, bobs)
	if _, _, err := begin(1, "mallory3", 900e3); !errors.Is(err, chat.ErrNoSpace) {
		t.Errorf("more from where most is from: %v", err)
	}
	if _, _, err := begin(2, "bobby", 950e3); !errors.Is(err, chat.ErrNoSpace) {
		t.Errorf("more than there is: %v", err)
	}
	w.settles(small, large, bobs)
	w.stop()
	w.start()
	anns := send(3, ann, 700e3)
	w.settles(small, bobs, anns)
	if got := w.store.parts.bytes(); got != 1700e3+3*chat.FileOverhead {
		t.Errorf("%d bytes are unfinished", got)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	data := random(3000)
	kept := w.upload("kept.bin", data)
	w.say(kept)
	gone := w.upload("gone.bin", data)
	offset := w.say(gone)
	half := newID()
	key, _ := w.begin(half, "half.bin", len(data))
	w.patch(half, key, 0, data[:1000])
	// All bytes have come, and the crash was before the rename.
	unnamed := newID()
	w.begin(unnamed, "unnamed.bin", len(data))
	// The crash was between the rename and the log.
	untold := newID()
	w.begin(untold, "untold.bin", len(data))
	// A program's form was cut off, before its message at the latest.
	form, sent := newID(), newID()
	for _, id := range []string{form, sent} {
		if _, _, err := w.store.Begin(t.Context(), fileOf(chat.APIDevice, shared.File{ID: id, Name: "form.bin", Size: 3000})); err != nil {
			t.Fatal(err)
		}
	}
	stray := newID()
	for _, path := range []string{w.store.disk.part(unnamed), w.store.disk.path(untold), w.store.disk.part(form), w.store.disk.path(sent), w.store.disk.path(stray), w.store.disk.part(stray), w.store.disk.thumb(stray)} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.log.WholeFile(t.Context(), sent, Other); err != nil {
		t.Fatal(err)
	}
	saved := w.store.disk.path(gone)
	copyOf := filepath.Join(t.TempDir(), "copy")
	if err := os.Link(saved, copyOf); err != nil {
		t.Fatal(err)
	}
	w.delete(offset)
	w.settles(kept, half+".part", unnamed+".part", untold, form+".part", sent, stray, stray+".part", stray+".thumb")
	w.stop()
	if err := os.Link(copyOf, saved); err != nil { // as if it was killed before it was unlinked
		t.Fatal(err)
	}
	w.start()
	w.settles(kept, half+".part", unnamed+".part", untold)
	for _, id := range []string{form, sent} {
		if row, err := w.log.File(t.Context(), id); !errors.Is(err, chat.ErrNoFile) {
			t.Errorf("the row of a form is %+v, %v", row, err)
		}
	}
	if got := w.store.parts.bytes(); got != 4000+3*chat.FileOverhead {
		t.Errorf("%d bytes are unfinished", got)
	}
	for id, want := range map[string]int64{half: 1000, unnamed: 3000, untold: 3000} {
		name := map[string]string{half: "half.bin", unnamed: "unnamed.bin", untold: "untold.bin"}[id]
		if _, at := w.begin(id, name, len(data)); at != want {
			t.Errorf("%s stands at %d, want %d", name, at, want)
		}
	}
	w.say(unnamed)
	w.say(untold)
	for _, id := range []string{kept, unnamed, untold} {
		if a := w.do("GET", "/files/"+id, nil); a.status != 200 || a.body != string(data) {
			t.Errorf("%s: %d, %d bytes", id, a.status, len(a.body))
		}
	}
	w.settles(kept, half+".part", unnamed, untold)
}

// Whatever a file is and says it is, no browser takes it for a page.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, test := range []struct {
		name, data, kind, how string
	}{
		{"a.html", "<!DOCTYPE html><script>alert(1)</script>", Other, `attachment; filename="a.html"`},
		{"a.jpg", "<!DOCTYPE html><script>alert(1)</script>", Other, `attachment; filename="a.jpg"`},
		{"a.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`, Other, `attachment; filename="a.svg"`},
		{"a.pdf", "%PDF-1.7", Other, `attachment; filename="a.pdf"`},
		{"a.gif", string(aGIF(t)) + "<script>alert(1)</script>", Other, `attachment; filename="a.gif"`},
		{"a.xml", `<?xml version="1.0"?><x/>`, Other, `attachment; filename="a.xml"`},
		{"huge.png", string(pngOf(60000, 60000)), Other, `attachment; filename="huge.png"`},
		{"a\".html\r\nX: y", "<html>", Other, `attachment; filename="a_.htmlX_ y"`},
		{"../../Größe 📷.png", string(aPNG(t)), "image/png", `inline; filename="Gr__e _.png"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%F0%9F%93%B7.png`},
		{"CON", "x", Other, `attachment; filename="_CON"`},
	} {
		id := w.upload(test.name, []byte(test.data))
		w.say(id)
		a := w.do("GET", "/files/"+id, nil)
		if a.status != 200 || a.body != test.data || a.Get("Content-Type") != test.kind || a.Get("Content-Disposition") != test.how ||
			a.Get("X-Content-Type-Options") != "nosniff" || a.Get("Content-Security-Policy") != "default-src 'none'; sandbox" ||
			a.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%q: %d %v", test.name, a.status, a.Header)
		}
	}
}

// An upload that its sender takes back goes at once, also while a part comes, and makes
// room for the next one. A file that a message has stays.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Patience: time.Second})
	for range 2 * chat.MaxUnfinished {
		id := newID()
		key, _ := w.begin(id, "a", 1000)
		w.patch(id, key, 0, random(500))
		if a := w.do("DELETE", "/files/"+id, nil, "Authorization", "Bearer x"); a.status != http.StatusUnauthorized {
			t.Errorf("with another key: %+v", a)
		}
		part, to := io.Pipe()
		slow := make(chan answer)
		go func() {
			slow <- w.do("PATCH", "/files/"+id, part, "Authorization", "Bearer "+key, "Upload-Offset", "500")
		}()
		_, _ = to.Write(random(10))
		if a := w.do("DELETE", "/files/"+id, nil, "Authorization", "Bearer "+key); a.status != http.StatusNoContent {
			t.Errorf("%+v", a)
		}
		if a := <-slow; a.status == http.StatusNoContent {
			t.Errorf("the part that came meanwhile: %+v", a)
		}
		_ = to.Close()
		if a := w.do("DELETE", "/files/"+id, nil, "Authorization", "Bearer "+key); a.status != http.StatusNotFound {
			t.Errorf("again: %+v", a)
		}
	}
	w.settles()
	id := w.upload("b", random(10))
	key, _ := w.begin(id, "b", 10)
	w.say(id)
	if a := w.do("DELETE", "/files/"+id, nil, "Authorization", "Bearer "+key); a.status != http.StatusConflict {
		t.Errorf("a message's file: %+v", a)
	}
	if a := w.do("GET", "/files/"+id, nil); a.status != http.StatusOK {
		t.Errorf("it is gone: %+v", a)
	}
}

// A file that was lost is said to be, once in a while, and check names it.
func TestMissingFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id, cut := w.upload("a.bin", random(10)), w.upload("b.bin", random(10))
	w.say(id)
	w.say(cut)
	if err := errors.Join(os.Remove(w.store.disk.path(id)), os.Truncate(w.store.disk.path(cut), 9)); err != nil {
		t.Fatal(err)
	}
	if a := w.do("GET", "/files/"+id, nil); a.status != 404 || !strings.Contains(a.body, "lost") {
		t.Errorf("%+v", a)
	}
	missing, n, err := Missing(w.dir, func(each func(chat.FileRow) error) error {
		return sqlitelog.FilesIn(t.Context(), filepath.Join(w.dir, sqlitelog.FileName), each)
	})
	if err != nil || n != 2 || len(missing) != 2 {
		t.Errorf("%d of %d are missing, %v", len(missing), n, err)
	}
}
