package sqlitelog

import (
	"context"
	"fmt"
	"path/filepath"
)

// Summary is what Check found in a log that is whole.
type Summary struct {
	Path    string
	Rooms   int
	Entries int64
	Bytes   int64 // of the database's file
	Epoch   string
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
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM rooms), (SELECT COUNT(*) FROM entries), (SELECT epoch FROM meta)").
		Scan(&s.Rooms, &s.Entries, &s.Epoch); err != nil {
		return s, fmt.Errorf("the database %s is not a Parley log: %w", s.Path, err)
	}
	for what, query := range map[string]string{
		"messages belong to no room":                "SELECT COUNT(*) FROM entries WHERE room NOT IN (SELECT id FROM rooms)",
		"messages lie beyond the end of their room": "SELECT COUNT(*) FROM entries JOIN rooms ON rooms.id = entries.room WHERE entries.offset > rooms.head",
	} {
		var n int64
		if err := tx.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return s, fmt.Errorf("the database %s can't be read: %w", s.Path, err)
		}
		if n != 0 {
			return s, damaged(s.Path, fmt.Sprint(n, " ", what))
		}
	}
	return s, nil
}
