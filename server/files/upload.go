package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// offsetHeader says how many bytes of a file are there.
const offsetHeader = "Upload-Offset"

// renewAfter is how old the row of an upload may become before a part of it renews it,
// so that a slow one is not taken for abandoned.
const renewAfter = chat.UnfinishedHold / 2

// servePart adds a part to a file.
func (s *Store) servePart(w http.ResponseWriter, r *http.Request) {
	row, ok := s.owned(w, r)
	if !ok {
		return
	}
	offset, err := strconv.ParseInt(r.Header.Get(offsetHeader), 10, 64)
	if err != nil || offset < 0 {
		s.refuse(w, "header", http.StatusBadRequest, "The header Upload-Offset is not a number: it says where in the file the body belongs.")
		return
	}
	if r.ContentLength > shared.MaxUploadPart {
		s.refuse(w, "part", http.StatusRequestEntityTooLarge, saysPart)
		return
	}
	ctx := context.WithoutCancel(r.Context()) // what has come is kept, even if the one who sent it has gone
	s.opt.Charge(r, 1)
	switch row, err = s.renewed(ctx, r, row); {
	case err == errNoPlace:
		s.refuse(w, "unfinished", http.StatusTooManyRequests, saysNoPlace)
		return
	case err != nil:
		s.lost(w, r, err)
		return
	}
	left := row.Size - min(offset, row.Size)
	done, ok := s.reserve(ctx, row, left, min(left, shared.MaxUploadPart))
	if !ok {
		s.refuse(w, "disk", http.StatusInsufficientStorage, saysNoRoom)
		return
	}
	defer done()
	body := r.Body.(*patientBody)
	turn := s.turns.take(row.ID, body.stop)
	defer turn.end()
	body.over = turn.isOver
	// The one before may have made it whole, and it may have been deleted meanwhile.
	if row, err = s.rows.File(ctx, row.ID); err != nil {
		s.lost(w, r, err)
		return
	}
	s.addPart(ctx, w, r, row, offset, body)
}

// renewed returns the row of an upload, renewed if it is old. The error is errNoPlace if its
// source has no place for it.
func (s *Store) renewed(ctx context.Context, r *http.Request, row chat.FileRow) (chat.FileRow, error) {
	if s.opt.Now().Sub(row.Made) <= renewAfter {
		return row, nil
	}
	if !s.opt.Renew(r, row.ID) {
		return row, errNoPlace
	}
	row.Made = s.opt.Now()
	return s.rows.BeginFile(ctx, row)
}

var errNoPlace = errors.New("too many files come from one address")

// How often the disk is waited for besides: for a file that is whole, the folder and the
// log; for a thumbnail, these and its bytes.
const (
	wholeSyncs = 2
	thumbSyncs = 3
)

var saysPart = fmt.Sprintf("A part has at most %d bytes. Send the file in several.", shared.MaxUploadPart)

const (
	saysNoPlace = "Too many files come from your address. This one has to wait."
	saysNoRoom  = "The server has no room for files now. Whoever runs it has to make room."
)

// lost answers that an upload's row can't be had.
func (s *Store) lost(w http.ResponseWriter, r *http.Request, err error) {
	if isLost(err) {
		chat.Problem(w, http.StatusNotFound, saysNoFile)
		return
	}
	s.broken(w, r, err)
}

// isLost reports whether a log's error says that an upload is no more.
func isLost(err error) bool {
	return errors.Is(err, chat.ErrNoFile) || errors.Is(err, chat.ErrRefused)
}

