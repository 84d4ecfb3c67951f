// Package sqlitelog keeps the rooms' log in one SQLite database. One goroutine
// writes: it takes whatever waits and commits it as one transaction, so that at
// load many entries share one fsync. Reads use connections of their own.
package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite" // the driver "sqlite", in Go alone

	"parley/server/chat"
	"parley/shared"
)

// Sync says how a commit is made durable.
type Sync string

// Full survives a power cut. Normal may lose the last moments to one, but
// nothing to a killed server.
const (
	Full   Sync = "full"
	Normal Sync = "normal"
)

// Options are how a Log works. The zero value has the defaults.
type Options struct {
	Sync Sync // Full by default

	// BusyTimeout is how long a write waits for another program that holds the
	// database, 2 s by default. Then it fails, and the sender may try again.
	BusyTimeout time.Duration

	// MaxPages bounds the database's size in pages of 4 KB; 0 is no bound.
	MaxPages int

	// DiskFree is how many bytes of the disk entries leave free; 0 leaves none, and a
	// negative number stands for DefaultDiskFree.
	DiskFree int64

	// Observe is told how long each transaction took.
	Observe func(d time.Duration)

	Logger *slog.Logger // of what an operator should know; nothing by default

	free  func(dir string) (uint64, error) // bytes that the disk of dir has left
	stage func(name string)                // is told how far a rebuild is
	idle  time.Duration                    // after which the write-ahead log is truncated
	erase time.Duration                    // the same after a text went
}

