package pglog

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sockets are the log's connections to the database, below everything else. A database
// that was stopped leaves whoever talks to it waiting, for as long as it likes: only the
// end of the socket ends that.
type sockets struct {
	marks *marks

	mu   sync.Mutex
	n    int64             // were opened so far
	open map[*socket]int64 // which one it is
}

type socket struct {
	net.Conn
	of *sockets
}

// Close implements net.Conn.
func (s *socket) Close() error {
	s.of.mu.Lock()
	delete(s.of.open, s)
	s.of.mu.Unlock()
	return s.Conn.Close()
}

var errCancel = errors.New("a query that waits for its standby is not canceled")

// dials has a connection to be opened through s. Once it is open, it opens none: pgx
// would send a cancel request, also when a socket was closed, and that ends a commit's
// wait for its standby.
func (s *sockets) dials(cfg *pgx.ConnConfig) {
	var connected atomic.Bool
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if connected.Load() {
			return nil, errCancel
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := &socket{conn, s}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.n++
		s.open[c] = s.n
		return c, nil
	}
	valid := cfg.ValidateConnect
	cfg.ValidateConnect = func(ctx context.Context, pg *pgconn.PgConn) error {
		if err := valid(ctx, pg); err != nil {
			return err
		}
		return s.isNewest(ctx, pg)
	}
	cfg.AfterConnect = func(context.Context, *pgconn.PgConn) error {
		connected.Store(true)
		return nil
	}
}

// isNewest fails on a primary whose place another one has taken: it still says that it
// can be written, and what is written there waits for a standby that it has not any more.
func (s *sockets) isNewest(ctx context.Context, pg *pgconn.PgConn) error {
	if s.marks.seen() == 0 {
		return nil
	}
	r := pg.ExecParams(ctx, "SELECT "+walNow, nil, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) == 0 {
		return r.Err
	}
	timeline, err := timelineOf(string(r.Rows[0][0]))
	pg.CustomData()[timelineKey] = timeline
	if err == nil && s.isOld(pg) {
		err = errTimeline
	}
	return err
}

// timelineKey is under what a connection has the timeline on which it was opened; those
// that were opened before any was seen have none.
const timelineKey = "timeline"

// isOld reports whether a connection leads to a primary whose place another one has taken
// since. It goes on reading there what nobody writes any more.
func (s *sockets) isOld(pg *pgconn.PgConn) bool {
	timeline, _ := pg.CustomData()[timelineKey].(uint64)
	return timeline < s.marks.seen()
}

// opened is how many connections were opened so far.
func (s *sockets) opened() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// cut ends the connections that were among the first n. It cancels nothing.
func (s *sockets) cut(n int64) {
	s.mu.Lock()
	var old []*socket
	for c, number := range s.open {
		if number <= n {
			old = append(old, c)
		}
	}
	s.mu.Unlock()
	for _, c := range old {
		_ = c.Close()
	}
}
