package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/shared"
)

// hopeless is how many answers in a row may not let a file come on before its row fails.
const hopeless = 12

// uploads brings the files of waiting messages to the server, one at a time, in the order
// of writing. A message goes out when the server has its file. Each connection asks anew
// where a file stands.
type uploads struct {
	row       *Row                    // whose file is on its way; nil while none is
	since     time.Time               // when the server was asked about it; zero once it has answered
	cancel    context.CancelCauseFunc // of the requests; nil while there are none
	notBefore time.Time               // nothing is asked before
	failures  int                     // answers in a row that did not let it come on
	refusals  int                     // times in a row that it has to wait
}

// released is a copy that no row needs any more.
type released struct {
	copy   string
	offset int64  // of the message that has the file now
	file   string // its id there; "" if no message has it
}

// errTakenBack ends the requests of a file that the person has taken back.
var errTakenBack = errors.New("taken back")

// begun is the file as it is before anything of it was sent.
func (f File) begun(id string) *File {
	f.ID, f.Sent = id, 0
	return &f
}

// waitsForFile reports whether the server may not have the file of a waiting message yet.
func (r *Row) waitsForFile() bool {
	return r.Delivery == Pending && r.Content.File != nil && r.Held && !r.whole
}

// behindFiles are the waiting messages that wait for a file: their own, or that of a
// message that they answer.
func (t *timeline) behindFiles() map[*Row]bool {
	var behind map[*Row]bool
	for _, r := range t.rows[t.fixed:] {
		if r.waitsForFile() || r.Answers != "" && behind[t.entries[r.Answers]] {
			if behind == nil {
				behind = map[*Row]bool{}
			}
			behind[r] = true
		}
	}
	return behind
}

// fileInDoubt reports whether a message was refused whose file this connection has not
// asked about. The server may have lost the file, and is asked now.
func (t *timeline) fileInDoubt(id string) bool {
	r := t.ids[id]
	if r == nil || r.Delivery != Pending || r.Content.File == nil || r.Held || r.whole {
		return false
	}
	r.Held = true
	t.mark(r)
	return true
}

// release lets go of the copy of a row that does not need it any more.
func (t *timeline) release(r *Row) {
	if r.Copy == "" {
		return
	}
	gone := released{copy: r.Copy}
	if r.Delivery == Sent && r.Content.File != nil {
		gone.offset, gone.file = r.Offset, r.Content.File.ID
	}
	t.released = append(t.released, gone)
	r.Copy, r.copy = "", ""
}

// dropThumb has the thumbnail of a message that was deleted go.
func (t *timeline) dropThumb(offset int64) { t.thumbs = append(t.thumbs, offset) }

// dropThumbs removes them before the store says that the deletions are known.
func (l *loop) dropThumbs() {
	if files := l.config.files(); files != nil && len(l.timeline.thumbs) > 0 {
		files.DropThumbs(l.config.Server, l.config.Room, l.timeline.thumbs)
	}
	l.timeline.thumbs = nil
}

// dropCopies removes the copies that are not needed any more, once the store says so. The
// thumbnail of a message that was sent stays.
func (l *loop) dropCopies() {
	files := l.config.files()
	if l.failure != nil || files == nil {
		return
	}
	for _, r := range l.timeline.released {
		if r.file != "" {
			if thumb, err := readCopy(files, thumbOf(r.copy), shared.MaxThumb); err == nil {
				files.KeepThumb(l.config.Server, l.config.Room, r.offset, r.file, thumb)
			}
		}
		drop(files, r.copy)
	}
	l.timeline.released = nil
}

// nextUpload is the row whose file is to be brought next; nil if one is on its way, or
// none waits.
func (l *loop) nextUpload() *Row {
	if l.uploads.row != nil {
		return nil
	}
	waiting := l.timeline.rows[l.timeline.fixed:]
	if i := slices.IndexFunc(waiting, (*Row).waitsForFile); i >= 0 {
		return waiting[i]
	}
	return nil
}

// tendUpload ends the requests of a row that does not wait any more, and asks about the
// next file.
func (l *loop) tendUpload(now time.Time) {
	u := &l.uploads
	if r := u.row; r != nil {
		switch {
		case l.timeline.ids[r.ID] != r:
			l.letGo(errTakenBack)
		case !r.waitsForFile():
			l.letGo(nil)
		}
	}
	r := l.nextUpload()
	if r == nil || now.Before(l.uploadAt(now)) {
		return
	}
	f := r.Content.File
	u.row, u.since = r, now
	l.outbox.limiter.AllowN(now, 1) // the question counts as a message
	l.write(shared.Message{Type: shared.TypeUpload, ID: f.ID, Name: f.Name, Size: f.Size, Width: f.Width, Height: f.Height})
}

// uploadAt is when the server may be asked about the next file.
func (l *loop) uploadAt(now time.Time) time.Time {
	if l.uploads.notBefore.After(now) {
		return l.outbox.paced(l.uploads.notBefore)
	}
	return l.outbox.paced(now)
}

