package ui

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/storage"

	"parley/client/picture"
	"parley/client/session"
	"parley/shared"
)

// attachment is a file that the person wants to send.
type attachment struct {
	id       string // of the session.DraftFile
	name     string
	from     string // its path, if it is a file of the system
	path     string // where it can be read; "" until it is known
	own      bool   // the path is a copy of ours that does not outlive the app
	kept     int64  // bytes of a copy that does
	size     int64
	prepared picture.Prepared
	ready    bool
	problem  error // why it can't be sent; nil if it can
	preview  *canvas.Image
}

// outgoing is what of it leaves the device.
func (a *attachment) outgoing(asItIs bool) (p picture.Prepared, size int64) {
	p = a.prepared
	if asItIs {
		p = p.AsItIs()
	}
	if p.Data != nil {
		return p, int64(len(p.Data))
	}
	return p, a.size
}

// source is a file that was picked, or dropped, or was on the sheet when the app ended.
type source struct {
	uri    fyne.URI      // nil: kept is a copy
	reader io.ReadCloser // nil: it has yet to be opened
	kept   session.DraftFile
}

// sourceOf is a file that was on the sheet.
func sourceOf(f session.DraftFile) source {
	if f.Path != "" {
		return source{uri: storage.NewFileURI(f.Path), kept: f}
	}
	return source{kept: f}
}

// name is the file's name, which may come from another app.
func (s source) name() string {
	if s.uri == nil || s.kept.Name != "" {
		return shared.FileName(s.kept.Name)
	}
	return shared.FileName(s.uri.Name())
}

// path is where a file of the system is; "" of any other.
func (s source) path() string {
	if s.uri != nil && s.uri.Scheme() == "file" {
		return s.uri.Path()
	}
	return ""
}

func newAttachment(from source) *attachment {
	return &attachment{id: from.kept.ID, name: from.name(), from: from.path(), kept: from.kept.Size}
}

// draft is what is kept of it until it is sent.
func (a *attachment) draft() session.DraftFile {
	return session.DraftFile{ID: a.id, Name: a.name, Path: a.from, Size: a.kept}
}

// tells reports whether the file may say where and when it was made, and can't be
// sent without that.
func (a *attachment) tells() bool {
	switch a.prepared.Why {
	case picture.TooLarge, picture.Unreadable, picture.Moving:
		return true
	case picture.NoPicture:
		return telling[strings.ToLower(filepath.Ext(a.name))]
	}
	return false
}

// telling are the extensions of pictures and films that Parley does not read.
var telling = map[string]bool{
	".heic": true, ".heif": true, ".avif": true, ".tif": true, ".tiff": true, ".dng": true, ".raw": true, ".cr2": true, ".nef": true, ".arw": true,
	".mp4": true, ".mov": true, ".m4v": true, ".3gp": true, ".webm": true, ".mkv": true, ".avi": true,
}

func (a *attachment) remove() {
	if a.own {
		removeFile(a.path)
	}
}

// abandon removes a copy that was made for a sheet which does not want it any more.
func (c *client) abandon(a *attachment) {
	if a.remove(); a.kept > 0 {
		c.store.Files().Drop(a.id)
	}
}

// prepareFile reads a file, which may take a while.
func (c *client) prepareFile(ctx context.Context, from source, most int64) *attachment {
	a := newAttachment(from)
	a.ready = true
	if a.problem = a.find(ctx, c, from, most); a.problem == nil {
		a.problem = a.prepare()
	}
	return a
}

func (a *attachment) prepare() error {
	switch info, err := os.Stat(a.path); {
	case err != nil:
		return err
	case info.Size() == 0 || !info.Mode().IsRegular(): // of a pipe, nothing might ever come
		return session.ErrEmptyFile
	default:
		a.size = info.Size()
	}
	f, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer f.Close()
	a.prepared, err = picture.Prepare(f, a.name, false)
	return err
}

// find sets the path of the file. What is no file of the system, as on Android, is
// copied: each read of it costs a call into Java, and the permission to read it ends
// with the app.
func (a *attachment) find(ctx context.Context, c *client, from source, most int64) error {
	r := from.reader
	if a.path = a.from; a.path != "" {
		if r != nil {
			return r.Close()
		}
		return nil
	}
	if from.uri == nil {
		return a.findCopy(c)
	}
	if r == nil {
		var err error
		if r, err = storage.Reader(from.uri); err != nil {
			return err
		}
	}
	defer r.Close()
	most = max(most, picture.MaxPixels)
	if c.store != nil {
		size, err := c.store.Files().Keep(a.id, endingReader{ctx, r}, most)
		if errors.Is(err, session.ErrFileTooLarge) {
			a.size = most + 1
		}
		if err != nil {
			return err
		}
		a.kept = size
		return a.findCopy(c)
	}
	f, err := c.newFile("picked")
	if err != nil {
		return err
	}
	a.path, a.own = f.Name(), true
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{io.LimitReader(endingReader{ctx, r}, most+1)}, make([]byte, piece))
	return errors.Join(err, f.Close())
}

// findCopy sets the path of a copy, if it is there and whole.
func (a *attachment) findCopy(c *client) error {
	if c.store == nil {
		return fs.ErrNotExist
	}
	f, err := c.store.Files().Copy(a.id)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	switch err := errors.Join(err, f.Close()); {
	case err != nil:
		return err
	case a.kept != info.Size(): // the app ended while it was copied
		return io.ErrUnexpectedEOF
	}
	a.path = f.Name()
	return nil
}

// endingReader ends with its context.
type endingReader struct {
	ctx context.Context
	r   io.Reader
}

func (r endingReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
