package pglog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// stream is what a connection says that listens. It takes the notifications out where
// they were received: they are most of what servers say to each other, and pgx copies
// each twice. Everything else is pgx's to read.
type stream struct {
	r    *bufio.Reader
	left int // bytes that pgx has not read yet of its message
	held int // bytes of the notification that was given out
}

const (
	messageHead = 5 // bytes: a letter, and the length of the rest with itself
	mostMessage = 1 << 16
)

// reads has a connection that is to be opened read through s.
func (s *stream) reads(cfg *pgx.ConnConfig) {
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		*s = stream{r: bufio.NewReaderSize(r, mostMessage)}
		return pgproto3.NewFrontend(s, w)
	}
}

// Read implements io.Reader. It gives the rest of one message at most, so that what comes
// after it is here, and not in pgx's memory.
func (s *stream) Read(p []byte) (n int, err error) {
	if s.left == 0 {
		if _, s.left, err = s.peek(); err != nil {
			return 0, err
		}
	}
	n, err = s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// peek returns the letter of the next message, and how many bytes it has.
func (s *stream) peek() (letter byte, size int, err error) {
	_, err = s.r.Discard(s.held)
	s.held = 0
	if err != nil {
		return 0, 0, err
	}
	head, err := s.r.Peek(messageHead)
	if err != nil {
		return 0, 0, err
	}
	return head[0], 1 + int(binary.BigEndian.Uint32(head[1:])), nil
}

var errNotification = errors.New("the database has sent a notification that can't be read")

// next waits for a notification. What it returns is valid until the next call. A context
// that ends does not end the wait, but a deadline of the socket, which is set after that.
func (s *stream) next(ctx context.Context, pg *pgconn.PgConn) (backend uint32, payload []byte, err error) {
	for {
		if err := ctx.Err(); err != nil { // ReceiveMessage takes the deadline away again
			return 0, nil, err
		}
		letter, size, err := s.peek()
		if err != nil {
			return 0, nil, err
		}
		if letter != 'A' {
			m, err := pg.ReceiveMessage(ctx)
			if failed, ok := m.(*pgproto3.ErrorResponse); ok && err == nil {
				err = pgconn.ErrorResponseToPgError(failed)
			}
			if err != nil {
				return 0, nil, err
			}
			continue
		}
		if size > s.r.Size() {
			return 0, nil, errNotification
		}
		message, err := s.r.Peek(size)
		if err != nil {
			return 0, nil, err
		}
		s.held = size
		if len(message) < messageHead+4 {
			return 0, nil, errNotification
		}
		backend = binary.BigEndian.Uint32(message[messageHead:])
		_, rest, _ := bytes.Cut(message[messageHead+4:], []byte{0}) // the channel
		payload, _, whole := bytes.Cut(rest, []byte{0})
		if !whole {
			return 0, nil, errNotification
		}
		return backend, payload, nil
	}
}

// textArray is texts as a statement takes them as one argument of type text[], in binary.
type textArray struct {
	b []byte
	n int
}

// empty takes away what is in it.
func (a *textArray) empty() {
	a.b, a.n = a.b[:0], 0
	for _, v := range []uint32{1, 0, 25, 0, 1} { // dimensions, no NULL, the type's OID, how many, from where they count
		a.b = binary.BigEndian.AppendUint32(a.b, v)
	}
}

// add adds what text appends to out.
func (a *textArray) add(text func(out []byte) []byte) {
	at := len(a.b)
	a.b = text(append(a.b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(a.b[at:], uint32(len(a.b)-at-4))
	a.n++
}

func (a *textArray) encoded() []byte {
	binary.BigEndian.PutUint32(a.b[12:], uint32(a.n))
	return a.b
}
