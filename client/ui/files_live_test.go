//go:build !android

package ui

import (
	"bytes"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/storage"

	"parley/client/picture/picturetest"
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
	"parley/shared/servertest"
)

// filesLife is a start of the app in a room of a server that takes files.
func filesLife(t *testing.T, dir, address string) (*world, *roomPage) {
	t.Helper()
	w := life(t, dir, address)
	w.client.folder = dir
	w.client.enter("Lobby")
	p := w.page()
	w.settle(func() bool { return p.conv.Status.State == session.Connected && p.canAttach() })
	return w, p
}

// pick answers the next question for a file.
func (w *world) pick(path string) {
	w.client.pickers.open = func(_ fyne.Window, then func(fyne.URIReadCloser, error)) {
		if path == "" {
			then(nil, nil)
			return
		}
		then(storage.Reader(storage.NewFileURI(path)))
	}
}

// saveTo answers the next question where a file is to go, and keeps the name that was
// proposed.
func (w *world) saveTo(path string) (proposed *string) {
	proposed = new(string)
	w.client.pickers.save = func(_ fyne.Window, name string, then func(fyne.URIWriteCloser, error)) {
		*proposed = name
		then(storage.Writer(storage.NewFileURI(path)))
	}
	return proposed
}

func (w *world) read(path string) []byte {
	w.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// sentFile waits until the last message is one with a file that is in the room.
func (w *world) sentFile(p *roomPage) (item session.Item) {
	w.t.Helper()
	w.settle(func() bool {
		item, _ = p.conv.Last()
		return item.File != nil && item.Delivery == session.Sent && item.File.Type != ""
	})
	return item
}

// said is the sentence that is shown for a while.
func (w *world) said() string { return uitest.Sentence(w.client.nav.toast) }

// thumbAt is the middle of the first thumbnail in a list.
func thumbAt(t *testing.T, o fyne.CanvasObject) (at fyne.Position) {
	t.Helper()
	found := false
	uitest.Walk(o, func(v uitest.Seen) {
		if img, ok := v.Object.(*canvas.Image); ok && img.Image != nil && !found {
			at, found = v.At.AddXY(img.Size().Width/2, img.Size().Height/2), true
		}
	})
	if !found {
		t.Fatal("no thumbnail is shown")
	}
	return at
}

// left are the files that the app has left in its folder.
func (w *world) left() (paths []string) {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.client.folder, filesFolder, "*", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	return paths
}

// A photo is in the room after it was picked and one more tap: upright, and without
// what the camera noted. Others see it, whole too, and can save it.
func TestSendingAPhoto(t *testing.T) {
	s := servertest.Start(t)
	w, p := filesLife(t, t.TempDir(), s.Addr())
	bob := s.Join("Lobby", "Bob")

	w.pick(w.file("IMG_1.jpeg", picturetest.Photo(6, 1200, 800)))
	p.composer.Attach()
	w.settle(func() bool { return p.sheet != nil && p.sheet.ready() })
	p.sheet.caption.SetText("At the gate")
	tapAction(t, w, lang.T("file.go"))
	item := w.sentFile(p)
	f := item.File
	if item.Text != "At the gate" || f.Name != "IMG_1.jpg" || f.Type != "image/jpeg" || f.Width != 1200 || f.Height != 800 || !f.Thumb {
		t.Errorf("the message is %q with %+v", item.Text, f)
	}
	if w.window.Canvas().Overlays().Top() != nil || p.composer.Entry.Text != "" {
		t.Errorf("the sheet is still there, or %q is left to send", p.composer.Entry.Text)
	}
	got := bob.Next(shared.TypeChat)
	status, body := s.Get("/files/" + got.File.ID)
	img, _, err := image.Decode(strings.NewReader(body))
	if status != 200 || err != nil || picturetest.Wrong(img) != "" || strings.Contains(body, "GPS") || strings.Contains(body, "Exif") {
		t.Errorf("Bob gets %d, %d bytes, %v", status, len(body), err)
	}

	// Its row gets the thumbnail, and nothing moves.
	p.list.Redraw(f.ID)
	at := p.list.InSight()
	w.settle(func() bool { return w.client.thumbs.images[f.ID] != nil })
	if now := p.list.InSight(); len(at) == 0 || now[item.ID] != at[item.ID] {
		t.Errorf("the row was at %v and is at %v", at, now)
	}

	// A tap shows it whole.
	p.list.Tapped(&fyne.PointEvent{Position: thumbAt(t, p.list)})
	if p.whole == nil {
		t.Fatal("a tap does not show the picture")
	}
	w.settle(func() bool { return p.whole.path != "" })
	if b := p.whole.image.Image.Bounds(); b.Dx() != 1200 || picturetest.Wrong(p.whole.image.Image) != "" || p.whole.note.Visible() {
		t.Errorf("it is %v, and says %q", b, p.whole.note.Text)
	}

	// It is saved as it came, under a name that any system takes.
	to := filepath.Join(t.TempDir(), "saved.jpg")
	proposed := w.saveTo(to)
	p.whole.save()
	w.settle(func() bool { return strings.Contains(w.said(), "saved.jpg") })
	if *proposed != "IMG_1.jpg" || string(w.read(to)) != body {
		t.Errorf("saved as %q", *proposed)
	}
	w.client.back(true)
	if w.window.Canvas().Overlays().Top() != nil || len(w.left()) != 0 {
		t.Errorf("left are %q", w.left())
	}
}

// An answer may have a file: what was typed of it is the caption.
func TestAnsweringWithAFile(t *testing.T) {
	s := servertest.Start(t)
	w, p := filesLife(t, t.TempDir(), s.Addr())
	bob := s.Join("Lobby", "Bob")
	bob.Say("Which one?")
	var asked session.Item
	w.settle(func() bool {
		asked, _ = p.conv.Last()
		return asked.Text == "Which one?"
	})
	p.begin(&conversation.Task{Of: asked})
	p.composer.Entry.SetText("this one")
	w.picked(p, w.file("one.txt", []byte("one")))
	if p.sheet.caption.Text != "this one" {
		t.Errorf("the caption begins with %q", p.sheet.caption.Text)
	}
	tapAction(t, w, lang.T("file.go"))
	item := w.sentFile(p)
	if item.Quote == nil || item.Quote.Offset != asked.Offset || item.Text != "this one" || p.composer.Task() != nil {
		t.Errorf("sent is %+v with the quote %+v; the composer is about %+v", item, item.Quote, p.composer.Task())
	}
}

// What is sent as it is arrives as it is, byte for byte; what is no picture, too.
func TestSendingAsItIs(t *testing.T) {
	s := servertest.Start(t)
	w, p := filesLife(t, t.TempDir(), s.Addr())
	photo := picturetest.Photo(8, 300, 200)
	plan := bytes.Repeat([]byte("a plan\n"), 100_000)
	w.picked(p, w.file("IMG_1.jpg", photo), w.file("Plan.txt", plan), w.file("Empty.txt", nil), t.TempDir())
	sheet := uitest.Sentence(w.window.Canvas().Overlays().Top())
	if strings.Count(sheet, "is empty, or a folder") != 2 || strings.Contains(sheet, "may be inside") {
		t.Errorf("the sheet says %q", sheet)
	}
	p.sheet.toggle.Tapped(nil)
	if s := uitest.Sentence(w.window.Canvas().Overlays().Top()); !strings.Contains(s, "may be inside") {
		t.Errorf("as it is, the sheet says %q", s)
	}
	tapAction(t, w, lang.T("file.go"))
	var items []session.Item
	w.settle(func() bool {
		items = nil
		for i := range p.conv.Timeline.Len() {
			if item := p.conv.Timeline.Item(i); item.File != nil && item.Delivery == session.Sent {
				items = append(items, item)
			}
		}
		return len(items) == 2
	})
	for i, want := range []struct {
		name string
		data []byte
	}{{"IMG_1.jpg", photo}, {"Plan.txt", plan}} {
		_, body := s.Get("/files/" + items[i].File.ID)
		if items[i].File.Name != want.name || body != string(want.data) {
			t.Errorf("%q arrives with %d bytes of %d", items[i].File.Name, len(body), len(want.data))
		}
	}
	if f := items[0].File; f.Width != 300 || f.Height != 200 {
		t.Errorf("as it is shown it is %d×%d", f.Width, f.Height)
	}
	// What can't be sent stays on the sheet, with the reason.
	if len(p.sheet.files) != 2 || p.sheet.send.Visible() {
		t.Errorf("%d files are left on the sheet", len(p.sheet.files))
	}
	w.client.back(true)

	// A tap on what the app does not show saves it.
	to := filepath.Join(t.TempDir(), "Plan.txt")
	w.saveTo(to)
	p.openFile(items[1])
	w.settle(func() bool { return strings.Contains(w.said(), "Plan.txt") })
	if !bytes.Equal(w.read(to), plan) {
		t.Error("what was saved is not what was sent")
	}
}

// A deleted message's picture is not shown, and says so. So does one that is larger
// than it said.
func TestGoneFiles(t *testing.T) {
	s := servertest.Start(t)
	w, p := filesLife(t, t.TempDir(), s.Addr())
	w.picked(p, w.file("Plan.txt", []byte("a plan")))
	tapAction(t, w, lang.T("file.go"))
	item := w.sentFile(p)
	p.conv.Session.Delete(item.ID)
	w.settle(func() bool { now, ok := p.conv.Timeline.Message(item.ID); return ok && now.Deleted })
	for status := http.StatusOK; status == http.StatusOK; { // it is shown at once, before the server knows
		status, _ = s.Get("/files/" + item.File.ID)
	}
	w.client.save(p.conv.Session, item, nil)
	w.settle(func() bool { return w.said() == lang.T("file.gone.why") })
	if len(w.left()) != 0 {
		t.Errorf("left are %q", w.left())
	}
}

// What is too large for the server is said before it is sent, and takes nothing with it.
func TestTooLargeFile(t *testing.T) {
	s := servertest.Start(t, "--max-file", "1MB")
	w, p := filesLife(t, t.TempDir(), s.Addr())
	w.picked(p, w.file("Film.mp4", make([]byte, 3_000_000)))
	if s := uitest.Sentence(w.window.Canvas().Overlays().Top()); !strings.Contains(s, "Film.mp4 has 3.0 MB") || p.sheet.send.Visible() {
		t.Errorf("the sheet says %q", s)
	}
	p.sheet.caption.SetText("what I wrote")
	w.client.back(true)
	if p.composer.Entry.Text != "what I wrote" {
		t.Errorf("the composer has %q", p.composer.Entry.Text)
	}
}

// A file that waits can be taken back, and leaves nothing behind.
func TestCancellingAFile(t *testing.T) {
	s := servertest.Start(t)
	w, p := filesLife(t, t.TempDir(), s.Addr())
	s.Stop()
	w.settle(func() bool { return p.conv.Status.State != session.Connected })
	w.picked(p, w.file("Plan.txt", []byte("a plan")))
	tapAction(t, w, lang.T("file.go"))
	w.settle(func() bool { return p.conv.Timeline.Len() == 1 && w.window.Canvas().Overlays().Top() == nil })
	if s := uitest.Sentence(p.list); !strings.Contains(s, "Plan.txt Waits · 6 B") {
		t.Errorf("the row says %q", s)
	}
	p.list.Tapped(&fyne.PointEvent{Position: uitest.Where(t, p.list, "Plan.txt").SubtractXY(60, 0)})
	w.settle(func() bool { return p.conv.Timeline.Len() == 0 })
	if len(w.left()) != 0 {
		t.Errorf("left are %q", w.left())
	}
}

// A name comes from others. What the system opens has the extension of what is in it, and
// no folder.
func TestPlayedName(t *testing.T) {
	for name, want := range map[string]string{
		"Song.mp3": "Song.mp3", "run.exe": "run.mp3", "a.mp3.bat": "a.mp3.mp3", "../../etc/passwd": "passwd.mp3", "CON": "_CON.mp3", "x.desktop": "x.mp3", "": "file.mp3",
	} {
		if got := playedName(&session.File{Name: name, Type: "audio/mpeg"}); got != want {
			t.Errorf("%q is opened as %q, want %q", name, got, want)
		}
	}
	for _, kind := range []string{"", "application/octet-stream", "text/html", "image/svg+xml", "application/pdf"} {
		if openable(&session.File{Type: kind}) {
			t.Errorf("%q is opened", kind)
		}
	}
}

// lossy loses half of what is written to it, and does not say so, as Fyne on Android
// when the disk is full.
type lossy struct{ fyne.URIWriteCloser }

func (w lossy) Write(p []byte) (int, error) {
	_, err := w.URIWriteCloser.Write(p[:len(p)/2])
	return len(p), err
}

// What was saved is read again: half a file is none.
func TestSavingIsChecked(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	from, to := w.file("whole", data), storage.NewFileURI(filepath.Join(t.TempDir(), "saved"))
	for _, loses := range []bool{false, true} {
		out, err := storage.Writer(to)
		if err != nil {
			t.Fatal(err)
		}
		if loses {
			out = lossy{out}
		}
		err = copyOut(out, from, int64(len(data)))
		if (err != nil) != loses {
			t.Errorf("loses %v: %v", loses, err)
		}
		if _, err := os.Stat(to.Path()); (err != nil) != loses {
			t.Errorf("loses %v: afterwards %v", loses, err)
		}
	}
}
