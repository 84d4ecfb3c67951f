package pglog

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/transfer"
)

// Texts are bytea: a message may have a zero byte, which PostgreSQL's text has not.
// Names and keys compare byte by byte.
//
// A room's row is the lock that everything takes first that writes to the room. It is
// made before its first entry, and then has the offset of the last room of that key.
// The rules are in it as JSON, with the offset of the entry that changed them last, so
// that a server knows whether those that it remembers still hold.
//
// What lies before a room's first offset is gone, though its rows go later and in
// pieces.
var migrations = []string{`
	CREATE TABLE meta (
		epoch    text  COLLATE "C" NOT NULL,
		id       text  COLLATE "C" NOT NULL, -- 32 hexadecimal digits
		secret   bytea NOT NULL,             -- makes the keys of uploads
		host_key bytea                       -- SHA-256 of the operator's key
	);
	CREATE TABLE rooms (
		id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		key   text   COLLATE "C" NOT NULL UNIQUE,
		name  text   COLLATE "C" NOT NULL,
		used  boolean NOT NULL DEFAULT false, -- it has an entry, or had one
		head  bigint NOT NULL,
		first bigint NOT NULL,                -- the offset of the oldest entry that is kept
		last  bigint NOT NULL DEFAULT 0,      -- milliseconds since 1970; 0 if no entry is left
		bytes bigint NOT NULL DEFAULT 0,      -- of its entries: see chat.Entry.Size
		version bigint NOT NULL DEFAULT 0,    -- grows when the room is locked, unlocked or renamed
		ruled bigint NOT NULL DEFAULT 0,      -- the offset of the entry that changed the rules last
		rules text   COLLATE "C"              -- as JSON; NULL for those of a room without hosts
	) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
	CREATE TABLE ends ( -- of rooms that are not there any more
		key  text   COLLATE "C" PRIMARY KEY,
		room bigint NOT NULL, -- rooms.id of what it was renamed to; 0 if it was deleted
		head bigint NOT NULL  -- after which another room with this key begins
	);
	CREATE TABLE entries (
		room      bigint NOT NULL,
		off       bigint NOT NULL,
		id        text   COLLATE "C" NOT NULL,
		device    text   COLLATE "C" NOT NULL,
		usr       text   COLLATE "C" NOT NULL,
		text      bytea  NOT NULL,
		time      bigint NOT NULL, -- milliseconds since 1970
		kind      smallint NOT NULL,
		target    bigint NOT NULL,
		reply     bigint NOT NULL,
		state     smallint NOT NULL,
		changed   bigint NOT NULL,
		reactions text COLLATE "C",
		file      text COLLATE "C",
		PRIMARY KEY (room, off)
	);
	CREATE UNIQUE INDEX entries_id ON entries (room, device, id);
	CREATE INDEX entries_changed ON entries (room, changed, off) WHERE changed > 0;
	CREATE INDEX entries_notices ON entries (room, off) WHERE kind = 4;
	CREATE TABLE servers (
		id   text   COLLATE "C" PRIMARY KEY,
		seen bigint NOT NULL -- grows as long as the server can write
	) WITH (fillfactor = 50);
	CREATE SEQUENCE people_n;
	CREATE UNLOGGED TABLE people ( -- who is in a room at a server
		room   text   COLLATE "C" NOT NULL,
		server text   COLLATE "C" NOT NULL,
		people text   NOT NULL, -- as JSON
		n      bigint NOT NULL, -- in the order in which they were written
		PRIMARY KEY (room, server)
	) WITH (fillfactor = 50);
	CREATE INDEX people_order ON people (n);
	CREATE TABLE marks ( -- how many transactions each writer of a server has committed
		server text   COLLATE "C" NOT NULL,
		writer int    NOT NULL,
		n      bigint NOT NULL,
		PRIMARY KEY (server, writer)
	) WITH (fillfactor = 50);
	CREATE TABLE names (
		room    text    COLLATE "C" NOT NULL,
		name    text    COLLATE "C" NOT NULL,
		device  text    COLLATE "C" NOT NULL,
		seen    bigint  NOT NULL, -- milliseconds since 1970
		spoken  boolean NOT NULL, -- something was said under it
		address bigint,           -- stands for where the device was
		look    text    COLLATE "C", -- its skeleton, if no other name had it before
		PRIMARY KEY (room, name)
	);
	CREATE UNIQUE INDEX names_look ON names (room, look) WHERE look IS NOT NULL;
	CREATE INDEX names_device ON names (room, device);
	CREATE INDEX names_address ON names (address, seen, spoken) WHERE address IS NOT NULL;
	CREATE TABLE locks (
		room   text    COLLATE "C" PRIMARY KEY,
		hash   text    COLLATE "C" NOT NULL,
		hidden boolean NOT NULL,
		made   bigint  NOT NULL
	);
	CREATE TABLE files ( -- see chat.FileRow
		id     text     COLLATE "C" PRIMARY KEY,
		room   text     COLLATE "C" NOT NULL,
		device text     COLLATE "C" NOT NULL,
		off    bigint   NOT NULL,
		name   text     COLLATE "C" NOT NULL,
		type   text     COLLATE "C" NOT NULL,
		size   bigint   NOT NULL,
		width  int      NOT NULL,
		height int      NOT NULL,
		thumb  boolean  NOT NULL,
		state  smallint NOT NULL,
		made   bigint   NOT NULL
	);
	CREATE INDEX files_loose ON files (device, made) WHERE off = 0;
	CREATE INDEX files_whole ON files (made, size) WHERE state = 1;
	CREATE INDEX files_room ON files (room);`,
	// Whose files make room for others.
	`ALTER TABLE files ADD COLUMN source bigint NOT NULL DEFAULT 0; -- see chat.FileRow
	DROP INDEX files_whole;
	CREATE INDEX files_shares ON files (source, device, made, size) WHERE state = 1`,
	// What each server keeps, and whether the log began with a bound to its size.
	`ALTER TABLE servers ADD COLUMN retain text COLLATE "C";
	ALTER TABLE meta ADD COLUMN bounded boolean NOT NULL DEFAULT true`,
	// Since when a server is not there, so that its counters go some day.
	`ALTER TABLE marks ADD COLUMN away bigint -- milliseconds since 1970`,
	// What devices and addresses have used of what they may: see chat.Spent.
	`CREATE UNLOGGED TABLE spent (
		run      text   COLLATE "C" NOT NULL, -- of a server, from its start to its end
		n        bigint NOT NULL,             -- how many it has told
		at       timestamptz NOT NULL DEFAULT now(),
		accounts text[] COLLATE "C" NOT NULL, -- which, so that nobody can tell whose
		amounts  int[]  NOT NULL,
		PRIMARY KEY (run, n)
	)`,
	// What the newest entry is, as tailOf has it, by which other servers tell that what they
	// hear comes after what they have. A program of before leaves it as it is.
	`ALTER TABLE rooms ADD COLUMN tail bigint NOT NULL DEFAULT 0`,
	// On which timeline the epoch began.
	`ALTER TABLE meta ADD COLUMN timeline bigint NOT NULL DEFAULT 0`,
	// An id mostly begins with the time, so those that are new are next to each other.
	`DROP INDEX entries_id;
	CREATE UNIQUE INDEX entries_id ON entries (room, id, device)`,
}

