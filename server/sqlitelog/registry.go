package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/server/chat"
)

// Claim implements chat.Registry.
func (l *Log) Claim(ctx context.Context, c chat.Claim, hold time.Duration) (owned bool, err error) {
	err = l.writer.do(ctx, request{claim: &claim{c, hold, &owned}})
	return owned, err
}

// Owner implements chat.Registry.
func (l *Log) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	c := chat.Claim{Room: room, Name: name}
	var ms int64
	switch err := l.readOwner.QueryRowContext(ctx, room, name).Scan(&c.Device, &ms); {
	case errors.Is(err, sql.ErrNoRows):
		return chat.Claim{}, nil
	case err != nil:
		return chat.Claim{}, unavailable(err)
	}
	c.Seen = time.UnixMilli(ms).UTC()
	return c, nil
}

// Names implements chat.Registry.
func (l *Log) Names(ctx context.Context, room string, limit int) (names []string, err error) {
	rows, err := l.readNames.QueryContext(ctx, room, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, unavailable(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable(err)
	}
	return names, nil
}

// SetLock implements chat.Registry.
func (l *Log) SetLock(ctx context.Context, room string, lock chat.Lock) (set bool, err error) {
	err = l.writer.do(ctx, request{lock: &newLock{room, lock, &set}})
	return set, err
}

// Lock implements chat.Registry.
func (l *Log) Lock(ctx context.Context, room string) (lock chat.Lock, err error) {
	err = l.readLock.QueryRowContext(ctx, room).Scan(&lock.Hash, &lock.Hidden)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Lock{}, nil
	}
	if err != nil {
		return chat.Lock{}, unavailable(err)
	}
	return lock, nil
}
