package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// What a person does with files that are in a room.

// piece is how much is read or written at once. On Android each costs a call into Java.
const piece = 256 << 10

// filesFolder is the part of the app's folder for files that are being picked, shown or
// opened. Each start empties it.
const filesFolder = "files"

// pickers ask the person for a file. Fyne calls back on any goroutine.
type pickers struct {
	open func(w fyne.Window, then func(fyne.URIReadCloser, error))
	save func(w fyne.Window, name string, then func(fyne.URIWriteCloser, error))
}

// systemPickers are Android's own, and Fyne's on a desktop.
var systemPickers = pickers{
	open: func(w fyne.Window, then func(fyne.URIReadCloser, error)) {
		d := dialog.NewFileOpen(then, w)
		if kit.IsPhone() {
			d.SetFilter(storage.NewMimeTypeFileFilter([]string{"*/*"}))
		}
		d.SetTitleText(lang.T("file.send"))
		d.SetConfirmText(lang.T("file.open"))
		showDialog(d, w)
	},
	save: func(w fyne.Window, name string, then func(fyne.URIWriteCloser, error)) {
		d := dialog.NewFileSave(then, w)
		d.SetFileName(name)
		if kit.IsPhone() {
			d.SetFilter(storage.NewMimeTypeFileFilter([]string{mimeOf(name)}))
		}
		d.SetTitleText(lang.T("file.save"))
		d.SetConfirmText(lang.T("file.save"))
		showDialog(d, w)
	},
}

// showDialog shows a dialog, on a desktop as large as the window. It has no size before.
func showDialog(d *dialog.FileDialog, w fyne.Window) {
	d.SetDismissText(lang.T("composer.cancel"))
	d.Show()
	if o := w.Canvas().Overlays().Top(); o != nil && !kit.IsPhone() {
		d.Resize(w.Canvas().Size().SubtractWidthHeight(8*kit.Unit, 8*kit.Unit))
		o.Refresh() // it is in the middle again
	}
}

// extensions are those of what the server calls pictures, sounds and films. A file that
// is opened has the one of its type, whatever its name says: the name comes from others,
// and a system may run what is called a program.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/avif": ".avif",
	"video/mp4": ".mp4", "video/webm": ".webm", "video/ogg": ".ogv",
	"audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/ogg": ".ogg", "audio/wav": ".wav",
}

// mimeOf is the type that Android saves a name as: with another one, it adds an ending.
func mimeOf(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	for kind, e := range extensions {
		if e == ext {
			return kind
		}
	}
	return "application/octet-stream"
}

// openable reports whether the system shows or plays a file when it is opened.
func openable(f *session.File) bool { return extensions[f.Type] != "" }

// openFile does what a tap on a message's file asks for.
func (p *roomPage) openFile(item session.Item) {
	switch f := item.File; {
	case f == nil:
	case f.Gone:
		p.client.Say(lang.T("file.gone.why"))
	case conversation.IsPicture(f):
		showWhole(p, item)
	case openable(f):
		p.client.play(p.conv.Session, item)
	default:
		p.client.save(p.conv.Session, item, nil)
	}
}

// fileActions are what can be done with a message's file.
func (p *roomPage) fileActions(item session.Item) (actions []kit.Action) {
	f := item.File
	if f == nil {
		return nil
	}
	c, room := p.client, p.conv.Session
	if item.Delivery == session.Pending {
		actions = append(actions, kit.Action{Icon: "close", Label: lang.T("file.cancel"), Do: func() { room.Delete(item.ID) }})
	}
	switch {
	case f.Gone:
		return actions
	case conversation.IsPicture(f):
		actions = append(actions, kit.Action{Icon: "image", Label: lang.T("file.show"), Do: func() { showWhole(p, item) }})
	case openable(f):
		actions = append(actions, kit.Action{Icon: "play", Label: lang.T("file.open"), Do: func() { c.play(room, item) }})
	}
	if item.Delivery == session.Sent {
		actions = append(actions, kit.Action{Icon: "save", Label: lang.T("file.save"), Do: func() { c.save(room, item, nil) }})
	}
	return actions
}

// emptyFiles forgets what the last run has left.
func (c *client) emptyFiles() {
	if err := os.RemoveAll(filepath.Join(c.folder, filesFolder)); err != nil {
		fyne.LogError("Files that were shown can't be removed", err)
	}
}

// newFile makes a file in a folder of its own, so that it can have any name.
func (c *client) newFile(name string) (*os.File, error) {
	dir := filepath.Join(c.folder, filesFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(own, name))
}

// removeFile removes what newFile has made.
func removeFile(path string) {
	if path != "" {
		_ = os.RemoveAll(filepath.Dir(path)) // the next start tries again
	}
}

