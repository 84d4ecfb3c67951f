package sqlitelog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/server/chat"
)

// settingsQuery gives what is pinned only while it is there.
const settingsQuery = "SELECT settings, set_by, EXISTS (SELECT 1 FROM entries WHERE at = rooms.id << 40 | pinned AND " + kept + ") * pinned " +
	"FROM settings JOIN rooms ON rooms.key = settings.room WHERE rooms.key = ?"

// querier is what rules are read by: a connection or a database.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// loadRules reads the rules of a room that has entries, or had some.
func loadRules(ctx context.Context, db querier, room string) (chat.Rules, error) {
	rules := chat.Rules{Used: true}
	var settings []byte
	switch err := db.QueryRowContext(ctx, settingsQuery, room).Scan(&settings, &rules.SetBy, &rules.Pinned); {
	case errors.Is(err, sql.ErrNoRows):
		return rules, nil
	case err != nil:
		return rules, err
	}
	if err := json.Unmarshal(settings, &rules.Settings); err != nil {
		return rules, fmt.Errorf("the settings of the room %q can't be read: %w", room, err)
	}
	var err error
	if rules.Hosts, err = loadHosts(ctx, db, room); err == nil {
		rules.Barred, err = loadBarred(ctx, db, room)
	}
	return rules, err
}

func loadHosts(ctx context.Context, db querier, room string) (map[string]chat.Host, error) {
	rows, err := db.QueryContext(ctx, "SELECT device, name, offset, since FROM hosts WHERE room = ?", room)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hosts := make(map[string]chat.Host)
	for rows.Next() {
		var device string
		var h chat.Host
		var since int64
		if err := rows.Scan(&device, &h.Name, &h.Offset, &since); err != nil {
			return nil, err
		}
		h.Since = time.UnixMilli(since).UTC()
		hosts[device] = h
	}
	return hosts, rows.Err()
}

func loadBarred(ctx context.Context, db querier, room string) (map[string]chat.Bar, error) {
	rows, err := db.QueryContext(ctx, "SELECT device, name, offset, removed, remover, silenced, silencer FROM barred WHERE room = ?", room)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stamp := func(by string, ms int64) chat.Stamp {
		if ms == 0 {
			return chat.Stamp{}
		}
		return chat.Stamp{By: by, At: time.UnixMilli(ms).UTC()}
	}
	barred := make(map[string]chat.Bar)
	for rows.Next() {
		var device, remover, silencer string
		var b chat.Bar
		var removed, silenced int64
		if err := rows.Scan(&device, &b.Name, &b.Offset, &removed, &remover, &silenced, &silencer); err != nil {
			return nil, err
		}
		b.Removed, b.Silenced = stamp(remover, removed), stamp(silencer, silenced)
		barred[device] = b
	}
	return barred, rows.Err()
}

// execer is a connection or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// saveRules writes what a notice has changed.
func saveRules(ctx context.Context, db execer, room string, before, now chat.Rules) error {
	settings, err := json.Marshal(now.Settings)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = db.ExecContext(ctx, query, args...)
		}
	}
	ms := func(s chat.Stamp) int64 {
		if s == (chat.Stamp{}) {
			return 0
		}
		return s.At.UnixMilli()
	}
	exec("INSERT OR REPLACE INTO settings (room, settings, set_by, pinned) VALUES (?, ?, ?, ?)", room, string(settings), now.SetBy, now.Pinned)
	for device, h := range now.Hosts {
		if before.Hosts[device] != h {
			exec("INSERT OR REPLACE INTO hosts (room, device, name, offset, since) VALUES (?, ?, ?, ?, ?)", room, device, h.Name, h.Offset, h.Since.UnixMilli())
		}
	}
	for device := range before.Hosts {
		if _, still := now.Hosts[device]; !still {
			exec("DELETE FROM hosts WHERE room = ? AND device = ?", room, device)
		}
	}
	for device, b := range now.Barred {
		if before.Barred[device] != b {
			exec("INSERT OR REPLACE INTO barred (room, device, name, offset, removed, remover, silenced, silencer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				room, device, b.Name, b.Offset, ms(b.Removed), b.Removed.By, ms(b.Silenced), b.Silenced.By)
		}
	}
	for device := range before.Barred {
		if _, still := now.Barred[device]; !still {
			exec("DELETE FROM barred WHERE room = ? AND device = ?", room, device)
		}
	}
	return err
}

// SetHostKey implements chat.Registry.
func (l *Log) SetHostKey(ctx context.Context, hash []byte) error {
	return l.edit(ctx, func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "UPDATE meta SET host_key = ?", hash)
		return err
	})
}

// HostKey implements chat.Registry.
func (l *Log) HostKey(ctx context.Context) (hash []byte, err error) {
	err = l.read.QueryRowContext(ctx, "SELECT host_key FROM meta").Scan(&hash)
	return hash, wrap(err)
}