// addPart adds the body to the file of row, whose turn the caller has.
func (s *Store) addPart(ctx context.Context, w http.ResponseWriter, r *http.Request, row chat.FileRow, offset int64, body io.Reader) {
	at := row.Size
	if row.State == chat.FileIncomplete {
		var err error
		if at, err = s.disk.size(row.ID); err == nil && at < 0 {
			// What is written next makes this durable, too; what is only told has to be.
			if at, err = s.disk.partBytes(row.ID); err == nil && (offset != at || r.ContentLength <= 0) {
				at, err = s.disk.partSize(row.ID)
			}
		}
		if err != nil {
			s.broken(w, r, err)
			return
		}
	}
	left := row.Size - at
	switch {
	case row.State == chat.FileGone:
		chat.Problem(w, http.StatusGone, saysGone)
		return
	case offset != at:
		w.Header().Set(offsetHeader, strconv.FormatInt(at, 10))
		s.refuse(w, "offset", http.StatusConflict, "The file does not stand there: Upload-Offset says where it does.")
		return
	case r.ContentLength > left:
		s.refuse(w, "size", http.StatusRequestEntityTooLarge, saysSize)
		return
	}
	n, status, detail := s.write(row, at, min(left, shared.MaxUploadPart), body)
	at += n
	if status == 0 && at == row.Size && row.State == chat.FileIncomplete {
		s.opt.Charge(r, wholeSyncs)
		if err := s.complete(ctx, row); err != nil {
			s.lost(w, r, err)
			return
		}
	}
	w.Header().Set(offsetHeader, strconv.FormatInt(at, 10))
	if status != 0 {
		s.refuse(w, "part", status, detail)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

const saysSize = "The body has more bytes than are left of the file."

// bufferBytes is what an upload takes of the memory, beyond its connection.
const bufferBytes = 16 << 10

var buffers = sync.Pool{New: func() any { return new([bufferBytes]byte) }}

// write adds what body has to the bytes of a file, of which at are there: at most most
// bytes. It returns how many are on the disk now; and what to answer, if something is
// wrong. Each byte has its place, because another server of the same log may have the
// connection before, which its client has given up, and still write what came over it.
func (s *Store) write(row chat.FileRow, at, most int64, body io.Reader) (n int64, status int, detail string) {
	buffer := buffers.Get().(*[bufferBytes]byte)
	defer buffers.Put(buffer)
	var f *os.File
	var err error
	for err == nil {
		var got int
		if got, err = body.Read(buffer[:]); got == 0 {
			continue
		}
		if int64(got) > most-n {
			got, err, status, detail = int(most-n), io.EOF, http.StatusRequestEntityTooLarge, saysSize
			if most == shared.MaxUploadPart {
				detail = saysPart
			}
			if got == 0 {
				break
			}
		}
		if f == nil {
			var openErr error
			if f, _, openErr = s.disk.openPart(row.ID); openErr != nil {
				return 0, diskStatus(openErr), s.sayDisk(openErr)
			}
		}
		wrote, writeErr := f.WriteAt(buffer[:got], at+n)
		n += int64(wrote)
		s.parts.add(row, int64(wrote))
		s.metrics.received.Add(float64(wrote))
		if writeErr != nil {
			return n, diskStatus(writeErr), s.sayDisk(errors.Join(writeErr, f.Sync(), f.Close()))
		}
	}
	if f != nil {
		if syncErr := errors.Join(f.Sync(), f.Close()); syncErr != nil {
			return n, diskStatus(syncErr), s.sayDisk(syncErr)
		}
	}
	if err != io.EOF && status == 0 {
		status, detail = http.StatusRequestTimeout, "The body did not come whole. Upload-Offset says where to go on."
	}
	return n, status, detail
}

func diskStatus(err error) int {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return http.StatusInsufficientStorage
	}
	return http.StatusServiceUnavailable
}

func (s *Store) sayDisk(err error) string {
	s.opt.Logger.Error("a file can't be written", "error", err)
	return saysBroken
}

// takeBack ends an upload whose sender has thought better of it, so that the next one does
// not wait for its place.
func (s *Store) takeBack(w http.ResponseWriter, r *http.Request) {
	row, ok := s.owned(w, r)
	if !ok {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	err := s.rows.DropFile(ctx, row.ID) // the log has its bytes removed, and nothing happens if a message has it
	if err == nil {
		_, err = s.rows.File(ctx, row.ID)
	}
	switch {
	case errors.Is(err, chat.ErrNoFile):
		w.WriteHeader(http.StatusNoContent)
	case err != nil:
		s.broken(w, r, err)
	default:
		s.refuse(w, "taken", http.StatusConflict, "A message has this file. Delete the message.")
	}
}

// putThumb takes the thumbnail of an upload.
func (s *Store) putThumb(w http.ResponseWriter, r *http.Request) {
	row, ok := s.owned(w, r)
	if !ok {
		return
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, shared.MaxThumb+1))
	if err != nil {
		s.refuse(w, "part", http.StatusRequestTimeout, "The body did not come whole.")
		return
	}
	if reason := checkThumb(data); reason != "" {
		s.refuse(w, "thumb", http.StatusBadRequest, reason)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	turn := s.turns.take(row.ID+thumbEnd, nil)
	defer turn.end()
	if row, err = s.rows.File(ctx, row.ID); err != nil {
		s.lost(w, r, err)
		return
	}
	switch {
	case row.Offset != 0 && row.Thumb:
		w.WriteHeader(http.StatusNoContent) // it is there already: the answer did not arrive
		return
	case row.Offset != 0:
		s.refuse(w, "thumb", http.StatusConflict, "The message was sent without a thumbnail.")
		return
	}
	if status, detail := s.addThumb(ctx, r, row, data); status != 0 {
		chat.Problem(w, status, detail)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// addThumb gives an upload its thumbnail. The caller has its turn. Status and detail say
// what is wrong.
func (s *Store) addThumb(ctx context.Context, r *http.Request, row chat.FileRow, data []byte) (status int, detail string) {
	done, ok := s.reserve(ctx, row, int64(len(data)), int64(len(data)))
	if !ok {
		s.metrics.refused.WithLabelValues("disk").Inc()
		return http.StatusInsufficientStorage, saysNoRoom
	}
	defer done()
	s.opt.Charge(r, thumbSyncs)
	if err := s.disk.writeThumb(row.ID, data); err != nil {
		return diskStatus(err), s.sayDisk(err)
	}
	switch err := s.keepThumb(ctx, row); {
	case err == nil:
		return 0, ""
	case errors.Is(err, chat.ErrNoFile):
		s.Unlink([]string{row.ID}) // in its turn: it may have been begun again
		fallthrough
	case isLost(err):
		return http.StatusNotFound, saysNoFile
	default:
		return http.StatusServiceUnavailable, s.sayBroken(r, err)
	}
}

// keepThumb notes that an upload has a thumbnail, and counts it. The file may become whole
// meanwhile.
func (s *Store) keepThumb(ctx context.Context, row chat.FileRow) error {
	if err := s.rows.ThumbFile(ctx, row.ID); err != nil || row.State != chat.FileIncomplete {
		return err
	}
	s.parts.add(row, 0)
	if now, err := s.rows.File(ctx, row.ID); err == nil && now.State == chat.FileIncomplete {
		return nil
	}
	s.parts.remove(row.ID)
	return nil
}

// checkThumb returns what is wrong with a thumbnail; "" for nothing. Its header is read,
// and no more.
func checkThumb(data []byte) string {
	if len(data) > shared.MaxThumb {
		return fmt.Sprintf("The thumbnail has over %d bytes.", shared.MaxThumb)
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil, couldBePage(data):
		return "The thumbnail is no JPEG."
	case max(config.Width, config.Height) > shared.MaxThumbSide || min(config.Width, config.Height) == 0:
		return fmt.Sprintf("The thumbnail has a side of 0 or of over %d pixels.", shared.MaxThumbSide)
	}
	return ""
}

// patientBody reads a request's body as long as bytes come: each time within the patience.
// It is the Body of each request that came through Bounded.
type patientBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	stopping context.Context
	over     func() bool // nobody waits for it any more; nil for never
	begun    bool        // it was read from

	mu    sync.Mutex
	ended bool // it was read to its end
}

var errOver = errors.New("another request goes on with this upload, or the server stops")

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	b.begun = true
	b.limit(time.Now().Add(b.patience))                       // without it, the server's own holds
	if b.stopping.Err() != nil || b.over != nil && b.over() { // after the deadline is set, or stop could be missed
		return 0, errOver
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.limit(time.Time{})
	}
	return n, err
}

// stop ends a Read that is under way. Before that, over or stopping has come to say so.
func (b *patientBody) stop() { b.limit(time.Unix(1, 0)) }

// limit sets until when the body is waited for; the zero Time is for its end. From there on
// there is no limit: net/http would take the peer for gone, in this request and in all
// later ones of its connection.
func (b *patientBody) limit(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.ended = until.IsZero()
	_ = b.control.SetReadDeadline(until)
}

// drain reads what is left of a body that was refused, if that is no more than a part.
// Otherwise the connection would be reset, and many clients would see that instead of the
// answer. One who asks before sending it (RFC 9110, 10.1.1) waits for the answer.
func (b *patientBody) drain(r *http.Request) {
	if b.begun || r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, b, shared.MaxUploadPart)
	}
}
