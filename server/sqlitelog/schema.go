package sqlitelog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
)

// base is the oldest schema that a database is changed from in place; from one
// before it, a new database is made: see rebuild.go. A database's user_version is
// its schema.
const base = 4

// An entry's row has the key room<<40 | offset, so that a room's entries lie
// together and in order. The second index knows a repeated message. It begins
// with the id because ids mostly grow with time: it is then filled at its end, and
// neither index makes a commit touch many pages.
//
// What is said of a message later changes the message's own row, and is an entry
// of its own besides: see Entry.
const baseSchema = `
	CREATE TABLE meta (
		epoch TEXT NOT NULL
	);
	CREATE TABLE rooms (
		id   INTEGER PRIMARY KEY,
		key  TEXT    NOT NULL UNIQUE,
		name TEXT    NOT NULL,
		head INTEGER NOT NULL, -- stored, so that an offset is never used again
		last INTEGER NOT NULL  -- milliseconds since 1970; 0 if no entry is left
	);
	CREATE INDEX rooms_last ON rooms (last) WHERE last > 0;
	CREATE TABLE entries (
		at        INTEGER PRIMARY KEY, -- room << 40 | offset
		room      INTEGER NOT NULL,
		id        BLOB    NOT NULL, -- a ULID as 16 bytes, any other id as text
		device    BLOB    NOT NULL, -- 32 hexadecimal digits as 16 bytes, any other device as text
		user      TEXT    NOT NULL,
		text      TEXT    NOT NULL,
		time      INTEGER NOT NULL, -- milliseconds since 1970
		kind      INTEGER NOT NULL DEFAULT 0, -- 0 is a message
		target    INTEGER NOT NULL DEFAULT 0, -- of a change: the offset of its message
		reply     INTEGER NOT NULL DEFAULT 0, -- of a message: the offset of the one that it answers
		state     INTEGER NOT NULL DEFAULT 0, -- of a message: edited, deleted
		changed   INTEGER NOT NULL DEFAULT 0, -- of a message: the offset of its last change
		reactions BLOB,                       -- of a message: whose and which
		offset    INTEGER AS (at & 0xffffffffff) VIRTUAL
	);
	CREATE TABLE names (
		room   TEXT    NOT NULL,
		name   TEXT    NOT NULL,
		device TEXT    NOT NULL,
		seen   INTEGER NOT NULL,
		PRIMARY KEY (room, name)
	) WITHOUT ROWID;
	CREATE TABLE locks (
		room   TEXT    NOT NULL PRIMARY KEY,
		hash   TEXT    NOT NULL,
		hidden INTEGER NOT NULL
	) WITHOUT ROWID;`

// baseIndexes are made when the rows are there, which is faster.
const baseIndexes = `
	CREATE UNIQUE INDEX entries_id ON entries (id, device, room);
	CREATE INDEX entries_changed ON entries (room, changed) WHERE changed > 0;`

