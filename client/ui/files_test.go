package ui

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"parley/client/picture/picturetest"
	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

// takesFiles is a server that takes files.
var takesFiles = session.Status{State: session.Connected, CanChange: true, CanSearch: true, MaxFile: 100_000_000}

// filesRoom enters a room on such a server.
func (w *world) filesRoom(items ...session.Item) *roomPage {
	w.t.Helper()
	p := w.ableRoom()
	for i, item := range items {
		if item.File != nil && item.File.Thumb {
			w.client.thumbs.keep(item.File.ID, scenery(item.File.Width, item.File.Height, i))
		}
	}
	p.conv.Apply(append([]session.Change{{Kind: session.StatusChanged, Status: takesFiles}}, uitest.Appended(items...)...))
	return p
}

// scenery is a picture with a horizon.
func scenery(w, h, n int) image.Image {
	k := max(w, h)
	w, h = max(w*480/k, 1), max(h*480/k, 1)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(120 + 100*y/h), uint8(160 + 60*y/h), 235, 255}
			if y > h/2+(x*(n+3)/5)%40 {
				c = color.RGBA{40, uint8(90 + 100*x/w), uint8(60 + 20*n), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func withFile(item session.Item, f session.File) session.Item {
	f.ID = fmt.Sprintf("%026s", item.ID)
	item.File = &f
	return item
}

func photo(name string, w, h int) session.File {
	return session.File{Name: name, Type: "image/jpeg", Size: 812_345, Width: w, Height: h, Thumb: true}
}

// fileItems are messages with files in every state.
func fileItems() []session.Item {
	sending := withFile(uitest.Own(9, ""), session.File{Name: "IMG_2.jpg", Size: 812_345, Width: 1920, Height: 2560, Thumb: true, Sent: 370_000})
	sending.Delivery = session.Pending
	waits := withFile(uitest.Own(10, "The list"), session.File{Name: "Groceries for the whole of the long weekend in the mountains.pdf", Size: 2_400_000})
	waits.Delivery = session.Pending
	half := withFile(uitest.Own(11, ""), session.File{Name: "Song.mp3", Size: 4_400_000, Sent: 3_100_000})
	half.Delivery = session.Pending
	failed := withFile(uitest.Own(12, ""), session.File{Name: "Film.mp4", Size: 99_000_000})
	failed.Delivery, failed.Code = session.Failed, session.CodeNoRoom
	answer := withFile(uitest.Said(4, "Cleo", "And this is what it looks like from the other side, in the evening"), photo("IMG_3.jpg", 2560, 1440))
	answer.Quote = &session.Quote{Offset: 2, User: "Bob", Text: "IMG_1.jpg"}
	answer.Reactions = []session.Reaction{{Emoji: "👍", Count: 3}}
	return []session.Item{
		withFile(uitest.Said(1, "Bob", ""), photo("IMG_1.jpg", 2560, 1920)),
		withFile(uitest.Own(2, "Here we are"), photo("IMG_4.jpg", 1440, 2560)),
		answer,
		withFile(uitest.Said(5, "Grace Hopper", ""), session.File{Name: "Programme.pdf", Type: "application/octet-stream", Size: 1_234_567}),
		withFile(uitest.Said(6, "Bob", ""), session.File{Name: "Voice.m4a", Type: "audio/mp4", Size: 345_678}),
		withFile(uitest.Said(7, "Bob", "gone"), session.File{Name: "Old.jpg", Type: "image/jpeg", Size: 345_678, Width: 640, Height: 480, Thumb: true, Gone: true}),
		sending, waits, half, failed,
	}
}

// picked puts files onto a sheet, as after the picker.
func (w *world) picked(p *roomPage, paths ...string) {
	w.t.Helper()
	uris := make([]fyne.URI, len(paths))
	for i, path := range paths {
		uris[i] = storage.NewFileURI(path)
	}
	p.dropped(uris)
	w.settle(func() bool { return p.sheet.ready() })
}

// file writes a file of a name and returns its path.
func (w *world) file(name string, data []byte) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func init() {
	scenes = append(scenes, []scene{
		{"files", func(w *world) { w.filesRoom(fileItems()[:6]...) }},
		{"files-sending", func(w *world) { w.filesRoom(fileItems()[6:]...) }},
		{"file-menu", func(w *world) {
			l := w.filesRoom(fileItems()[4:5]...).list
			l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(w.t, l, "Voice")})
		}},
		{"file-sheet", func(w *world) { w.picked(w.filesRoom(), w.file("IMG_1.jpg", picturetest.Photo(6, 640, 480))) }},
		{"file-sheet-several", func(w *world) {
			w.picked(w.filesRoom(), w.file("IMG_1.jpg", picturetest.Photo(6, 640, 480)), w.file("IMG_2.heic", []byte("heic")), w.file("Empty.txt", nil),
				w.file("Programme.pdf", make([]byte, 1_234_567)))
		}},
		{"file-whole", func(w *world) {
			items := fileItems()
			p := w.filesRoom(items...)
			showWhole(p, items[2])
			w.settle(func() bool { return p.whole.note.Text != lang.T("file.loading") })
		}},
	}...)
}

