package sqlitelog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/server/chat"
	"parley/shared"
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

// saveRules writes what a notice has changed.
func (w *writer) saveRules(ctx context.Context, room string, before, now chat.Rules) error {
	settings, err := json.Marshal(now.Settings)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = w.conn.ExecContext(ctx, query, args...)
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

const wroteQuery = "SELECT offset, octet_length(text), COALESCE(file, '') FROM entries WHERE at > ? AND at < ? AND device = ? AND " + kept + " ORDER BY at"

// deleteAll adds the deletes that a notice brings with it, and carries them out.
func (w *writer) deleteAll(ctx context.Context, r *roomState, notice chat.Entry) error {
	rows, err := w.conn.QueryContext(ctx, wroteQuery, rowOf(r.id, 0), rowOf(r.id+1, 0), deviceID(notice.Extras().Act.Device).pack())
	if err != nil {
		return err
	}
	defer rows.Close()
	var offsets []int64
	var files []string
	for rows.Next() {
		var offset, bytes int64
		var file string
		if err := rows.Scan(&offset, &bytes, &file); err != nil {
			return err
		}
		offsets, files = append(offsets, offset), append(files, file)
		r.gone += bytes
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	w.erases = w.erases || len(offsets) > 0
	for _, file := range files {
		if err := w.deleteFile(ctx, file); err != nil {
			return err
		}
	}
	n := 0
	for targets := range slices.Chunk(offsets, shared.MaxTargets) {
		n++
		e := chat.Entry{Room: notice.Room, ID: deleteID(notice.ID, n), Device: notice.Device, User: notice.User, Time: notice.Time,
			Kind: chat.KindDelete, Target: targets[0], Offset: r.head + 1}
		if len(targets) > 1 {
			e.Own().Targets = targets
		}
		if e.Offset > maxOffset {
			return errors.New("the room has no place for the deletes of a notice")
		}
		if err := r.rules.Carry(e); err != nil {
			return err
		}
		if err := w.addAbout(ctx, r, e, nil); err != nil {
			return err
		}
		for _, target := range targets {
			if _, err := w.stmt.erase.ExecContext(ctx, rowOf(r.id, target), e.Offset); err != nil {
				return err
			}
		}
		r.added(e)
	}
	return nil
}

// deleteID is the id of the nth delete that a notice brings with it. It is no other
// one's: an id that a client makes is not a hash of another.
func deleteID(notice string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", notice, n))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
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