// changes bring a database from each schema to the next, beginning with base. One
// that was merged never changes.
var changes = []string{
	// Schema 5: how large rooms are, when locks were made, and the offsets of rooms
	// that were deleted or renamed.
	`ALTER TABLE meta ADD COLUMN bounded INTEGER NOT NULL DEFAULT 0; -- the log began with a bound to its size
	ALTER TABLE rooms ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0; -- of its entries: see chat.Entry.Size
	UPDATE rooms SET bytes = (SELECT COALESCE(SUM(octet_length(text) + octet_length(user) + 160), 0)
		FROM entries WHERE at > rooms.id << 40 AND at < (rooms.id + 1) << 40);
	ALTER TABLE locks ADD COLUMN made INTEGER NOT NULL DEFAULT 0; -- milliseconds since 1970
	UPDATE locks SET made = unixepoch() * 1000;
	CREATE TABLE ends (
		key  TEXT    NOT NULL PRIMARY KEY, -- of a room that is not there any more
		room INTEGER NOT NULL,             -- rooms.id of what it was renamed to; 0 if it was deleted
		head INTEGER NOT NULL              -- after which another room with this key begins
	) WITHOUT ROWID;`,
	// Schema 6: who may own a name, and how long; and of names that look alike, which
	// was first.
	`ALTER TABLE names ADD COLUMN spoken INTEGER NOT NULL DEFAULT 0; -- something was said under it
	ALTER TABLE names ADD COLUMN address INTEGER; -- stands for where the device was
	ALTER TABLE names ADD COLUMN look TEXT; -- its skeleton, if no other name had it before
	CREATE UNIQUE INDEX names_look ON names (room, look) WHERE look IS NOT NULL;
	CREATE INDEX names_device ON names (room, device);
	CREATE INDEX names_address ON names (address, seen, spoken) WHERE address IS NOT NULL`,
	// Schema 7: which log it is, whatever its epoch.
	`ALTER TABLE meta ADD COLUMN id BLOB;
	UPDATE meta SET id = randomblob(16)`,
	// Schema 8: what holds in rooms: see chat.Rules. A room of which there is something
	// in hosts or barred has a row in settings. The text of a notice is chat.Entry.Packed,
	// and so is that of a delete of more than one message.
	`ALTER TABLE meta ADD COLUMN host_key BLOB; -- SHA-256 of the operator's key
	CREATE TABLE settings (
		room     TEXT    NOT NULL PRIMARY KEY,
		settings TEXT    NOT NULL, -- as JSON
		set_by   TEXT    NOT NULL,
		pinned   INTEGER NOT NULL  -- the offset of a message, which may be gone
	) WITHOUT ROWID;
	CREATE TABLE hosts (
		room   TEXT    NOT NULL,
		device TEXT    NOT NULL,
		name   TEXT    NOT NULL,
		offset INTEGER NOT NULL, -- of the entry that made it a host
		since  INTEGER NOT NULL, -- milliseconds since 1970
		PRIMARY KEY (room, device)
	) WITHOUT ROWID;
	CREATE TABLE barred (
		room     TEXT    NOT NULL,
		device   TEXT    NOT NULL,
		name     TEXT    NOT NULL,
		offset   INTEGER NOT NULL, -- of the newest entry about it
		removed  INTEGER NOT NULL, -- milliseconds since 1970, or 0, as silenced
		remover  TEXT    NOT NULL,
		silenced INTEGER NOT NULL,
		silencer TEXT    NOT NULL,
		PRIMARY KEY (room, device)
	) WITHOUT ROWID;
	CREATE INDEX entries_notices ON entries (room) WHERE kind = 4`,
	// Schema 9: files: see chat.FileRow. A file and its message name each other.
	`ALTER TABLE entries ADD COLUMN file TEXT; -- of a message: files.id
	CREATE TABLE files (
		id     TEXT    NOT NULL PRIMARY KEY,
		room   TEXT    NOT NULL, -- a key, also of a room that is not there yet
		device BLOB    NOT NULL, -- as in entries
		off    INTEGER NOT NULL, -- of its message, or 0
		name   TEXT    NOT NULL,
		type   TEXT    NOT NULL,
		size   INTEGER NOT NULL,
		width  INTEGER NOT NULL,
		height INTEGER NOT NULL,
		thumb  INTEGER NOT NULL,
		state  INTEGER NOT NULL, -- 0 is incomplete, 1 whole, 2 gone
		made   INTEGER NOT NULL  -- milliseconds since 1970
	) WITHOUT ROWID;
	CREATE INDEX files_loose ON files (device, made) WHERE off = 0;
	CREATE INDEX files_whole ON files (made, size) WHERE state = 1`,
	// Schema 10: whose files make room for others.
	`ALTER TABLE files ADD COLUMN source INTEGER NOT NULL DEFAULT 0; -- see chat.FileRow
	DROP INDEX files_whole;
	CREATE INDEX files_shares ON files (source, device, made, size) WHERE state = 1`,
}

// These are the first schemas that have files, and that say where they come from.
const (
	withFiles   = 9
	withSources = 10
)

// newest is the schema that this program works with.
var newest = base + len(changes)

const (
	offsetBits = 40
	maxOffset  = 1<<offsetBits - 1
	maxRoom    = 1<<(63-offsetBits) - 2 // of rooms.id, so that the key behind a room's last is one, too
)

// rowOf is the key of an entry's row.
func rowOf(room, offset int64) int64 {
	return room<<offsetBits | min(max(offset, 0), maxOffset)
}

// migrate brings the database to the newest schema, and makes it if it is not
// there.
func migrate(ctx context.Context, path string, opt Options) error {
	version, err := schemaOf(ctx, path)
	switch {
	case err != nil:
		return err
	case version > newest:
		return fmt.Errorf("it was written by a newer Parley (schema %d, this one knows %d): "+
			"start that version, or choose another folder with --data", version, newest)
	case version == newest:
		return nil
	case version > 0 && version < base:
		if err := rebuild(ctx, path, version, opt); err != nil {
			return err
		}
		version = base
	}
	db, err := open(path, opt, "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if version == 0 {
		begin := []string{baseSchema + baseIndexes, "INSERT INTO meta (epoch) VALUES ('" + rand.Text() + "')"}
		begin = append(append(begin, changes...), "UPDATE meta SET bounded = 1")
		if err := step(ctx, db, newest, begin...); err != nil {
			return err
		}
		version = newest
	}
	for v := version; v < newest; v++ {
		if err := step(ctx, db, v+1, changes[v-base]); err != nil {
			return fmt.Errorf("going over to schema %d: %w", v+1, err)
		}
	}
	return db.Close()
}

// step carries out statements in one transaction, after which the database has the
// schema version.
func step(ctx context.Context, db *sql.DB, version int, statements ...string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range append(statements, setVersion(version)) {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func setVersion(version int) string { return fmt.Sprintf("PRAGMA user_version = %d", version) }

// schemaOf is the schema of a database; 0 if there is none yet.
func schemaOf(ctx context.Context, path string) (version int, err error) {
	if size(path) == 0 {
		return 0, nil
	}
	db, err := openExisting(path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// newEpoch begins another incarnation of the log, and returns its name.
func newEpoch(ctx context.Context, db *sql.DB) (epoch string, err error) {
	epoch = rand.Text()
	_, err = db.ExecContext(ctx, "UPDATE meta SET epoch = ?", epoch)
	return epoch, err
}
