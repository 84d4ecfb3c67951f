// Package store keeps on the device who the person is, and of each room the
// outbox, the draft and the end of the timeline: one bbolt file for one app at a
// time. It is the Store of package session.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"parley/client/session"
)

// What Open and a Store refuse.
var (
	ErrInUse   = errors.New("another copy of the app is open and uses the same files")
	ErrNewer   = errors.New("the saved messages were written by a newer version of the app")
	ErrDamaged = errors.New("the saved messages are damaged")
)

// The layout of the file, and its version:
//
//	app                       version, name, server
//	        pins              server → the words of its certificate
//	        ids               server → its session.ServerInfo.ID
//	        devices           session.Identity of a server → the secret that it knows this device by
//	rooms / <server NUL room> state, draft, amendments
//	        log               number → savedRow, the newest fixed rows
//	        outbox            number → savedRow, in the order of writing
//
// Version 2 keeps who wrote a row. Rows of version 1 are read as they are. Up to
// version 2, the app bucket had one device for all servers: see ownDevices. Version 4
// keeps what was done to messages, and version 5 their files. What waits of these is
// next to the file: see files.
const layout = 5

var (
	appBucket    = []byte("app")
	roomsBucket  = []byte("rooms")
	logBucket    = []byte("log")
	outboxBucket = []byte("outbox")
	pinsBucket   = []byte("pins")
	devices      = []byte("devices")
	versionKey   = []byte("version")
	nameKey      = []byte("name")
	serverKey    = []byte("server")
	stateKey     = []byte("state")
	draftKey     = []byte("draft")

	amendmentsKey = []byte("amendments")
)

// lockWait is how long Open waits for another copy of the app to end.
const lockWait = time.Second

// Store keeps who the person is, outboxes, drafts and the end of each room's
// timeline in one file, for one app at a time. It may be used from any goroutine.
type Store struct {
	db       *bbolt.DB
	file     *os.File // of db, to erase in
	files    *files
	setAside string

	erasing sync.RWMutex // held for writing while nobody may read the database

	mu     sync.Mutex
	erased time.Time                // when eraseSoon last erased
	later  *time.Timer              // for what it has put off; nil if it has not
	broken error                    // once set, nothing is read or written any more
	rooms  map[string]chan struct{} // one token for each room, held by the Room that uses it
}

// Open opens the file at path, or makes it and its folder. A damaged file
// is renamed, see SetAside, and a new one made. It refuses with ErrInUse,
// after a second, ErrNewer, or what the system says, such as a full disk.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	s, err := open(path, aside)
	if !errors.Is(err, ErrDamaged) {
		return s, err
	}
	if err := setAside(path, aside); err != nil {
		return nil, err
	}
	// Its messages may have files, which no row of the new one has.
	if err := os.Rename(filesOf(path), filesOf(aside)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s, err = open(path, aside); err != nil {
		return nil, err
	}
	s.setAside = aside
	return s, nil
}

// setAside moves a damaged file away, which check may have copied already.
func setAside(path, aside string) error {
	if _, err := os.Stat(aside); err == nil {
		return os.Remove(path)
	}
	return os.Rename(path, aside)
}

func open(path, aside string) (*Store, error) {
	if err := check(path, aside); err != nil {
		return nil, fileError(err)
	}
	db, file, err := openFile(path, &bbolt.Options{})
	if err != nil {
		return nil, fileError(err)
	}
	s := &Store{db: db, file: file, files: newFiles(path), rooms: map[string]chan struct{}{}}
	copies := map[string]bool{}
	err = s.setUp(copies)
	if err == nil {
		err = fileError(s.erase()) // an app may have ended before it did
	}
	if err == nil {
		s.files.sweep(copies)
	}
	if err != nil {
		_ = s.guard(s.db.Close) // the first error is the one to tell
		return nil, err
	}
	return s, nil
}

func openFile(path string, options *bbolt.Options) (db *bbolt.DB, file *os.File, err error) {
	options.Timeout = lockWait
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		file = f
		return f, err
	}
	err, _ = survive(func() (err error) {
		db, err = bbolt.Open(path, 0o600, options)
		return err
	})
	if err != nil && file != nil {
		_ = file.Close() // open still only after a panic
	}
	return db, file, err
}

