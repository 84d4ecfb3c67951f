package sqlitelog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
)

// migrations bring a database from each schema to the next; its user_version
// counts those that it has had. A released one never changes.
var migrations = []string{
	`CREATE TABLE meta (
		epoch TEXT NOT NULL
	);
	CREATE TABLE rooms (
		id   INTEGER PRIMARY KEY,
		key  TEXT    NOT NULL UNIQUE,
		name TEXT    NOT NULL,
		head INTEGER NOT NULL, -- stored, so that an offset is never used again
		last INTEGER NOT NULL  -- milliseconds since 1970
	);
	CREATE TABLE entries (
		room   INTEGER NOT NULL,
		offset INTEGER NOT NULL,
		id     TEXT    NOT NULL,
		device TEXT    NOT NULL,
		user   TEXT    NOT NULL,
		text   TEXT    NOT NULL,
		time   INTEGER NOT NULL,
		PRIMARY KEY (room, offset)
	) WITHOUT ROWID;
	CREATE UNIQUE INDEX entries_id ON entries (room, device, id);
	CREATE TABLE names (
		room   TEXT    NOT NULL,
		name   TEXT    NOT NULL,
		device TEXT    NOT NULL,
		seen   INTEGER NOT NULL,
		PRIMARY KEY (room, name)
	) WITHOUT ROWID;`,

	`CREATE TABLE locks (
		room   TEXT    NOT NULL PRIMARY KEY,
		hash   TEXT    NOT NULL,
		hidden INTEGER NOT NULL
	) WITHOUT ROWID;`,

	// From here on, a room's last is 0 if no entry of it is left.
	`UPDATE rooms SET last = 0 WHERE NOT EXISTS (SELECT 1 FROM entries WHERE room = rooms.id);
	CREATE INDEX rooms_last ON rooms (last) WHERE last > 0;`,
}

// migrate brings the database to the newest schema and returns its epoch.
func migrate(ctx context.Context, db *sql.DB) (epoch string, err error) {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return "", err
	}
	if version > len(migrations) {
		return "", fmt.Errorf("it was written by a newer Parley (schema %d, this one knows %d): "+
			"start that version, or choose another folder with --data", version, len(migrations))
	}
	for v := version; v < len(migrations); v++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return "", err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, migrations[v]); err != nil {
			return "", fmt.Errorf("migrating to schema %d: %w", v+1, err)
		}
		if v == 0 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO meta (epoch) VALUES (?)", rand.Text()); err != nil {
				return "", err
			}
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", v+1)); err != nil {
			return "", err
		}
		if err := tx.Commit(); err != nil {
			return "", err
		}
	}
	err = db.QueryRowContext(ctx, "SELECT epoch FROM meta").Scan(&epoch)
	return epoch, err
}

// newEpoch begins another incarnation of the log, and returns its name.
func newEpoch(ctx context.Context, db *sql.DB) (epoch string, err error) {
	epoch = rand.Text()
	_, err = db.ExecContext(ctx, "UPDATE meta SET epoch = ?", epoch)
	return epoch, err
}