func (o Options) withDefaults() Options {
	if o.Sync == "" {
		o.Sync = Full
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = defaultBusy
	}
	if o.Observe == nil {
		o.Observe = func(time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.free == nil {
		o.free = freeSpace
	}
	if o.idle == 0 {
		o.idle = 10 * time.Second
	}
	if o.erase == 0 {
		o.erase = eraseAfter
	}
	if o.stage == nil {
		o.stage = func(string) {}
	}
	return o
}

const defaultBusy = 2 * time.Second

// Log is a chat.Log, a chat.Registry and a chat.FileRows.
type Log struct {
	path     string // of the database
	bounded  bool
	place    *place
	epoch    string
	id       string  // 32 hexadecimal digits
	lock     *sql.DB // holds the lock file for as long as it is open
	unsynced unsynced
	writer   *writer
	read     *sql.DB

	watch     *watch
	scrub     scrub
	looking   sync.RWMutex // held while somebody looks for something, which may take long
	deleting  sync.Mutex   // held by who looks for what a device wrote; taken before looking
	retention *retention   // nil where everything is kept
	logger    *slog.Logger

	readPage, readEntries, readHistory, readNotices, readChanges, readChanged, readTexts, readRow, readReactions, readUser *sql.Stmt
	readHeld, readOwner, readLook, readLock, readRooms, readFile, readFiles                                                *sql.Stmt
}

var (
	_ chat.Log      = (*Log)(nil)
	_ chat.Registry = (*Log)(nil)
	_ chat.FileRows = (*Log)(nil)
)

// FileName is the database's name in the data folder.
const FileName = "parley.db"

const lockName = "parley.lock"

func inUse(dir string) error {
	return fmt.Errorf("another Parley server is using the data folder %s: stop it, or choose another folder with --data", dir)
}

// Open opens the log in the folder dir, and creates what is missing of both. Its errors
// are sentences that say what to do.
func Open(ctx context.Context, dir string, opt Options) (_ *Log, err error) {
	opt = opt.withDefaults()
	// A commit need not wait for the file's times. Without fdatasync, it does.
	_, _ = sqlite.Fdatasync(true)
	if err := writable(dir); err != nil {
		return nil, err
	}
	l := &Log{logger: opt.Logger}
	defer func() {
		if err != nil {
			_ = l.closeFiles() // err is what matters
		}
	}()
	if l.lock, err = takeLock(ctx, filepath.Join(dir, lockName)); err != nil {
		return nil, inUse(dir)
	}
	l.path = filepath.Join(dir, FileName)
	path := l.path
	if err := checkCopying(path); err != nil {
		return nil, err
	}
	fail := func(err error) (*Log, error) {
		if isDamage(err) {
			return nil, damaged(path, err.Error())
		}
		return nil, fmt.Errorf("the database %s can't be used: %w", path, err)
	}
	mend(dir, opt.Logger)
	unclean, err := inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return fail(err)
	}
	if l.unsynced, err = markUnsynced(dir, opt.Sync); err != nil {
		return nil, err
	}
	if err := migrate(ctx, path, opt); err != nil {
		return fail(err)
	}

	l.place = &place{path: path, logger: opt.Logger}
	l.writer = &writer{place: l.place, reserve: newReserve(path, opt.DiskFree, opt), busy: opt.BusyTimeout}
	var writing sqlite.Driver
	if err := l.writer.pending.register(&writing); err != nil {
		return fail(err)
	}
	write := l.place.connect(&writing, dsn(path, opt, "mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous("+string(opt.Sync)+")", fmt.Sprintf("_pragma=max_page_count(%d)", opt.MaxPages),
		"_pragma=wal_autocheckpoint(8192)", "_pragma=cache_size(-16384)", "_pragma=secure_delete(on)", "_pragma=temp_store(MEMORY)", "_txlock=immediate"))
	write.SetMaxOpenConns(1)
	l.writer.db = write
	if err := write.QueryRowContext(ctx, "SELECT epoch, bounded, lower(hex(id)) FROM meta").Scan(&l.epoch, &l.bounded, &l.id); err != nil {
		return fail(err)
	}
	// Opening a file for writing may have given it another inode, as on overlayfs.
	if err := l.place.settle(); err != nil {
		return fail(err)
	}
	if l.unsynced.found {
		if l.epoch, err = newEpoch(ctx, write); err != nil {
			return fail(err)
		}
		if opt.Sync == Full { // what was recovered went to the disk with it
			if err := l.unsynced.remove(); err != nil {
				return fail(err)
			}
		}
	}
	if unclean || l.unsynced.found {
		opt.Logger.Warn("the last run did not end in good order", "new_epoch", l.unsynced.found)
	}
	l.read = l.place.connect(&sqlite.Driver{}, dsn(path, opt, "mode=rw", "_pragma=query_only(true)"))
	l.read.SetMaxOpenConns(4)
	l.read.SetMaxIdleConns(4)
	if err := l.prepare(ctx); err != nil {
		return fail(err)
	}
	if err := l.writer.start(ctx, l.epoch, opt.Observe); err != nil {
		return fail(err)
	}
	l.writer.erased.Store(new(time.Now())) // by the last run, or a version that left more
	l.watch = startWatch(func() { l.look(opt.idle, opt.erase) })
	return l, nil
}

// Bounded reports whether the log began with a bound to its size. Those of earlier
// versions did not.
func (l *Log) Bounded() bool { return l.bounded }

// ID tells this log from others: 32 hexadecimal digits, which its backups have, too.
func (l *Log) ID() string { return l.id }

// writable makes sure that dir is a folder that files can be made in.
func writable(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".write-test-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("the data folder %s can't be written (%w): allow it, or choose another folder with --data", dir, err)
}

// takeLock holds an exclusive transaction on an empty database next to the log.
// The system lets go of it when the process ends, however it ends.
func takeLock(ctx context.Context, path string) (*sql.DB, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	db, err := open(path, Options{BusyTimeout: time.Millisecond}, "_pragma=journal_mode(MEMORY)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func open(path string, opt Options, params ...string) (*sql.DB, error) {
	return sql.Open("sqlite", dsn(path, opt, params...))
}

// dsn is a database's name as the driver takes it.
func dsn(path string, opt Options, params ...string) string {
	dsn := fmt.Sprintf("%s?_pragma=busy_timeout(%d)", address(path), opt.BusyTimeout.Milliseconds())
	for _, p := range params {
		dsn += "&" + p
	}
	return dsn
}

// address is a file's name as SQLite takes it, together with parameters.
func address(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// roomRow is where the rows of a room begin, whose key is the first parameter.
const roomRow = "(SELECT id FROM rooms WHERE key = ?1) << 40"

func (l *Log) prepare(ctx context.Context) error {
	for stmt, query := range map[**sql.Stmt]string{
		&l.readPage:      readPage,
		&l.readEntries:   "SELECT " + columns + " FROM entries WHERE at > " + roomRow + " | ?2 AND at <= " + roomRow + " | ?3 AND " + shown + " ORDER BY at LIMIT ?4",
		&l.readHistory:   "SELECT " + columns + " FROM entries WHERE at > " + roomRow + " AND at < " + roomRow + " | ?2 AND kind = 0 ORDER BY at DESC LIMIT ?3",
		&l.readNotices:   noticesQuery,
		&l.readChanges:   changesQuery,
		&l.readChanged:   changedQuery,
		&l.readTexts:     "SELECT at, iif(" + kept + ", text, NULL), iif(file IS NULL, '', (SELECT name FROM files WHERE id = file)) FROM entries WHERE at > " + roomRow + " AND at < " + roomRow + " | ?2 ORDER BY at DESC",
		&l.readRow:       rowQuery,
		&l.readReactions: "SELECT reactions FROM entries WHERE at = " + roomRow + " | ?2 AND reactions IS NOT NULL",
		&l.readUser:      "SELECT user FROM entries WHERE at = " + roomRow + " | ?2 AND kind = 3",
		&l.readHeld:      "SELECT device, SUM(" + entryBytes + ") FROM entries WHERE at > " + roomRow + " AND at <= " + roomRow + " | 0xffffffffff GROUP BY device",
		&l.readOwner:     ownerQuery,
		&l.readLook:      lookQuery,
		&l.readLock:      "SELECT hash, hidden, made FROM locks WHERE room = ?",
		&l.readRooms:     roomsQuery,
		&l.readFile:      fileQuery,
		&l.readFiles:     "SELECT " + fileColumns + " FROM files WHERE id > ? ORDER BY id LIMIT ?",
	} {
		var err error
		if *stmt, err = l.read.PrepareContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// Open implements chat.Log.
func (l *Log) Open(ctx context.Context, room shared.Name, told chat.Follower) (chat.State, func(), error) {
	var state chat.State
	f := &follower{Follower: told}
	err := l.writer.do(ctx, request{open: func(r *roomState, first int64) {
		state = chat.State{Name: r.name, Epoch: l.epoch, Head: r.head, First: first, Last: r.last, Rules: r.rules.Clone()}
		state.Rules.Begin(first)
		f.handed = r.head
		r.followers = append(r.followers, f)
	}, room: room})
	if err != nil {
		return chat.State{}, nil, err
	}
	return state, func() { l.writer.unfollow(room.Key, f) }, nil
}

// Append implements chat.Log.
func (l *Log) Append(ctx context.Context, room shared.Name, e chat.Entry, done func(chat.Receipt, error)) {
	e.Room = room.Key
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.Edited, e.Deleted, e.Changed = false, false, 0
	if e.Extra != nil {
		own := e.Own()
		own.Quote, own.Reactions, own.Targets = nil, nil, nil
		if e.Kind != chat.KindMessage {
			own.File = nil // an edit has its message's
		}
	}
	r := &request{room: room, entry: e, done: done}
	if act := e.Extras().Act; act != nil && act.Do == shared.DoDeleteAll {
		var err error
		if r.wrote, err = l.findWrote(ctx, room.Key, e); err != nil {
			done(chat.Receipt{}, unavailable(err))
			return
		}
	}
	l.writer.queueAppend(ctx, r)
}

// Held implements chat.Log.
func (l *Log) Held(ctx context.Context, room string) (map[string]int64, error) {
	held := make(map[string]int64)
	rows, err := l.readHeld.QueryContext(ctx, room)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var device string
		var bytes int64
		if err := rows.Scan((*deviceID)(&device), &bytes); err != nil {
			return nil, unavailable(err)
		}
		held[device] = bytes
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable(err)
	}
	return held, nil
}

// Ready implements chat.Log: it writes something and takes it away again.
func (l *Log) Ready(ctx context.Context) error {
	return l.writer.do(ctx, request{probe: true})
}

// Close implements chat.Log.
func (l *Log) Close() error {
	if l.retention != nil {
		l.retention.end()
	}
	l.watch.end()
	l.writer.stop()
	moved := l.place.check()
	err := errors.Join(moved, l.closeDatabase())
	// Another program that reads keeps the log from being written back.
	if err == nil && size(l.path+"-wal") == 0 {
		err = l.unsynced.remove()
	}
	return errors.Join(err, l.lock.Close()) // last: whoever waits for it finds everything done
}

// closeFiles gives up what Open has opened so far.
func (l *Log) closeFiles() error {
	err := l.closeDatabase()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	return err
}

func (l *Log) closeDatabase() error {
	var errs []error
	if l.read != nil {
		errs = append(errs, l.read.Close())
	}
	if l.writer != nil && l.writer.db != nil {
		errs = append(errs, l.writer.db.Close())
	}
	return errors.Join(errs...)
}

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
}
