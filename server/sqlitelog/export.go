package sqlitelog

import (
	"context"
	"fmt"
	"path/filepath"

	"parley/server/chat"
	"parley/shared"
)

// Export calls each with every entry of a room in the folder dir, in order, as
// they are at one moment. A server may be running on it. It fails where the room
// has none.
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
	query := "SELECT " + columns + " FROM entries WHERE room = (SELECT id FROM rooms WHERE key = ?) ORDER BY offset"
	if version >= base {
		query = "SELECT " + columns + " FROM entries WHERE at > " + roomRow + " AND at <= " + roomRow + " | 0xffffffffff ORDER BY at"
	}
	rows, err := db.QueryContext(ctx, query, room.Key)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		e, err := scanEntry(rows, room.Key)
		if err != nil {
			return unreadable(err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	if n == 0 {
		return fmt.Errorf("the log in %s has no messages of a room %q", dir, room.Text)
	}
	return nil
}
