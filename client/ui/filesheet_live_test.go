//go:build !android

package ui

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"parley/client/picture/picturetest"
	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
	"parley/shared/servertest"
)

// fromAnApp is a file that another app hands over, and that can be read once.
type fromAnApp struct {
	io.ReadCloser
	uri fyne.URI
}

func (f fromAnApp) URI() fyne.URI { return f.uri }

// copies are the copies of files that the app keeps.
func copies(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "rooms.db.files", "copies"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Files that were chosen are on the sheet again after the app has ended, with the caption
// and as they were to go. One that can't be read any more says so, and is not sent.
func TestChosenFilesOutliveTheApp(t *testing.T) {
	s := servertest.Start(t)
	dir := t.TempDir()
	w, p := filesLife(t, dir, s.Addr())
	bob := s.Join("Lobby", "Bob")
	reopen := func() string {
		t.Helper()
		w.end()
		w, p = filesLife(t, dir, s.Addr())
		w.settle(func() bool { return p.sheet != nil && p.sheet.ready() })
		return uitest.Sentence(w.window.Canvas().Overlays().Top())
	}
	photo, plan := w.file("IMG_1.jpg", picturetest.Photo(8, 300, 200)), w.file("Plan.txt", []byte("a plan"))
	p.composer.Entry.SetText("at")
	w.picked(p, photo, plan)
	p.sheet.caption.SetText("at the gate")
	p.sheet.toggle.Tapped(nil)
	if err := os.Remove(plan); err != nil {
		t.Fatal(err)
	}
	sheet := reopen()
	if !strings.Contains(sheet, "IMG_1.jpg") || !strings.Contains(sheet, "Plan.txt can’t be read. Choose it again.") || !strings.Contains(sheet, lang.T("file.asis.why")) {
		t.Errorf("the sheet says %q", sheet)
	}
	if p.sheet.caption.Text != "at the gate" || p.conv.Session.Draft() != "at" || len(copies(t, dir)) != 0 {
		t.Errorf("the caption is %q, the draft %q; copies are %q", p.sheet.caption.Text, p.conv.Session.Draft(), copies(t, dir))
	}
	if p.sheet.caption.CursorColumn != len("at the gate") || p.composer.Entry.Focused {
		t.Errorf("the caret is at %d, and in the composer: %v", p.sheet.caption.CursorColumn, p.composer.Entry.Focused)
	}
	tapAction(t, w, lang.T("file.go"))
	item := w.sentFile(p)
	if got := bob.Next(shared.TypeChat); got.File.Name != "IMG_1.jpg" || item.Text != "at the gate" {
		t.Errorf("sent is %+v, with %q", got.File, item.Text)
	}

	// What is left is what was not sent. Once it is cancelled, nothing is.
	sheet = reopen()
	if strings.Contains(sheet, "IMG_1.jpg") || !strings.Contains(sheet, "Plan.txt") || p.sheet.caption.Text != "" {
		t.Errorf("the sheet says %q", sheet)
	}
	tapAction(t, w, lang.T("composer.cancel"))
	w.end()
	w, p = filesLife(t, dir, s.Addr())
	if p.sheet != nil {
		t.Errorf("files that were sent or cancelled are on the sheet: %+v", p.conv.Session.DraftFiles())
	}
}

// A file of another app is kept as a copy, because it can't be read again. The copy goes
// when the file is sent, or cancelled.
func TestChosenFilesOfAnotherApp(t *testing.T) {
	s := servertest.Start(t)
	dir := t.TempDir()
	w, p := filesLife(t, dir, s.Addr())
	data := bytes.Repeat([]byte("a plan\n"), 100_000)
	choose := func() {
		t.Helper()
		uri, err := storage.ParseURI("content://files/Plan.txt")
		if err != nil {
			t.Fatal(err)
		}
		w.client.pickers.open = func(_ fyne.Window, then func(fyne.URIReadCloser, error)) {
			then(fromAnApp{io.NopCloser(bytes.NewReader(data)), uri}, nil)
		}
		p.composer.Attach()
		w.settle(func() bool { return p.sheet != nil && p.sheet.ready() })
	}
	reopen := func() {
		t.Helper()
		w.end()
		w, p = filesLife(t, dir, s.Addr())
		w.settle(func() bool { return p.sheet != nil && p.sheet.ready() })
	}
	choose()
	reopen()
	if c := copies(t, dir); len(c) != 1 || len(w.left()) != 0 {
		t.Fatalf("kept are %q and %q", c, w.left())
	}
	tapAction(t, w, lang.T("file.go"))
	f := w.sentFile(p).File
	if _, body := s.Get("/files/" + f.ID); body != string(data) {
		t.Errorf("%d bytes arrive, not %d", len(body), len(data))
	}
	w.settle(func() bool { return len(copies(t, dir)) == 0 })

	choose()
	tapAction(t, w, lang.T("composer.cancel"))
	w.end()
	if c := copies(t, dir); len(c) != 0 {
		t.Errorf("cancelled, %q is kept", c)
	}

	// A sheet is closed while a file of it is on its way. What comes of that is nothing to
	// the next sheet.
	w, p = filesLife(t, dir, s.Addr())
	for _, err := range []error{nil, io.ErrUnexpectedEOF} {
		choose()
		first, sent := p.sheet, p.sheet.files[0]
		first.sending = true
		first.overlay.Close()
		choose()
		p.sheet.caption.SetText("the new plan")
		if first.sending = false; err == nil {
			first.sent(0, sent)
		} else {
			first.refused(sent, err)
		}
		if kept := p.conv.Session.DraftFiles(); len(kept.Files) != 1 || !kept.Has(p.sheet.files[0].id) || kept.Caption != "the new plan" {
			t.Errorf("after %v, kept is %+v", err, kept)
		}
		tapAction(t, w, lang.T("composer.cancel"))
	}
	w.end()
	if c := copies(t, dir); len(c) != 0 {
		t.Errorf("%q is kept", c)
	}

	// The app ends while a file is copied.
	w, p = filesLife(t, dir, s.Addr())
	p.conv.Session.SetDraftFiles(session.DraftFiles{Files: []session.DraftFile{{ID: "half", Name: "Half.txt"}}})
	if size, err := w.client.store.Files().Keep("half", strings.NewReader("half"), 100); size != 4 || err != nil {
		t.Fatal(err)
	}
	reopen()
	if sheet := uitest.Sentence(w.window.Canvas().Overlays().Top()); !strings.Contains(sheet, "Half.txt can’t be read. Choose it again.") {
		t.Errorf("the sheet says %q", sheet)
	}
	tapAction(t, w, lang.T("composer.cancel"))
	w.settle(func() bool { return !slices.Contains(copies(t, dir), "half") })
	if said := fmt.Sprint(p.conv.Session.DraftFiles()); said != fmt.Sprint(session.DraftFiles{}) {
		t.Errorf("%s is kept", said)
	}
}
