package sqlitelog

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

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
	rows, err := db.QueryContext(ctx, "SELECT offset, id, device, user, text, time FROM entries "+
		"WHERE room = (SELECT id FROM rooms WHERE key = ?) ORDER BY offset", room.Key)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		e := chat.Entry{Room: room.Key}
		var ms int64
		if err := rows.Scan(&e.Offset, &e.ID, &e.Device, &e.User, &e.Text, &ms); err != nil {
			return unreadable(err)
		}
		e.Time = time.UnixMilli(ms).UTC()
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
