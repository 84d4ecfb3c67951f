package sqlitelog

import (
	"context"
	"database/sql"
	"encoding/binary"
	"time"
)

// scrub removes what is left of deleted texts in pages that never had their rows, or
// no longer. SQLite's secure_delete overwrites a row that goes. But when SQLite shares
// rows out among neighbouring pages, copies of them can stay in a page's free space.
//
// It goes through the database page by page, a part of a second at a time. The
// goroutine of watch alone touches it.
type scrub struct {
	page  int64 // the last one that it looked at
	left  int64 // how many it has to look at
	wrote bool  // to pages, since it last was through
}

const (
	scrubFor   = 100 * time.Millisecond // at a time
	scrubPages = 256                    // to write in one transaction
)

const (
	countPages = "PRAGMA page_count"
	readPage   = "SELECT data FROM sqlite_dbpage WHERE pgno = ?"
	writePage  = "UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?"
)

// beginScrub has all pages looked at.
func (l *Log) beginScrub() {
	var pages int64
	if err := l.read.QueryRow(countPages).Scan(&pages); err == nil { // or after the next deletion
		l.scrub.left = pages
	}
}

// goOnScrubbing looks at some more pages, until it is through. What it can't do now,
// it does when it is called again.
func (l *Log) goOnScrubbing(ctx context.Context) {
	s := &l.scrub
	dirty, err := l.dirtyPages(ctx)
	if err != nil {
		return
	}
	if len(dirty) > 0 {
		err := l.edit(ctx, func(ctx context.Context, c *sql.Conn) error { return cleanPages(ctx, c, dirty) })
		if err != nil {
			l.beginScrub()
			return
		}
		s.wrote = true
	}
	if s.left > 0 || !s.wrote {
		return
	}
	if l.truncate(eraseWait) != nil {
		s.left = 1
		return
	}
	s.wrote = false
}

// dirtyPages looks for pages with something in their free space.
func (l *Log) dirtyPages(ctx context.Context) (dirty []int64, err error) {
	s := &l.scrub
	var pages int64
	if err := l.read.QueryRowContext(ctx, countPages).Scan(&pages); err != nil {
		return nil, err
	}
	for begun := time.Now(); s.left > 0 && len(dirty) < scrubPages && time.Since(begun) < scrubFor; s.left-- {
		next := s.page%pages + 1
		var data sql.RawBytes
		rows, err := l.readPage.QueryContext(ctx, next)
		if err != nil {
			return nil, err
		}
		if rows.Next() && rows.Scan(&data) == nil && len(residue(data, next)) > 0 {
			dirty = append(dirty, next)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
		s.page = next
	}
	return dirty, nil
}

// cleanPages empties the free space of pages, as they are now.
func cleanPages(ctx context.Context, c *sql.Conn, pages []int64) error {
	for _, page := range pages {
		var data []byte
		if err := c.QueryRowContext(ctx, readPage, page).Scan(&data); err != nil {
			return err
		}
		free := residue(data, page)
		if len(free) == 0 {
			continue
		}
		clear(free)
		if _, err := c.ExecContext(ctx, writePage, data, page); err != nil {
			return err
		}
	}
	return nil
}

// residue returns the free space of a leaf of a table, between the pointers to its
// rows and the rows (SQLite's file format, 1.6). It is nil if that is all zeros, and
// for every other kind of page: a text is nowhere else.
func residue(data []byte, page int64) []byte {
	const leafOfTable, header = 13, 8
	begin := 0
	if page == 1 {
		begin = 100 // behind the header of the file
	}
	if len(data) < begin+header || data[begin] != leafOfTable {
		return nil
	}
	rows := int(binary.BigEndian.Uint16(data[begin+3:]))
	from, to := begin+header+2*rows, int(binary.BigEndian.Uint16(data[begin+5:]))
	if from >= to || to > len(data) {
		return nil
	}
	for _, b := range data[from:to] {
		if b != 0 {
			return data[from:to]
		}
	}
	return nil
}
