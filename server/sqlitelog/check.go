package sqlitelog

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"parley/server/chat"
)

// Summary is what Check found in a log that is whole.
type Summary struct {
	Path     string
	Rooms    int
	Messages int64 // without deleted ones
	Bytes    int64 // of the database's file
	Epoch    string
}

// Check reads the whole log in the folder dir. Its error, a sentence, says what
// is wrong with it. A server may be running on it. It changes nothing, and takes
// some ten seconds for a million messages.
func Check(ctx context.Context, dir string) (s Summary, err error) {
	s.Path = filepath.Join(dir, FileName)
	db, err := openExisting(s.Path)
	if err != nil {
		return s, err
	}
	defer db.Close()
	if err := pragmaCheck(ctx, db, s.Path, "integrity_check(1)"); err != nil {
		return s, err
	}
	s.Bytes = size(s.Path)
	tx, err := db.BeginTx(ctx, nil) // of one moment
	if err != nil {
		return s, fmt.Errorf("the database %s can't be read: %w", s.Path, err)
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return s, fmt.Errorf("the database %s can't be read: %w", s.Path, err)
	}
	messages := "SELECT COUNT(*) FROM entries"
	type count struct{ of, query string } // of what is wrong
	wrong := []count{
		{"messages belong to no room", "SELECT COUNT(*) FROM entries WHERE room NOT IN (SELECT id FROM rooms)"},
		{"messages lie beyond the end of their room", "SELECT COUNT(*) FROM entries JOIN rooms ON rooms.id = entries.room WHERE entries.offset > rooms.head"},
	}
	if version >= base {
		messages += " WHERE " + kept
		wrong = append(wrong, count{"messages were changed beyond the end of their room",
			"SELECT COUNT(*) FROM entries JOIN rooms ON rooms.id = entries.room WHERE entries.changed > rooms.head"})
	}
	if version >= withFiles {
		wrong = append(wrong,
			count{"messages have a file that is not theirs", "SELECT COUNT(*) FROM entries LEFT JOIN files ON files.id = entries.file " +
				"WHERE entries.file IS NOT NULL AND (entries.kind <> 0 OR files.off IS NOT entries.offset OR files.room IS NOT (SELECT key FROM rooms WHERE id = entries.room))"},
			count{"files belong to a message that has another one, or is not there", "SELECT COUNT(*) FROM files WHERE off > 0 AND id IS NOT " +
				"(SELECT file FROM entries WHERE at = (SELECT id FROM rooms WHERE key = files.room) << 40 | files.off)"})
	}
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM rooms), ("+messages+"), (SELECT epoch FROM meta)").
		Scan(&s.Rooms, &s.Messages, &s.Epoch); err != nil {
		return s, fmt.Errorf("the database %s is not a Parley log: %w", s.Path, err)
	}
	for _, w := range wrong {
		var n int64
		if err := tx.QueryRowContext(ctx, w.query).Scan(&n); err != nil {
			return s, fmt.Errorf("the database %s can't be read: %w", s.Path, err)
		}
		if n != 0 {
			return s, damaged(s.Path, fmt.Sprint(w.of, ": ", n))
		}
	}
	if version < base {
		return s, nil
	}
	if err := checkNotices(ctx, tx, s.Path); err != nil {
		return s, err
	}
	return s, checkReactions(ctx, tx, s.Path)
}

// checkNotices reads what notices, and deletes of many messages, have in place of a text.
func checkNotices(ctx context.Context, tx *sql.Tx, path string) error {
	rows, err := tx.QueryContext(ctx, "SELECT kind, text FROM entries WHERE kind IN (2, 4)")
	if err != nil {
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var e chat.Entry
		var packed string
		if err := rows.Scan(&e.Kind, &packed); err != nil {
			return fmt.Errorf("the database %s can't be read: %w", path, err)
		}
		if err := e.Unpack(packed); err != nil {
			return damaged(path, err.Error())
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	return nil
}

func checkReactions(ctx context.Context, tx *sql.Tx, path string) error {
	rows, err := tx.QueryContext(ctx, "SELECT reactions FROM entries WHERE reactions IS NOT NULL")
	if err != nil {
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var packed sql.RawBytes
		if err := rows.Scan(&packed); err != nil {
			return fmt.Errorf("the database %s can't be read: %w", path, err)
		}
		if _, err := unpackReactions(packed); err != nil {
			return damaged(path, err.Error())
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	return nil
}