// letGo ends the requests of the present file, if there are any.
func (l *loop) letGo(why error) {
	u := &l.uploads
	if u.cancel != nil {
		u.cancel(why)
	}
	u.row, u.cancel, u.since = nil, nil, time.Time{}
}

// endUploads lets go of what belongs to a connection.
func (l *loop) endUploads() {
	l.letGo(context.Canceled)
	l.uploads = uploads{}
	for _, r := range l.timeline.rows[l.timeline.fixed:] {
		r.whole = false
	}
}

// overdue is when the answer is overdue; zero when none is to come.
func (u *uploads) overdue() time.Time {
	if u.row == nil || u.since.IsZero() {
		return time.Time{}
	}
	return u.since.Add(echoWait)
}

// asks reports whether the server was asked about a file and has not answered.
func (u *uploads) asks(file string) bool {
	return u.row != nil && !u.since.IsZero() && u.row.Content.File.ID == file
}

// patience is how long the server may take for a sign of life: longer while a file fills
// the line.
func (l *loop) patience(d time.Duration) time.Duration {
	if l.uploads.cancel != nil {
		return max(d, stallWait)
	}
	return d
}

// mayUpload takes the answer that a file may come, and from where on.
func (l *loop) mayUpload(m shared.Message) {
	u := &l.uploads
	if !u.asks(m.ID) {
		return
	}
	r := u.row
	f := *r.Content.File
	u.since = time.Time{}
	if m.At < 0 || m.At > f.Size {
		l.uploadFails(shared.CodeBadFrame, "")
		return
	}
	l.sentUpTo(r, m.At)
	ctx, cancel := context.WithCancelCause(l.connection.ctx)
	u.cancel = cancel
	c := l.connection
	send := sender{
		transfer: l.config.transfer(), files: l.config.files(), copy: r.Copy, file: f, key: m.Key, at: m.At,
		tell: func(p sentPart) { c.deliver(report{connection: c, upload: &p}) },
	}
	l.connections.Go(func() {
		defer cancel(nil)
		send.run(ctx)
	})
}

// mayNotUpload takes a refusal: for good, or for some time.
func (l *loop) mayNotUpload(m shared.Message) {
	if m.Code.Final() {
		l.uploadFails(m.Code, m.Text)
		return
	}
	if m.Code != shared.CodeRateLimited { // as when the server's disk is full
		if l.uploads.failures++; l.uploads.failures >= hopeless {
			l.uploadFails(m.Code, m.Text)
			return
		}
	}
	pause := l.config.Backoff(l.uploads.refusals)
	if m.Code == shared.CodeRateLimited {
		pause = max(pause, time.Duration(m.RetryMS)*time.Millisecond)
	}
	l.uploadWaits(pause)
}

// sentPart says how a file comes on.
type sentPart struct {
	file string
	at   int64 // how many bytes the server has
	end  end
	code shared.ErrorCode // endRefused
	why  string           // endRefused: the server's sentence, if it had one
	wait time.Duration    // endAgain: as the server wants it
}

// end is how the requests of a file ended.
type end int

const (
	endNot     end = iota // they go on
	endWhole              // the server has all
	endCut                // the line broke: the server is asked where it stands
	endAgain              // the same after an answer
	endRefused            // for good
)

// uploaded takes what the requests of a file report.
func (l *loop) uploaded(p sentPart) {
	u := &l.uploads
	r := u.row
	if r == nil || r.Content.File.ID != p.file || l.timeline.ids[r.ID] != r {
		return
	}
	if p.at > r.Content.File.Sent {
		u.failures, u.refusals = 0, 0
	}
	l.sentUpTo(r, p.at)
	switch p.end {
	case endWhole:
		r.whole = true
		l.letGo(nil)
		u.failures, u.refusals = 0, 0
	case endAgain:
		if u.failures++; u.failures >= hopeless {
			l.uploadFails(shared.CodeUnavailable, p.why)
			return
		}
		l.uploadWaits(max(p.wait, l.config.Backoff(u.refusals)))
	case endCut:
		l.uploadWaits(l.config.Backoff(u.refusals))
	case endRefused:
		l.uploadFails(p.code, p.why)
	}
}

// uploadWaits has the present file asked about again later.
func (l *loop) uploadWaits(pause time.Duration) {
	l.uploads.refusals++
	l.uploads.notBefore = l.clock.Now().Add(min(max(pause, 0), longestPause))
	l.letGo(nil)
}

// uploadFails gives the present file up.
func (l *loop) uploadFails(code shared.ErrorCode, reason string) {
	r := l.uploads.row
	l.letGo(nil)
	l.uploads.failures, l.uploads.refusals = 0, 0
	l.timeline.fail(r.ID, code, reason)
}

// sentUpTo shows how much of a file the server has.
func (l *loop) sentUpTo(r *Row, at int64) {
	if r.Content.File.Sent == at {
		return
	}
	f := *r.Content.File
	f.Sent = at
	r.Content.File = &f
	l.timeline.redraw(r)
}
