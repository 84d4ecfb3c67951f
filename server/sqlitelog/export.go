package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"parley/server/chat"
	"parley/shared"
)

// exportPage is how many entries are read at once.
const exportPage = 500

// Export calls each with every message and every notice that a room in the folder dir
// has now, in order, as it is now; deleted ones are left out. A server may be running on it. It
// fails if the room has none.
//
// It reads page by page and holds nothing in between: as long as a reader stays at one
// moment, SQLite can't reuse the write-ahead log, which would grow while each waits.
func Export(ctx context.Context, dir string, room shared.Name, each func(chat.Entry) error) error {
	path := filepath.Join(dir, FileName)
	db, err := openExisting(path)
	if err != nil {
		return err
	}
	defer db.Close()
	unreadable := func(err error) error {
		if isDamage(err) {
			return damaged(path, err.Error())
		}
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	version, err := schemaOf(ctx, path)
	if err != nil {
		return unreadable(err)
	}
	// A server that has not been started since may have left an older schema.
	query := "SELECT " + oldColumns + " FROM entries WHERE room = ?1 AND offset > ?2 AND offset <= ?3 ORDER BY offset LIMIT ?4"
	var row *sql.Stmt
	if version >= base {
		columns, rowQuery := columns, rowQuery
		if version < withFiles {
			columns, rowQuery = columnsBefore, rowQueryBefore
		}
		query = "SELECT " + columns + " FROM entries WHERE at > ?1 << 40 | ?2 AND at <= ?1 << 40 | ?3 AND (" + kept + " OR kind = 4) ORDER BY at LIMIT ?4"
		if row, err = db.PrepareContext(ctx, rowQuery); err != nil {
			return unreadable(err)
		}
		defer row.Close()
	}
	var id, head, after int64
	switch err := db.QueryRowContext(ctx, "SELECT id, head FROM rooms WHERE key = ?", room.Key).Scan(&id, &head); {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return unreadable(err)
	}
	for first := true; ; first = false {
		page, err := scan(ctx, room.Key, 0, row, func() (*sql.Rows, error) { return db.QueryContext(ctx, query, id, after, head, exportPage) })
		if err != nil {
			return unreadable(err)
		}
		if first && len(page) == 0 {
			return fmt.Errorf("the log in %s has no messages of a room %q", dir, room.Text)
		}
		for _, e := range page {
			if err := each(e); err != nil {
				return err
			}
			after = e.Offset
		}
		if len(page) < exportPage {
			return nil
		}
	}
}