// fileError tells a damaged file from what the system refuses.
func fileError(err error) error {
	var (
		path   *fs.PathError
		number syscall.Errno
	)
	switch {
	case err == nil, errors.Is(err, ErrNewer), errors.As(err, &path), errors.As(err, &number):
		return err
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrInUse
	}
	return fmt.Errorf("%w: %v", ErrDamaged, err)
}

// setUp checks the version and reads everything once, so that damage shows now. It notes
// the copies of files that rows have.
func (s *Store) setUp(copies map[string]bool) error {
	return fileError(s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			app, err := tx.CreateBucketIfNotExists(appBucket)
			if err != nil {
				return err
			}
			rooms, err := tx.CreateBucketIfNotExists(roomsBucket)
			if err != nil {
				return err
			}
			version := app.Get(versionKey)
			if version == nil {
				return app.Put(versionKey, []byte(strconv.Itoa(layout)))
			}
			n, err := strconv.Atoi(string(version))
			switch {
			case err != nil || n < 1:
				return ErrDamaged
			case n > layout:
				return ErrNewer
			case n < layout:
				if err := app.Put(versionKey, []byte(strconv.Itoa(layout))); err != nil {
					return err
				}
			}
			servers := []string{string(app.Get(serverKey))}
			err = rooms.ForEach(func(key, value []byte) error {
				if value != nil {
					return fmt.Errorf("%q is no room", key)
				}
				var saved session.Saved
				err := (&room{}).read(rooms.Bucket(key), &saved)
				servers = append(servers, saved.State.Server)
				for _, name := range copiesOf(saved) {
					copies[name] = true
				}
				return err
			})
			return errors.Join(err, ownDevices(app, servers))
		})
	}))
}

// guard runs f over the file, which is mapped into memory: what the file does
// not hold faults, and what makes no sense panics. Both become ErrDamaged.
func (s *Store) guard(f func() error) error { return s.guarded(s.erasing.RLocker(), f) }

// guarded is guard with erasing held by lock.
func (s *Store) guarded(lock sync.Locker, f func() error) error {
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken != nil {
		return broken
	}
	lock.Lock()
	defer lock.Unlock()
	err, panicked := survive(f)
	if panicked {
		s.mu.Lock()
		s.broken = err
		s.mu.Unlock()
	}
	return err
}

// survive runs f over a file that is mapped into memory.
func survive(f func() error) (err error, panicked bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err, panicked = fmt.Errorf("%w: %v", ErrDamaged, p), true
		}
	}()
	return f(), false
}

// SetAside is the path that Open has moved a damaged file to; "" if it found none.
// Tell the person.
func (s *Store) SetAside() string { return s.setAside }

// Close closes the file. Close the Rooms first.
func (s *Store) Close() error {
	s.mu.Lock()
	later := s.later
	s.later = nil
	s.mu.Unlock()
	var err error
	if later != nil {
		later.Stop()
		err = s.erase()
	}
	return errors.Join(err, s.guard(s.db.Close))
}

// NoSync makes saving faster, for a store that need not outlive the machine.
func (s *Store) NoSync() {
	s.db.NoSync = true
	s.files.noSync.Store(true)
}

// Profile is what SetProfile saved; "" if it saved nothing. The error is the
// file's.
func (s *Store) Profile() (name, server string, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			app := tx.Bucket(appBucket)
			name, server = string(app.Get(nameKey)), string(app.Get(serverKey))
			return nil
		})
	})
	return name, server, err
}

// SetProfile keeps the person's name and the server's address.
func (s *Store) SetProfile(name, server string) error {
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			app := tx.Bucket(appBucket)
			if err := app.Put(nameKey, []byte(name)); err != nil {
				return err
			}
			return app.Put(serverKey, []byte(server))
		})
	})
}

// Enter returns the storage of a room: see session.Store.
func (s *Store) Enter(server, name string, left <-chan struct{}) session.RoomStore {
	r := &room{store: s, key: roomKey(server, name)}
	select {
	case s.token(r.key) <- struct{}{}:
		return r
	case <-left:
		return nil
	}
}

func (s *Store) token(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.rooms[key]
	if token == nil {
		token = make(chan struct{}, 1)
		s.rooms[key] = token
	}
	return token
}
