package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"parley/server/chat"
	"parley/shared"
)

// Receive implements chat.Files. What comes is on the disk part by part, as if each had
// come in a request of its own.
func (s *Store) Receive(r *http.Request, row chat.FileRow, from io.Reader) (size int64, status int, detail string) {
	for more := true; more; {
		var n int64
		n, more, status, detail = s.receivePart(r, &row, size, from)
		if size += n; status != 0 {
			return size, status, detail
		}
	}
	return size, 0, ""
}

const (
	saysCut      = "The body did not come whole, or nothing came for too long. Send it again."
	saysStopping = "The server is stopping. Send the file again when it is back."
	saysRemoved  = "What had come of the file was removed: its room was deleted, or the server needed the space. Send it again."
)

// receivePart adds a part to a file of which at bytes are there, and reports whether more
// may come. It renews the row.
func (s *Store) receivePart(r *http.Request, row *chat.FileRow, at int64, from io.Reader) (n int64, more bool, status int, detail string) {
	refuse := func(reason string, status int, detail string) (int64, bool, int, string) {
		s.metrics.refused.WithLabelValues(reason).Inc()
		return n, false, status, detail
	}
	if at == row.Size { // all that may come has come
		switch n, err := io.ReadFull(from, make([]byte, 1)); {
		case n > 0:
			return refuse("size", http.StatusRequestEntityTooLarge, s.sayMax())
		case err != io.EOF:
			return refuse("part", http.StatusRequestTimeout, saysCut)
		}
		return 0, false, 0, ""
	}
	ctx := context.WithoutCancel(r.Context())
	s.opt.Charge(r, 1)
	var err error
	switch *row, err = s.renewed(ctx, r, *row); {
	case err == errNoPlace:
		return refuse("unfinished", http.StatusTooManyRequests, saysNoPlace)
	case err != nil && isLost(err):
		return refuse("disk", http.StatusInsufficientStorage, saysRemoved)
	case err != nil:
		return 0, false, http.StatusServiceUnavailable, s.sayBroken(r, err)
	}
	left := row.Size - at
	most := min(left, shared.MaxUploadPart)
	done, ok := s.reserve(ctx, *row, left, most)
	if !ok {
		return refuse("disk", http.StatusInsufficientStorage, saysNoRoom)
	}
	defer done()
	body := r.Body.(*patientBody)
	turn := s.turns.take(row.ID, body.stop)
	defer func() {
		turn.end()
		body.over = nil // what comes after the file has no turn
	}()
	body.over = turn.isOver
	switch stands, err := s.disk.partBytes(row.ID); {
	case s.stopping.Err() != nil: // after the turn is taken, or it would not be interrupted
		return refuse("part", http.StatusServiceUnavailable, saysStopping)
	case err != nil:
		return 0, false, http.StatusServiceUnavailable, s.sayBroken(r, err)
	case stands != at:
		return refuse("disk", http.StatusInsufficientStorage, saysRemoved)
	}
	n, status, detail = s.write(*row, at, most, io.LimitReader(from, most))
	switch {
	case status == http.StatusRequestTimeout && s.stopping.Err() != nil:
		return refuse("part", http.StatusServiceUnavailable, saysStopping)
	case status == http.StatusRequestTimeout && turn.isOver():
		return refuse("disk", http.StatusInsufficientStorage, saysRemoved)
	case status == http.StatusRequestTimeout:
		return refuse("part", status, saysCut)
	case status != 0:
		return refuse("part", status, detail)
	}
	return n, n == most, 0, ""
}

// Finish implements chat.Files.
func (s *Store) Finish(r *http.Request, row chat.FileRow, thumb []byte) (status int, detail string) {
	ctx := context.WithoutCancel(r.Context())
	if thumb != nil {
		if reason := checkThumb(thumb); reason != "" {
			s.metrics.refused.WithLabelValues("thumb").Inc()
			return http.StatusBadRequest, reason
		}
		if status, detail := s.addThumb(ctx, r, row, thumb); status != 0 {
			if _, err := s.rows.File(ctx, row.ID); isLost(err) {
				return http.StatusInsufficientStorage, saysRemoved
			}
			return status, detail
		}
	}
	s.opt.Charge(r, wholeSyncs)
	turn := s.turns.take(row.ID, nil)
	defer turn.end()
	err := s.rows.SizeFile(ctx, row.File)
	if err == nil {
		err = s.complete(ctx, row)
	}
	switch {
	case err == nil:
		return 0, ""
	case isLost(err), errors.Is(err, fs.ErrNotExist):
		return http.StatusInsufficientStorage, saysRemoved
	}
	return http.StatusServiceUnavailable, s.sayBroken(r, err)
}

// Drop implements chat.Files. If the log can't say so now, the file goes as one that was
// given up.
func (s *Store) Drop(ctx context.Context, id string) {
	if err := s.rows.DropFile(ctx, id); err != nil {
		s.opt.Logger.Warn("a file that did not come whole is not removed now", "error", err)
	}
}