// migrateKey is the advisory lock under which the schema changes.
const migrateKey = 0x7061726c6579

// migrate makes the schema and brings it to the newest version. It waits for no standby:
// what proves later that the database can be written comes after it.
func (l *Log) migrate(ctx context.Context) error {
	tx, err := l.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = local"); err != nil {
		return err
	}
	if err := lockSchema(ctx, tx, l.opt.startFor); err != nil {
		return err
	}
	if l.opt.Existing {
		if there, err := hasLog(ctx, tx, l.opt.Schema); err != nil || !there {
			return cmp.Or(err, ErrNoLog)
		}
	}
	version, err := migrateTo(ctx, tx, l.opt.Schema, l.opt.migrations)
	if err == nil && version == 0 {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		err = addMeta(ctx, tx, transfer.Log{ID: fmt.Sprintf("%x", id), Bounded: true})
	}
	if err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// ErrNoLog is what Open fails with if the database should have a log, and has none.
var ErrNoLog = errors.New("there is no log in it: correct the address in --log, or start a server on it first, which begins one")

func hasLog(ctx context.Context, tx pgx.Tx, schema string) (there bool, err error) {
	err = tx.QueryRow(ctx, "SELECT to_regclass(quote_ident($1) || '.versions') IS NOT NULL", schema).Scan(&there)
	return there, err
}

// lockSchema waits until nobody else makes tables, or copies them, and keeps others from
// it until the transaction ends.
func lockSchema(ctx context.Context, tx pgx.Tx, wait time.Duration) error {
	for _, s := range []string{
		fmt.Sprintf("SET LOCAL lock_timeout = %d", wait.Milliseconds()),
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrateKey),
		"SET LOCAL lock_timeout = 0",
	} {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// migrateTo makes the schema, and brings it to the newest version. It returns the version
// that it had, 0 if it was not there: then the log has still to be begun.
func migrateTo(ctx context.Context, tx pgx.Tx, schema string, migrations []string) (version int, err error) {
	var there, versions bool
	var tables int
	// Even where nothing has to be made, CREATE … IF NOT EXISTS needs the right to.
	if err := tx.QueryRow(ctx, "SELECT n.oid IS NOT NULL, (SELECT count(*) FROM pg_class WHERE relnamespace = n.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')), "+
		"EXISTS (SELECT 1 FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.relnamespace = n.oid AND c.relname = 'versions' AND attname = 'oldest') "+
		"FROM (SELECT to_regnamespace(quote_ident($1)) AS oid) AS n", schema).Scan(&there, &tables, &versions); err != nil {
		return 0, err
	}
	switch {
	case !there:
		_, err = tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	case !versions && tables > 0:
		return 0, fmt.Errorf("its schema %q has tables of another program: choose another database with --log", schema)
	}
	if err == nil && !versions {
		_, err = tx.Exec(ctx, "CREATE TABLE versions (version int NOT NULL, oldest int NOT NULL)")
	}
	if err != nil {
		return 0, err
	}
	var oldest int
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(version), 0), COALESCE(MAX(oldest), 0) FROM versions").Scan(&version, &oldest); err != nil {
		return 0, err
	}
	if oldest > len(migrations) {
		return 0, fmt.Errorf("it was written by a newer Parley (schema %d, this one knows %d): start that version", version, len(migrations))
	}
	for v := version; v < len(migrations); v++ {
		if _, err := tx.Exec(ctx, migrations[v]); err != nil {
			return 0, fmt.Errorf("going over to schema %d: %w", v+1, err)
		}
		// Every change so far can be run beside the program of before.
		if _, err := tx.Exec(ctx, "INSERT INTO versions VALUES ($1, 1)", v+1); err != nil {
			return 0, err
		}
	}
	return version, nil
}
