package session

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

	"parley/shared"
)

// What OpenStore and a Store refuse.
var (
	ErrStoreInUse   = errors.New("another copy of the app is open and uses the same files")
	ErrStoreNewer   = errors.New("the saved messages were written by a newer version of the app")
	ErrStoreDamaged = errors.New("the saved messages are damaged")
)

// The layout of the file, and its version:
//
//	app                       version, device
//	        pins              server → the words of its certificate
//	rooms / <server NUL room> state, draft
//	        log               number → savedRow, the newest fixed rows
//	        outbox            number → savedRow, in the order of writing
//
// Version 2 keeps who wrote a row. Rows of version 1 are read as they are.
const storeVersion = 2

var (
	appBucket    = []byte("app")
	roomsBucket  = []byte("rooms")
	logBucket    = []byte("log")
	outboxBucket = []byte("outbox")
	pinsBucket   = []byte("pins")
	versionKey   = []byte("version")
	deviceKey    = []byte("device")
	nameKey      = []byte("name")
	serverKey    = []byte("server")
	stateKey     = []byte("state")
	draftKey     = []byte("draft")
)

// lockWait is how long OpenStore waits for another copy of the app to end.
const lockWait = time.Second

// Store keeps who the person is, outboxes, drafts and the end of each room's
// timeline in one file, for one app at a time. It may be used from any goroutine.
type Store struct {
	db       *bbolt.DB
	setAside string

	mu     sync.Mutex
	broken error                    // once set, nothing is read or written any more
	rooms  map[string]chan struct{} // one token for each room, held by the Room that uses it
}

// OpenStore opens the file at path, or makes it and its folder. A damaged file
// is renamed, see SetAside, and a new one made. It refuses with ErrStoreInUse,
// after a second, ErrStoreNewer, or what the system says, such as a full disk.
func OpenStore(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	s, err := openStore(path)
	if !errors.Is(err, ErrStoreDamaged) {
		return s, err
	}
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(path, aside); err != nil {
		return nil, err
	}
	if s, err = openStore(path); err != nil {
		return nil, err
	}
	s.setAside = aside
	return s, nil
}

func openStore(path string) (*Store, error) {
	if err := checkFile(path); err != nil {
		return nil, fileError(err)
	}
	s := &Store{rooms: map[string]chan struct{}{}}
	var file *os.File
	err := s.guard(func() (err error) {
		s.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: lockWait,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				file = f
				return f, err
			},
		})
		return err
	})
	if err == nil {
		if err = s.setUp(); err != nil {
			_ = s.guard(s.db.Close) // the first error is the one to tell
		}
		return s, err
	}
	if file != nil {
		_ = file.Close() // open still only after a panic
	}
	return nil, fileError(err)
}

// fileError tells a damaged file from what the system refuses.
func fileError(err error) error {
	var (
		path   *fs.PathError
		number syscall.Errno
	)
	switch {
	case err == nil, errors.Is(err, ErrStoreNewer), errors.As(err, &path), errors.As(err, &number):
		return err
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrStoreInUse
	}
	return fmt.Errorf("%w: %v", ErrStoreDamaged, err)
}

// setUp checks the version and reads everything once, so that damage shows now.
func (s *Store) setUp() error {
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
				return app.Put(versionKey, []byte(strconv.Itoa(storeVersion)))
			}
			n, err := strconv.Atoi(string(version))
			switch {
			case err != nil || n < 1:
				return ErrStoreDamaged
			case n > storeVersion:
				return ErrStoreNewer
			case n < storeVersion:
				if err := app.Put(versionKey, []byte(strconv.Itoa(storeVersion))); err != nil {
					return err
				}
			}
			return rooms.ForEach(func(key, value []byte) error {
				if value != nil {
					return fmt.Errorf("%q is no room", key)
				}
				_, err := readRoom(rooms.Bucket(key))
				return err
			})
		})
	}))
}

// guard runs f over the file, which is mapped into memory: what the file does
// not hold faults, and what makes no sense panics. Both become ErrStoreDamaged.
func (s *Store) guard(f func() error) (err error) {
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken != nil {
		return broken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrStoreDamaged, p)
			s.mu.Lock()
			s.broken = err
			s.mu.Unlock()
		}
	}()
	return f()
}

// SetAside is where OpenStore has moved a damaged file; "" when it found none.
// Tell the person.
func (s *Store) SetAside() string { return s.setAside }

// Close closes the file. Close the Rooms first.
func (s *Store) Close() error { return s.guard(s.db.Close) }

// Device is this installation's secret, made at the first call. The error is
// the file's.
func (s *Store) Device() (device string, err error) {
	err = s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			app := tx.Bucket(appBucket)
			device = string(app.Get(deviceKey))
			if shared.CheckDevice(device) == nil {
				return nil
			}
			device = NewDevice()
			return app.Put(deviceKey, []byte(device))
		})
	})
	return device, err
}

// Profile is what SetProfile kept; "" where it kept nothing. The error is the
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

// claim waits until no other Room uses the room; false when the one that waits
// is left before.
func (s *Store) claim(key string, left <-chan struct{}) bool {
	select {
	case s.token(key) <- struct{}{}:
		return true
	case <-left:
		return false
	}
}

func (s *Store) release(key string) { <-s.token(key) }

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
