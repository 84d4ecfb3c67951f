package chat

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"parley/shared"
)

// File is a file that a message has, as the log knows it.
type File struct {
	ID            string // see shared.CheckFileID
	Name          string // as shared.FileName makes it
	Type          string // what was found in the content; "" until it is whole
	Size          int64  // bytes
	Width, Height int    // of a picture, as its sender says; 0 if they did not
	Thumb         bool   // there is a thumbnail
	Gone          bool   // its bytes are kept no longer
}

// FileState says how much of a file there is. A log keeps the number.
type FileState uint8

// The states.
const (
	FileIncomplete FileState = iota // its bytes are on their way
	FileWhole                       // all of them are there
	FileGone                        // they were deleted, its message was not
)

// FileRow is what a log keeps of a file.
type FileRow struct {
	File
	Room   string // the room's key
	Device string // the sender's device, as the log knows it
	Source int64  // stands for the address that it was begun from; 0 if addresses are not told apart
	Offset int64  // of the message that has the file; 0 as long as none has it
	State  FileState
	Made   time.Time // when its upload began, or was asked for again
}

// FileOverhead is how many bytes of the disk a file takes beyond its own, at most: its
// thumbnail, and what is left of its last block.
const FileOverhead = shared.MaxThumb + 4<<10

// Taken is how many bytes of the disk a whole file takes, at most.
func (r FileRow) Taken() int64 { return r.Size + FileOverhead }

// Shared is what a message says of its file.
func (f *File) Shared(caption string) *shared.File {
	return &shared.File{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, Width: f.Width, Height: f.Height,
		Thumb: f.Thumb, Gone: f.Gone, Caption: caption}
}

// How many files there may be that no message has yet, sent as a whole or not. One that
// was not asked for in UnfinishedHold makes room for another one.
const (
	MaxUnfinished    = 4    // of a device
	MaxAllUnfinished = 5000 // in all, so that nobody fills the log's disk with rows
	UnfinishedHold   = 10 * time.Minute
)

// ErrNoFile is what FileRows returns for a file that it does not know.
var ErrNoFile = errors.New("there is no such file")

// FileRows is the part of a log that knows of files. It does not know where their bytes
// are. What it returns is durable. Its errors wrap ErrUnavailable, or are ErrNoFile or
// a *Refusal. Its methods may be called from several goroutines.
//
// A message takes its file in the transaction that adds it, and has it from then on:
// Log.Append refuses a message with a file of another room or device, one that is not
// whole, and one that another message has, with shared.CodeNotAllowed. With its message
// goes a file's row, in one transaction, however the message goes.
type FileRows interface {
	// BeginFile adds the row of a file that is to come: its Room, Device, Source, Name,
	// Size, Width, Height and Made. If there is one with that id, it is returned, with its
	// Made changed unless a message has it. A *Refusal has shared.CodeNotAllowed if that
	// one has another room, device, name or size, and shared.CodeRateLimited if the
	// device has MaxUnfinished others, or all have MaxAllUnfinished.
	BeginFile(ctx context.Context, row FileRow) (FileRow, error)

	// WholeFile notes that all bytes of a file are there, and what was found in them.
	WholeFile(ctx context.Context, id, contentType string) error

	// SizeFile changes the Size, Width and Height of a file that is not whole: whoever sends
	// a form does not know them before all of it has come. Otherwise, it does nothing.
	SizeFile(ctx context.Context, f File) error

	// ThumbFile notes that a file has a thumbnail.
	ThumbFile(ctx context.Context, id string) error

	// DropFile deletes the row of a file that no message has. Otherwise, it does nothing.
	DropFile(ctx context.Context, id string) error

	// File returns the row of a file.
	File(ctx context.Context, id string) (FileRow, error)

	// Files returns the rows with id > after, at most as many as most, in order of id.
	Files(ctx context.Context, after string, most int) ([]FileRow, error)

	// ForgetFiles deletes the rows of files that no message has and that were made
	// before a time, and returns their ids.
	ForgetFiles(ctx context.Context, before time.Time) (ids []string, err error)

	// ExpireFiles makes whole files FileGone, or deletes their rows if no message has
	// them, until the others take at most keep bytes: those that Expiring says. It
	// returns the ids.
	ExpireFiles(ctx context.Context, keep int64) (ids []string, err error)

	// Filed returns how many files are whole, and how many bytes of the disk they take:
	// see FileRow.Taken.
	Filed(ctx context.Context) (n int, bytes int64, err error)

	// OnFilesGone calls f with the ids of files whose rows went, after they did, except for
	// those that ForgetFiles and ExpireFiles return. A server that is killed in between
	// calls it never. It must not block, and is set before anything else is done with the
	// log.
	OnFilesGone(f func(ids []string))
}

// Files takes the files that members and programs send.
type Files interface {
	// Begin answers an upload: the key for its requests, and how many bytes of it are
	// there. The row has what BeginFile wants, but for Made. The error is a *Refusal if
	// the file may not come, or wraps ErrUnavailable.
	Begin(ctx context.Context, row FileRow) (key string, at int64, err error)

	// Max is how many bytes a file may have.
	Max() int64

	// Bounded bounds how many requests with files a source has at once; others wait. The
	// body of one is read for as long as its bytes come.
	Bounded(next http.Handler) http.Handler

	// Receive takes the bytes of a file that was begun, until from ends, which is a part of
	// the body of a request that came through Bounded. The row's Size says how many there
	// may be; size is how many came. If something is wrong, status and detail are the
	// answer, and Drop removes what has come.
	Receive(r *http.Request, row FileRow, from io.Reader) (size int64, status int, detail string)

	// Finish makes a file whole of which row.Size bytes were received, with its Width and
	// Height, and a thumbnail unless thumb is nil. Status and detail are as of Receive.
	Finish(r *http.Request, row FileRow, thumb []byte) (status int, detail string)

	// Drop removes a file, unless a message has it.
	Drop(ctx context.Context, id string)
}