// fetchFile reads a message's file into one of the app's folder. Without an error the
// caller removes it.
func (c *client) fetchFile(ctx context.Context, room *session.Room, item session.Item, name string, progress func(int64)) (path string, err error) {
	f, err := c.newFile(name)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, piece)
	if err = room.Fetch(ctx, item, w, progress); err == nil {
		err = w.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		removeFile(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// patient is how long something may take before a panel says how far it is.
const patient = 300 * time.Millisecond

// load fetches a message's file, with a panel that says how far it is and has a button
// to stop. then gets the path of a file that is its to remove.
func (c *client) load(room *session.Room, item session.Item, title, name string, then func(path string)) {
	ctx, cancel := context.WithCancel(c.bridge.Context)
	var panel *kit.Overlay
	over := false
	var got atomic.Int64
	far := kit.NewText("", kit.FontBody, kit.RoleMuted)
	say := func() {
		far.SetText(lang.T("file.sending", "done", conversation.Size(got.Load()), "size", conversation.Size(item.File.Size)))
	}
	c.bridge.Later(patient, func() {
		if over {
			return
		}
		say()
		panel = kit.ShowForm(c.window.Canvas(), title, kit.NewText(conversation.FileLabel(item.File), kit.FontSmall, kit.RoleMuted).Lines(2), far,
			kit.NewSecondary(lang.T("composer.cancel"), func() { panel.Close() }))
		panel.Closed = cancel
	})
	c.bridge.Run(ctx, func(ctx context.Context) func() {
		path, err := c.fetchFile(ctx, room, item, name, func(n int64) {
			got.Store(n)
			c.bridge.Wake(func() {
				if panel != nil && !over {
					say()
				}
			})
		})
		if ctx.Err() != nil {
			removeFile(path)
		}
		return func() {
			over = true
			cancel()
			if panel != nil {
				panel.Closed = nil
				panel.Close()
			}
			if err != nil {
				c.nav.Say(fetchProblem(err))
				return
			}
			then(path)
		}
	})
}

// fetchProblem says why a file can't be had.
func fetchProblem(err error) string {
	var p *session.Problem
	switch {
	case errors.Is(err, session.ErrFileGone):
		return lang.T("file.gone.why")
	case errors.As(err, &p):
		return lang.T("file.unreached")
	case errors.Is(err, session.ErrCut):
		return lang.T("file.cut")
	}
	return lang.T("file.unsaved")
}

// play lets the system open a sound, a film or a picture. On a phone another app can read
// it only where the person has saved it.
func (c *client) play(room *session.Room, item session.Item) {
	if kit.IsPhone() {
		c.save(room, item, func(at fyne.URI) {
			if !c.system.open(at.String(), item.File.Type) {
				c.nav.Say(lang.T("file.unopened.saved"))
			}
		})
		return
	}
	c.load(room, item, lang.T("file.opening"), playedName(item.File), func(path string) { // the next start removes it
		if err := c.app.OpenURL(fileURL(path)); err != nil {
			c.nav.Say(lang.T("file.unopened"))
		}
	})
}

// playedName is the name of a file that the system opens.
func playedName(f *session.File) string {
	name := shared.SavedName(f.Name)
	return strings.TrimSuffix(name, filepath.Ext(name)) + extensions[f.Type]
}

// fileURL is the address of a file of this device.
func fileURL(path string) *url.URL {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	return &url.URL{Scheme: "file", Path: path}
}

// save fetches a message's file and asks where it is to go: in this order, because
// asking may empty what is there. saved, if not nil, is told where it is then.
func (c *client) save(room *session.Room, item session.Item, saved func(at fyne.URI)) {
	c.load(room, item, lang.T("file.saving"), "part", func(path string) {
		c.saveAs(item.File, path, func(at fyne.URI) {
			removeFile(path)
			if at != nil && saved != nil {
				saved(at)
			}
		})
	})
}

// saveAs asks where a file that was fetched is to go, and puts it there. At the end, done
// is told where it is; nil if it is not.
func (c *client) saveAs(f *session.File, path string, done func(at fyne.URI)) {
	name := shared.SavedName(f.Name)
	c.pickers.save(c.window, name, func(w fyne.URIWriteCloser, err error) {
		if w == nil {
			c.bridge.Post(func() {
				done(nil)
				if err != nil {
					c.nav.Say(lang.T("file.unsaved"))
				}
			})
			return
		}
		c.bridge.Run(c.bridge.Context, func(context.Context) func() {
			err := copyOut(w, path, f.Size)
			return func() {
				if err != nil {
					done(nil)
					fyne.LogError("A file could not be saved", err)
					c.nav.Say(lang.T("file.unsaved"))
					return
				}
				c.nav.Say(lang.T("file.saved", "name", conversation.FileLabel(&session.File{Name: w.URI().Name()})))
				done(w.URI())
			}
		})
	})
}

// copyOut writes a file to where the person wants it, and reads it again: Fyne does not
// tell on Android if a write fails.
func copyOut(w fyne.URIWriteCloser, path string, size int64) error {
	err := func() error {
		f, err := os.Open(path)
		if err != nil {
			_ = w.Close()
			return err
		}
		defer f.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, make([]byte, piece))
		return errors.Join(err, w.Close())
	}()
	if err == nil {
		err = checkSize(w.URI(), size)
	}
	if err != nil && w.URI().Scheme() == "file" {
		err = errors.Join(err, storage.Delete(w.URI())) // half a file looks like a whole one
	}
	return err
}

func checkSize(at fyne.URI, size int64) error {
	r, err := storage.Reader(at)
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, piece))
	if err = errors.Join(err, r.Close()); err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes are there", n, size)
	}
	return err
}
