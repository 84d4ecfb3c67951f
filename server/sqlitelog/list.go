package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Rules reads the rules of a room in the folder dir. A server may be running on it. It
// fails with chat.ErrNoRoom if the log knows no such room.
func Rules(ctx context.Context, dir string, room shared.Name) (rules chat.Rules, err error) {
	db, unreadable, err := openNewest(ctx, dir)
	if err != nil {
		return rules, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil) // of one moment
	if err != nil {
		return rules, unreadable(err)
	}
	defer tx.Rollback()
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM rooms WHERE key = ?)", room.Key).Scan(&there); err != nil {
		return rules, unreadable(err)
	}
	if !there {
		return rules, chat.ErrNoRoom
	}
	if rules, err = loadRules(ctx, tx, room.Key); err != nil {
		return rules, unreadable(err)
	}
	return rules, nil
}

// openNewest opens a database to read it, if it has the newest schema. The function
// makes sentences of what goes wrong later.
func openNewest(ctx context.Context, dir string) (db *sql.DB, unreadable func(error) error, err error) {
	path := filepath.Join(dir, FileName)
	unreadable = func(err error) error {
		if isDamage(err) {
			return damaged(path, err.Error())
		}
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	if db, err = openExisting(path); err != nil {
		return nil, nil, err
	}
	switch version, err := schemaOf(ctx, path); {
	case err != nil:
		return nil, nil, errors.Join(unreadable(err), db.Close())
	case version != newest:
		return nil, nil, errors.Join(fmt.Errorf("the database %s is of another version: start this version's server on it once", path), db.Close())
	}
	return db, unreadable, nil
}

// AllRooms lists every room in the folder dir that has entries, had some, or is
// locked; the one that was used last comes first. A server may be running on it.
func AllRooms(ctx context.Context, dir string) (rooms []chat.RoomTotals, err error) {
	db, unreadable, err := openNewest(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `
		WITH all_rooms (key, name, id, bytes, last, locked, hidden) AS (
			SELECT key, name, id, bytes, last, hash IS NOT NULL, hidden IS 1 FROM rooms LEFT JOIN locks ON locks.room = key
			UNION ALL SELECT room, room, 0, 0, made, 1, hidden FROM locks WHERE room NOT IN (SELECT key FROM rooms))
		SELECT name, (SELECT COUNT(*) FROM entries WHERE at > all_rooms.id << 40 AND at < (all_rooms.id + 1) << 40 AND `+kept+`), bytes,
			MAX(last, (SELECT COALESCE(MAX(seen), 0) FROM names WHERE room = key)) AS used, locked, hidden
		FROM all_rooms ORDER BY used DESC, key`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r chat.RoomTotals
		var ms int64
		if err := rows.Scan(&r.Name, &r.Messages, &r.Bytes, &ms, &r.Locked, &r.Hidden); err != nil {
			return nil, unreadable(err)
		}
		r.Last = time.UnixMilli(ms).UTC()
		rooms = append(rooms, r)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return rooms, nil
}
