package sqlitelog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"modernc.org/sqlite"

	"parley/server/chat"
)

// place is where the database lies. A folder can be moved, replaced or removed
// under a running server, whose files stay open: what it wrote to them then would
// be found by nobody.
type place struct {
	path   string
	opened os.FileInfo // the database, when it was opened; nil before
	wal    os.FileInfo // its write-ahead log; nil until there is one
	logger *slog.Logger

	mu   sync.Mutex
	lost bool
}

// settle notes the database that lies there now as the one that is opened.
func (p *place) settle() (err error) {
	p.opened, err = os.Stat(p.path)
	return err
}

// connected notes the write-ahead log. The log's connections for reading stay open,
// so SQLite does not remove that file before the last of them is closed.
func (p *place) connected() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wal == nil {
		p.wal, err = os.Stat(p.path + "-wal")
	}
	return err
}

// check returns an error that wraps chat.ErrMoved unless the database's path leads
// to the database that was opened. It costs some microseconds, and logs a change.
func (p *place) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.look()
	switch {
	case err != nil && !p.lost:
		p.logger.Error("the data folder was moved, replaced or removed: nothing is stored until it is back. "+
			"Put it back, or stop the server and start it on the folder that it shall use", "error", err)
	case err == nil && p.lost:
		p.logger.Info("the data folder is back: messages are stored again", "database", p.path)
	}
	p.lost = err != nil
	return err
}

// isLost is what the last check found.
func (p *place) isLost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *place) look() error {
	for _, f := range []struct {
		path string
		want os.FileInfo
	}{{p.path, p.opened}, {p.path + "-wal", p.wal}} {
		if f.want == nil {
			continue
		}
		if is, err := os.Stat(f.path); err != nil {
			return fmt.Errorf("%w: %w", chat.ErrMoved, err)
		} else if !os.SameFile(f.want, is) {
			return fmt.Errorf("%w: %s is another file now", chat.ErrMoved, f.path)
		}
	}
	return nil
}

// connect returns a database each of whose connections is one to the database that
// was opened. What another program has put in its place is never written to or
// read from.
func (p *place) connect(d *sqlite.Driver, dsn string) *sql.DB {
	return sql.OpenDB(connector{p, d, dsn})
}

type connector struct {
	place  *place
	driver *sqlite.Driver
	dsn    string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, errors.Join(err, c.place.check())
	}
	if err := c.place.check(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }
