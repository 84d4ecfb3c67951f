package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/server/chat"
)

// Claim implements chat.Registry.
func (l *Log) Claim(ctx context.Context, c chat.Claim, rules chat.NameRules) (standing chat.Standing, err error) {
	err = l.writer.do(ctx, request{claim: &claim{c, rules, &standing}})
	return standing, err
}

// Owner implements chat.Registry.
func (l *Log) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	c, err := scanClaim(l.readOwner.QueryRowContext(ctx, room, name), room)
	return c, wrap(err)
}

// Knows implements chat.Registry.
func (l *Log) Knows(ctx context.Context, room, device string) (knows bool, err error) {
	err = l.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM names WHERE room = ? AND device = ?)", room, device).Scan(&knows)
	return knows, wrap(err)
}

const removedQuery = "SELECT EXISTS (SELECT 1 FROM barred JOIN names INDEXED BY names_device ON names.room = barred.room AND names.device = barred.device " +
	"WHERE barred.room = ? AND barred.removed > ? AND names.address = ?)"

// RemovedFrom implements chat.Registry.
func (l *Log) RemovedFrom(ctx context.Context, room, address string, after time.Time) (removed bool, err error) {
	err = l.read.QueryRowContext(ctx, removedQuery, room, max(after.UnixMilli(), 0), addressNumber(address)).Scan(&removed)
	return removed, wrap(err)
}

// LookOwner implements chat.Registry.
func (l *Log) LookOwner(ctx context.Context, room, look string) (chat.Claim, error) {
	c, err := scanClaim(l.readLook.QueryRowContext(ctx, room, look), room)
	return c, wrap(err)
}

// SetLock implements chat.Registry.
func (l *Log) SetLock(ctx context.Context, room string, lock chat.Lock) (set bool, err error) {
	err = l.writer.do(ctx, request{lock: &newLock{room, lock, &set}})
	return set, err
}

// Lock implements chat.Registry.
func (l *Log) Lock(ctx context.Context, room string) (lock chat.Lock, err error) {
	var ms int64
	err = l.readLock.QueryRowContext(ctx, room).Scan(&lock.Hash, &lock.Hidden, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Lock{}, nil
	}
	if err != nil {
		return chat.Lock{}, unavailable(err)
	}
	lock.Made = time.UnixMilli(ms).UTC()
	return lock, nil
}

const roomsQuery = "SELECT rooms.key, rooms.name, rooms.last, locks.hash IS NOT NULL FROM rooms LEFT JOIN locks ON locks.room = rooms.key " +
	"WHERE rooms.last > 0 AND locks.hidden IS NOT 1 ORDER BY rooms.last DESC, rooms.id DESC LIMIT ?"

// Rooms implements chat.Registry.
func (l *Log) Rooms(ctx context.Context, limit int) (rooms []chat.Listed, err error) {
	rows, err := l.readRooms.QueryContext(ctx, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r chat.Listed
		var ms int64
		if err := rows.Scan(&r.Key, &r.Name, &ms, &r.Locked); err != nil {
			return nil, unavailable(err)
		}
		r.Last = time.UnixMilli(ms).UTC()
		rooms = append(rooms, r)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable(err)
	}
	return rooms, nil
}
