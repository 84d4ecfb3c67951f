package sqlitelog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

var errRead = errors.New("somebody reads the database")

// truncate takes the write-ahead log into the database and makes it empty, unless
// somebody reads for longer than wait: then it goes on growing.
func (w *writer) truncate(ctx context.Context, wait time.Duration) error {
	if err := cmp.Or(w.connect(ctx), w.place.check()); err != nil {
		return err
	}
	busyTimeout := func(d time.Duration) error {
		_, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds()))
		return err
	}
	if err := busyTimeout(wait); err != nil {
		return err
	}
	var busy, pages, written int
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &written)
	switch {
	case err != nil:
	case busy != 0:
		err = errRead
	default:
		w.erased.Store(nil)
	}
	restored := busyTimeout(w.busy)
	if restored != nil {
		w.fail()
	}
	return errors.Join(err, restored)
}

// A text that went is in the write-ahead log no longer than 10 s: from eraseAfter on,
// every look tries to empty it, between those who look for something, which takes long.
// It waits eraseWait for others who read, and the writer waits with it.
const (
	eraseAfter = 4 * time.Second
	eraseWait  = 50 * time.Millisecond
)

// look notices what happens to the log's files. It makes the write-ahead log empty
// when texts went that it still has, and removes the rest of them; and when nobody has
// written for a while, since it would keep the size of the busiest hour. What it can't
// do now, it does a second later.
func (l *Log) look(idle, erase time.Duration) {
	_, _ = l.place.check(), l.writer.reserve.check() // which tell the logger
	if since := l.writer.erased.Load(); since != nil && time.Since(*since) >= erase {
		if l.eraseNow() == nil {
			l.beginScrub()
		}
	}
	if l.scrub.left > 0 {
		l.goOnScrubbing(context.Background())
		return
	}
	wal, err := os.Stat(l.path + "-wal")
	if err == nil && wal.Size() > 0 && time.Since(wal.ModTime()) >= idle {
		_ = l.truncate(0)
	}
}

// eraseNow makes the write-ahead log empty while nobody looks for anything.
func (l *Log) eraseNow() error {
	l.looking.Lock()
	defer l.looking.Unlock()
	return l.truncate(eraseWait)
}

// truncate makes the write-ahead log empty, or fails if somebody reads for longer than
// wait.
func (l *Log) truncate(wait time.Duration) error {
	return l.writer.do(context.Background(), request{truncate: &wait})
}
