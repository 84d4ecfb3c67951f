package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"

	"parley/shared"
)

const (
	firstPart   = 256 << 10        // bytes of a file's first part
	leastPart   = 64 << 10         // on a slow line
	stallWait   = 30 * time.Second // without a byte; then a request is given up
	discardWait = 5 * time.Second  // for telling the server that a file was taken back
	quickPart   = time.Second      // a part that took less makes the next one larger
	slowPart    = 4 * time.Second  // one that took more, smaller
)

// transfer is a server as files come and go there.
type transfer struct {
	dial   DialFunc
	server string
	pins   *Pins
}

func (c *Config) transfer() transfer { return transfer{c.Dial, c.Server, c.Pins} }

// client keeps its connections for the parts of one file.
func (t transfer) client() *http.Client {
	client := t.dial.client(t.server, t.pins)
	client.Transport.(*http.Transport).DisableKeepAlives = false
	return client
}

// guarded is a request that ends if no byte comes or goes for stallWait.
type guarded struct {
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
}

func guard(ctx context.Context) *guarded {
	g := &guarded{}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.timer = time.AfterFunc(stallWait, g.cancel)
	return g
}

func (g *guarded) end() {
	g.timer.Stop()
	g.cancel()
}

// watched notes that bytes come or go.
type watched struct {
	io.Reader
	g *guarded
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.g.timer.Reset(stallWait)
	}
	return n, err
}

// sender brings one file to the server.
type sender struct {
	transfer
	files  Files
	copy   string
	file   File
	key    string
	at     int64
	tell   func(sentPart)
	client *http.Client
}

// run sends what is missing and reports each part and the end, unless ctx ends. If
// the person has taken the file back, it tells the server so.
func (s *sender) run(ctx context.Context) {
	s.client = s.transfer.client()
	defer s.client.CloseIdleConnections()
	p := s.send(ctx)
	switch {
	case ctx.Err() == nil:
		s.tell(p)
	case errors.Is(context.Cause(ctx), errTakenBack):
		s.discard(context.WithoutCancel(ctx))
	}
}

func (s *sender) send(ctx context.Context) sentPart {
	from, err := s.files.Copy(s.copy)
	if errors.Is(err, fs.ErrNotExist) {
		return s.refused(CodeNoCopy, "")
	}
	if err != nil {
		return s.ends(endAgain)
	}
	defer from.Close()
	if info, err := from.Stat(); err != nil || info.Size() != s.file.Size {
		return s.refused(CodeNoCopy, "")
	}
	size, moved := int64(firstPart), 0
	for s.at < s.file.Size {
		begun := time.Now()
		n := min(size, s.file.Size-s.at)
		a, err := s.request(ctx, http.MethodPatch, "", io.NewSectionReader(from, s.at, n), n)
		if err != nil {
			return s.ends(endCut)
		}
		right := a.offset >= 0 && a.offset <= s.file.Size
		switch {
		case a.status == http.StatusNoContent && right && a.offset > s.at:
			moved = 0
		case a.status == http.StatusConflict && right && a.offset != s.at && moved < 3:
			moved++ // it knows better
		default:
			return s.answered(a)
		}
		s.at = a.offset
		s.tell(s.ends(endNot))
		switch took := time.Since(begun); {
		case took < quickPart:
			size = min(2*size, shared.MaxUploadPart)
		case took > slowPart:
			size = max(size/2, leastPart)
		}
	}
	return s.sendThumb(ctx)
}

// sendThumb sends the thumbnail. If the server does not take it, the file goes without.
func (s *sender) sendThumb(ctx context.Context) sentPart {
	if !s.file.Thumb {
		return s.ends(endWhole)
	}
	thumb, err := readCopy(s.files, thumbOf(s.copy), shared.MaxThumb)
	if err != nil {
		return s.ends(endWhole)
	}
	a, err := s.request(ctx, http.MethodPut, "/thumb", bytes.NewReader(thumb), int64(len(thumb)))
	switch {
	case err != nil:
		return s.ends(endCut)
	case a.status == http.StatusUnauthorized:
		return s.answered(a)
	}
	return s.ends(endWhole)
}