// With -shots, pictures of files as TestGoldens draws them.
func TestFilePictures(t *testing.T) {
	if *shots == "" {
		t.Skip("-shots names the folder")
	}
	for _, v := range views {
		for _, s := range scenes {
			if !strings.HasPrefix(s.name, "file") {
				continue
			}
			t.Run(s.name+"-"+v.name, func(t *testing.T) {
				w := newWorld(t, v.size, func(p prefs) { p.setLook(v.look); p.setPercent(v.percent); p.setLanguage(v.language) })
				s.show(w)
				f, err := os.Create(filepath.Join(*shots, s.name+"-"+v.name+".png"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := png.Encode(f, w.window.Canvas().Capture()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
}

// Thumbnails are kept up to a bound: those that were drawn longest ago go first.
func TestThumbsAreBounded(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	all := w.client.thumbs
	item := func(n int) session.Item { return withFile(uitest.Said(n, "Bob", ""), photo("a.jpg", 480, 480)) }
	first := item(0)
	for n := range 200 {
		all.keep(item(n).File.ID, image.NewRGBA(image.Rect(0, 0, 480, 480)))
		if all.of(thumbRequest{item: first}) == nil { // it is looked at all the time
			t.Fatalf("after %d others it is forgotten", n)
		}
	}
	if all.size > maxThumbs || all.size < maxThumbs*9/10 || all.order.Len() != len(all.images) {
		t.Errorf("%d thumbnails take %d bytes, and %d are in order", len(all.images), all.size, all.order.Len())
	}
}

// Files that a start of the app left behind are gone after the next one; nothing else is.
func TestLeftFilesGo(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.folder = t.TempDir()
	kept := filepath.Join(w.client.folder, "rooms.db")
	f, err := w.client.newFile("left.mp4")
	if err == nil {
		err = errors.Join(f.Close(), os.WriteFile(kept, []byte("x"), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.client.emptyFiles()
	if _, err := os.Stat(f.Name()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

// On a desktop Fyne asks for a file. Its panels lie in the window, and Escape closes
// them.
func TestSystemPickers(t *testing.T) {
	for name, show := range map[string]func(fyne.Window){
		"Send pictures and files": func(w fyne.Window) { systemPickers.open(w, func(fyne.URIReadCloser, error) {}) },
		"IMG_1.jpg":               func(w fyne.Window) { systemPickers.save(w, "IMG_1.jpg", func(fyne.URIWriteCloser, error) {}) },
	} {
		for _, size := range []fyne.Size{fyne.NewSize(900, 700), fyne.NewSize(500, 480)} {
			w := newWorld(t, size, nil)
			w.filesRoom()
			show(w.window)
			panel := w.window.Canvas().Overlays().Top()
			if panel == nil {
				t.Fatalf("nothing asks about %q", name)
			}
			for _, part := range []string{name, "Cancel"} {
				if at := uitest.Where(t, panel, part); at.X < 0 || at.Y < 0 || at.X > size.Width || at.Y > size.Height {
					t.Errorf("in %v, %q is at %v", size, part, at)
				}
			}
			w.client.back(false)
			if w.window.Canvas().Overlays().Top() != nil {
				t.Error("Escape does not close it")
			}
		}
	}
}

// What a host has set about files holds for the button, the menu and what is dropped.
func TestHostsForbidFiles(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.filesRoom()
	many := make([]fyne.URI, maxAttached+5)
	for i := range many {
		many[i] = storage.NewFileURI(w.file(fmt.Sprint(i, ".txt"), []byte("x")))
	}
	for who, says := range map[string]string{shared.WhoHosts: "Only hosts send files", shared.WhoNone: "No files can be sent"} {
		h := session.Hosting{Rules: session.Rules{Can: true, Settings: shared.Settings{Files: who}}}
		p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: h}})
		p.dropped(many)
		if s := uitest.Sentence(w.client.nav.toast); p.composer.Attach != nil || p.sheet != nil || !strings.Contains(s, says) {
			t.Errorf("%s: the button does something %v, a sheet %v, and it says %q", who, p.composer.Attach != nil, p.sheet != nil, s)
		}
	}
	p.conv.Apply([]session.Change{{Kind: session.HostingChanged}})
	p.dropped(many)
	if s := uitest.Sentence(w.client.nav.toast); p.composer.Attach == nil || p.sheet == nil || len(p.sheet.files) != maxAttached || !strings.Contains(s, "first 30 files") {
		t.Errorf("everyone: %q", s)
	}
	w.settle(p.sheet.ready)
}
