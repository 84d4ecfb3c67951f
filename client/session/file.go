package session

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"parley/shared"
)

// What SendFile and the reading of files refuse.
var (
	ErrNoFiles      = errors.New("the server takes no files")
	ErrFileTooLarge = errors.New("the file is larger than the server takes")
	ErrEmptyFile    = errors.New("the file is empty")
	ErrNoSpace      = errors.New("this device has no space left")
	ErrNoStore      = errors.New("this device can't keep files just now")
	ErrFileGone     = errors.New("the file is not kept any more")
	ErrCut          = errors.New("the file did not come whole")
)

// Why a file can't be sent, beyond what a server says: see Item.Code.
const (
	CodeNoRoom shared.ErrorCode = "no_room" // the server has no space left for it
	CodeNoCopy shared.ErrorCode = "no_copy" // this device's copy of it is gone, or damaged
)

// File is a file that a message has. Name and Type come from the network: show them as
// text only.
type File struct {
	ID     string `json:"id"`               // at the server
	Name   string `json:"name"`             // as shared.FileName makes it; save it by shared.SavedName
	Type   string `json:"type,omitempty"`   // what the server found in it, such as image/jpeg; "" until it is Sent
	Size   int64  `json:"size"`             // in bytes
	Width  int    `json:"width,omitempty"`  // of a picture, in pixels as it is shown; 0 if its sender did not tell
	Height int    `json:"height,omitempty"` // the same
	Thumb  bool   `json:"thumb,omitempty"`  // it has a thumbnail
	Gone   bool   `json:"gone,omitempty"`   // the server keeps the bytes no longer
	Sent   int64  `json:"sent,omitempty"`   // while it is Pending: how many bytes the server has
}

// Attachment is a file to send.
type Attachment struct {
	Name          string    // as it is called on this device
	From          io.Reader // its bytes; SendFile reads them once
	Width, Height int       // of a picture, in pixels as it is shown; 0 if they are not known
	Draft         string    // the ID of the DraftFile that this is, which is none any more once the row is kept; "" if it is none
	Thumb         []byte    // a JPEG of at most shared.MaxThumb bytes and shared.MaxThumbSide pixels; none if it is empty
}

// SendFile puts a file with a caption into the outbox, as SendReply does a text; reply
// may be "", and the caption blank. It copies the file into the store before it returns,
// so that neither the end of the app nor that of a permission to read loses it, and takes
// as long as that takes. After an error there is neither a row nor a copy: it refuses
// with ErrTooLong (a caption over shared.MaxCaption code points), ErrNoFiles,
// ErrFileTooLarge (over Status.MaxFile), ErrEmptyFile, ErrNoSpace, ErrNoStore, ErrClosed,
// or returns what ctx, the file or the system says.
//
// The row shows how much has been sent, and goes on where it stood after the connection,
// the app or the server ended. What is written later does not wait for it, but for answers
// to it. Delete takes it back also while it is being sent.
func (r *Room) SendFile(ctx context.Context, a Attachment, caption, reply string) (Item, error) {
	caption = strings.ToValidUTF8(caption, "\ufffd")
	if shared.Blank(caption) {
		caption = ""
	}
	if utf8.RuneCountInString(caption) > shared.MaxCaption {
		return Item{}, ErrTooLong
	}
	most := r.mostFile()
	files := r.config.files()
	switch {
	case most == 0:
		return Item{}, ErrNoFiles
	case files == nil:
		return Item{}, ErrNoStore
	}
	id := newFileID()
	size, err := files.Keep(id, untilDone{ctx, a.From}, most)
	if err == nil && size == 0 {
		err = ErrEmptyFile
	}
	thumb := err == nil && len(a.Thumb) > 0 && len(a.Thumb) <= shared.MaxThumb
	if thumb {
		_, err = files.Keep(thumbOf(id), strings.NewReader(string(a.Thumb)), shared.MaxThumb)
	}
	if err != nil {
		drop(files, id)
		return Item{}, err
	}
	f := &File{ID: id, Name: shared.FileName(a.Name), Size: size, Width: a.Width, Height: a.Height, Thumb: thumb}
	if min(f.Width, f.Height) <= 0 || max(f.Width, f.Height) > shared.MaxFileSide {
		f.Width, f.Height = 0, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		drop(files, id)
		return Item{}, ErrClosed
	}
	item := Item{
		ID: r.newID(), User: r.config.User, Text: caption, File: f, Time: now(r.config.Clock), Mine: true, Delivery: Pending, copy: id,
	}
	r.endTask(Task{Row: reply})
	if a.Draft != "" {
		r.files = r.files.without(a.Draft)
	}
	chosen := r.files
	r.post(func(l *loop) {
		l.timeline.pend(item, reply)
		l.endTask(Task{Row: reply})
		if a.Draft != "" {
			l.setDraftFiles(chosen)
		}
	})
	return item, nil
}

// newFileID draws the id of a file, which is also its address: 130 random bits.
func newFileID() string { return strings.ToLower(rand.Text()) }

// mostFile is how many bytes a file has at most; 0 if none can be sent.
func (r *Room) mostFile() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.maxFile
}

func (r *Room) limitFile(limit int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.maxFile = limit
}

// files is what keeps files; nil if nothing does.
func (c *Config) files() Files {
	if c.Store == nil {
		return nil
	}
	return c.Store.Files()
}

// thumbOf is the name of the copy of a copy's thumbnail.
func thumbOf(copy string) string { return copy + ThumbSuffix }

// drop removes a copy with its thumbnail.
func drop(files Files, copy string) {
	files.Drop(copy)
	files.Drop(thumbOf(copy))
}

// untilDone reads until its context ends.
type untilDone struct {
	ctx  context.Context
	from io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