// discard tells the server that the file will not come on.
func (s *sender) discard(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, discardWait)
	defer cancel()
	_, _ = s.request(ctx, http.MethodDelete, "", nil, 0) // the server forgets it by itself in the end
}

// ends reports where the file stands.
func (s *sender) ends(e end) sentPart { return sentPart{file: s.file.ID, at: s.at, end: e} }

func (s *sender) refused(code shared.ErrorCode, why string) sentPart {
	p := s.ends(endRefused)
	p.code, p.why = code, why
	return p
}

// answered says what an answer means that does not let the file come on.
func (s *sender) answered(a reply) sentPart {
	switch a.status {
	case http.StatusRequestEntityTooLarge:
		return s.refused(shared.CodeTooLong, a.why)
	case http.StatusInsufficientStorage:
		return s.refused(CodeNoRoom, a.why)
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		if a.status >= 400 && a.status < 500 {
			return s.refused(shared.CodeNotAllowed, a.why)
		}
	}
	p := s.ends(endAgain)
	p.why, p.wait = a.why, a.wait
	return p
}

// reply is an answer to a request.
type reply struct {
	status int
	offset int64         // how many bytes the server has; -1 if it does not say
	why    string        // its sentence, if it is refused
	wait   time.Duration // until it may be asked again
}

// request makes one request for the file. The error is the line's.
func (s *sender) request(ctx context.Context, method, path string, body io.Reader, size int64) (reply, error) {
	g := guard(ctx)
	defer g.end()
	if body != nil {
		body = watched{body, g}
	}
	req, err := http.NewRequestWithContext(g.ctx, method, s.server+"/files/"+s.file.ID+path, body)
	if err != nil {
		return reply{}, err
	}
	req.ContentLength = size
	req.Header.Set("Authorization", "Bearer "+s.key)
	switch method {
	case http.MethodPatch:
		req.Header.Set("Upload-Offset", strconv.FormatInt(s.at, 10))
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	case http.MethodPut:
		req.Header.Set("Content-Type", "image/jpeg")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(watched{resp.Body, g}, answerLimit))
	if err != nil {
		return reply{}, err
	}
	a := reply{status: resp.StatusCode, offset: -1}
	if n, err := strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64); err == nil && n >= 0 {
		a.offset = n
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		a.wait = min(time.Duration(n)*time.Second, longestPause)
	}
	var problem struct{ Detail string }
	if json.Unmarshal(said, &problem) == nil && len(problem.Detail) <= shared.MaxSentence {
		a.why = problem.Detail
	}
	return a, nil
}

// Fetch writes the file of a message to w, exactly File.Size bytes, and tells progress,
// unless that is nil, how many have come. It takes as long as that takes, or until ctx ends, also while
// the room is not connected. Of a row that waits or was refused, it is this device's copy. It
// returns ErrFileGone if the file is not kept any more, ErrCut if it has another
// size, a *Problem, or what ctx or w says.
func (r *Room) Fetch(ctx context.Context, i Item, w io.Writer, progress func(int64)) error {
	if i.File == nil || i.Deleted {
		return ErrFileGone
	}
	counted := &counter{w: w, tell: progress}
	if copied, err := r.openCopy(i); err == nil {
		defer copied.Close()
		return exactly(counted, untilDone{ctx, copied}, i.File.Size)
	} else if i.Delivery != Sent {
		return ErrFileGone
	}
	return r.get(ctx, i, "", func(resp *http.Response, body io.Reader) error {
		if resp.ContentLength >= 0 && resp.ContentLength != i.File.Size {
			return ErrCut
		}
		return exactly(counted, body, i.File.Size)
	})
}

// Thumb is the thumbnail of a message's file, a JPEG of at most shared.MaxThumb bytes: as
// it is kept on this device, or else as Fetch gets it. It comes from the network, so its
// size in pixels may be any.
func (r *Room) Thumb(ctx context.Context, i Item) ([]byte, error) {
	if i.File == nil || !i.File.Thumb || i.Deleted {
		return nil, ErrFileGone
	}
	files, server, room := r.config.files(), r.config.Server, r.config.Room
	if files != nil {
		if i.copy != "" {
			if thumb, err := readCopy(files, thumbOf(i.copy), shared.MaxThumb); err == nil {
				return thumb, nil
			}
		}
		if thumb := files.Thumb(server, room, i.Offset, i.File.ID); thumb != nil {
			return thumb, nil
		}
	}
	if i.Delivery != Sent {
		return nil, ErrFileGone
	}
	var thumb []byte
	err := r.get(ctx, i, "/thumb", func(_ *http.Response, body io.Reader) (err error) {
		thumb, err = io.ReadAll(io.LimitReader(body, shared.MaxThumb+1))
		if err == nil && (len(thumb) == 0 || len(thumb) > shared.MaxThumb) {
			err = ErrCut
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if files != nil && i.Offset > 0 {
		files.KeepThumb(server, room, i.Offset, i.File.ID, thumb)
		r.command(func(l *loop) { l.thumbKept(i.Offset) })
	}
	return thumb, nil
}

func (r *Room) openCopy(i Item) (*os.File, error) {
	files := r.config.files()
	if i.copy == "" || files == nil {
		return nil, fs.ErrNotExist
	}
	return files.Copy(i.copy)
}

// get asks the server for a file, or for its thumbnail. The error is a *Problem if it is
// the line's.
func (r *Room) get(ctx context.Context, i Item, path string, take func(*http.Response, io.Reader) error) error {
	g := guard(ctx)
	defer g.end()
	client := r.config.Dial.client(r.config.Server, r.config.Pins)
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(g.ctx, http.MethodGet, r.config.Server+"/files/"+i.File.ID+path, nil)
	if err != nil {
		return &Problem{CauseBadAddress, ""}
	}
	lineProblem := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return dialProblem(g.ctx, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return lineProblem(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusGone:
		if path == "" {
			r.command(func(l *loop) { l.fileGone(i.ID, i.File.ID) })
		}
		return ErrFileGone
	case http.StatusNotFound:
		return ErrFileGone
	default:
		return statusProblem(resp, readBody(resp))
	}
	var line lineError
	if err := take(resp, &lineReader{watched{resp.Body, g}}); errors.As(err, &line) {
		return lineProblem(line.error)
	} else if err != nil {
		return err
	}
	return nil
}

// thumbKept has a thumbnail go whose message was deleted while it came.
func (l *loop) thumbKept(offset int64) {
	if r := l.timeline.byOffset[offset]; r != nil && r.Content.Deleted {
		l.timeline.dropThumb(offset)
	}
}

// fileGone shows that the server keeps a file no longer.
func (l *loop) fileGone(id, file string) {
	r := l.timeline.ids[id]
	if r == nil || r.Content.File == nil || r.Content.File.ID != file || r.Content.File.Gone {
		return
	}
	f := *r.Content.File
	f.Gone = true
	r.Content.File = &f
	l.timeline.redraw(r)
}

// lineReader tells what the line says from what a writer says.
type lineReader struct{ from io.Reader }

type lineError struct{ error }

func (r *lineReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = lineError{err}
	}
	return n, err
}

// exactly copies size bytes, and no more.
func exactly(w io.Writer, from io.Reader, size int64) error {
	n, err := io.CopyBuffer(w, io.LimitReader(from, size), make([]byte, 64<<10))
	switch {
	case err != nil:
		return err
	case n < size:
		return ErrCut
	}
	if n, err := io.ReadFull(from, make([]byte, 1)); n > 0 {
		return ErrCut
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// counter tells how much was written.
type counter struct {
	w    io.Writer
	n    int64
	tell func(int64)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if c.tell != nil {
		c.tell(c.n)
	}
	return n, err
}

// readCopy reads a copy that has at most so many bytes.
func readCopy(files Files, name string, most int64) ([]byte, error) {
	from, err := files.Copy(name)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(data)) > most {
		err = ErrCut
	}
	return data, err
}
