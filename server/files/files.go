// Package files keeps the bytes of pictures and files, takes them from members and
// serves them over HTTP. What there is to know of a file, the log has: chat.FileRows.
//
// A file comes in parts, each of which is on the disk before its answer says so. It is
// whole once all bytes are there under its final name, and then it never changes. It
// goes with its message: the log deletes its row first, and what no row refers to is
// removed, at the latest by the next start.
package files

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// FolderName is the folder with the bytes in the data folder.
const FolderName = "files"

// Options are how a Store works. A zero bound is no bound; the other fields say what
// their zero value means.
type Options struct {
	Max   int64 // bytes of one file; 0 takes none
	Bytes int64 // of all whole files together: see chat.Expiring; unfinished ones have half as much
	Free  int64 // bytes of the disk that files leave free

	PerSource int                        // requests at once from one source
	Source    func(*http.Request) string // where a request comes from; nil if PerSource is 0

	// Renew is asked whether an upload that takes long may go on to count among those of
	// the source of a request; nil if sources are not told apart. Charge is told how
	// often a request has waited for the disk; nil if nobody wants to know.
	Renew  func(r *http.Request, id string) bool
	Charge func(r *http.Request, syncs int)

	Patience time.Duration    // without a byte of an upload; 30 s by default
	Logger   *slog.Logger     // nil logs nothing
	Now      func() time.Time // time.Now by default

	// Secret makes the keys of uploads. Without one, the store makes its own, which lives
	// as long as the process: whoever sends a file asks again after a restart.
	Secret []byte

	Space func(dir string) (free uint64, err error) // of the disk; the system's by default
}

// Hold is how long an upload is kept that no message has.
const Hold = 24 * time.Hour

// Store keeps files. It implements chat.Files.
type Store struct {
	disk disk
	rows chat.FileRows
	opt  Options

	secret []byte

	turns   turns
	gates   gates
	parts   parts
	pending atomic.Int64 // bytes that are about to be written
	metrics *metrics
	missing rate.Sometimes // says that a file is not there

	mu   sync.Mutex
	gone []string      // ids whose bytes are to be removed
	wake chan struct{} // there is something for work

	stopping context.Context // over when the server stops
	stop     context.CancelFunc
	done     chan struct{}
}

// Open opens the store in the data folder dir, and removes what rows does not refer to.
func Open(ctx context.Context, dir string, rows chat.FileRows, opt Options) (*Store, error) {
	opt.Patience = cmp.Or(opt.Patience, 30*time.Second)
	opt.Logger = cmp.Or(opt.Logger, slog.New(slog.DiscardHandler))
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Renew == nil {
		opt.Renew = func(*http.Request, string) bool { return true }
	}
	if opt.Charge == nil {
		opt.Charge = func(*http.Request, int) {}
	}
	if opt.Space == nil {
		opt.Space = func(dir string) (uint64, error) {
			free, _, err := sqlitelog.Space(dir)
			return free, err
		}
	}
	s := &Store{
		disk: disk{filepath.Join(dir, FolderName)}, rows: rows, opt: opt, secret: opt.Secret,
		wake: make(chan struct{}, 1), done: make(chan struct{}), missing: rate.Sometimes{Interval: time.Minute},
	}
	s.metrics = newMetrics(s)
	s.gates.most = opt.PerSource
	if s.secret == nil {
		s.secret = make([]byte, 32)
		_, _ = rand.Read(s.secret) // never fails
	}
	if err := os.Mkdir(s.disk.dir, 0o700); err == nil {
		err = errors.Join(sqlitelog.GiveToOwner(s.disk.dir), syncPath(dir))
		if err != nil {
			return nil, fmt.Errorf("the folder %s can't be made: %w", s.disk.dir, err)
		}
	} else if !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("the folder %s can't be made: %w", s.disk.dir, err)
	}
	rows.OnFilesGone(s.Unlink)
	if err := s.sweep(ctx); err != nil {
		return nil, fmt.Errorf("the files in %s can't be looked through: %w", s.disk.dir, err)
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	go s.work(s.stopping)
	s.rouse() // --files-bytes may be another one
	return s, nil
}

// Stop ends what is sent and received now, which goes on after a restart where it stood.
func (s *Store) Stop() {
	s.stop()
	s.turns.interrupt()
}

// Close ends what the store does by itself. Nothing may be asked of it any more, and
// the log is closed after it.
func (s *Store) Close() {
	s.stop()
	<-s.done
}

// Max implements chat.Files.
func (s *Store) Max() int64 { return s.opt.Max }

// Begin implements chat.Files.
func (s *Store) Begin(ctx context.Context, row chat.FileRow) (key string, at int64, err error) {
	if row.Size > s.opt.Max {
		return "", 0, &chat.Refusal{Code: shared.CodeNotAllowed, Reason: s.sayMax()}
	}
	row.Name, row.Made = shared.FileName(row.Name), s.opt.Now()
	if row, err = s.rows.BeginFile(ctx, row); err != nil {
		return "", 0, err
	}
	if row.State == chat.FileGone {
		return "", 0, &chat.Refusal{Code: shared.CodeNotAllowed, Reason: "The server keeps this file no longer. Send it as a new one."}
	}
	if at, err = s.stands(ctx, row); err != nil {
		return "", 0, fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
	}
	if at < row.Size && !s.hasRoom(ctx, row, row.Size-at, row.Size-at) {
		if at == 0 {
			err = s.rows.DropFile(ctx, row.ID)
		}
		s.metrics.refused.WithLabelValues("disk").Inc()
		return "", 0, errors.Join(fmt.Errorf("%w: %w", chat.ErrUnavailable, chat.ErrNoSpace), err)
	}
	return s.key(row), at, nil
}

func (s *Store) sayMax() string { return fmt.Sprintf("The file has over %d bytes.", s.opt.Max) }

// stands returns how many bytes of a file are there. What a crash has left undone
// between the last byte and the log, it does.
func (s *Store) stands(ctx context.Context, row chat.FileRow) (int64, error) {
	if row.State == chat.FileWhole {
		return row.Size, nil
	}
	size, err := s.disk.size(row.ID)
	if err == nil && size < 0 {
		size, err = s.disk.partSize(row.ID)
	}
	if err != nil || size < row.Size {
		return size, err
	}
	turn := s.turns.take(row.ID, nil)
	defer turn.end()
	if row, err = s.rows.File(ctx, row.ID); err != nil || row.State == chat.FileWhole {
		return row.Size, err
	}
	return row.Size, s.complete(ctx, row)
}

// complete makes a file whole whose bytes are all there, and tells the log. The caller
// has its turn.
func (s *Store) complete(ctx context.Context, row chat.FileRow) error {
	size, err := s.disk.size(row.ID)
	if err == nil && size < 0 {
		err = s.disk.finish(row.ID)
	}
	if err != nil {
		return err
	}
	kind, err := s.kindOf(row)
	if err != nil {
		return err
	}
	switch err := s.rows.WholeFile(ctx, row.ID, kind); {
	case errors.Is(err, chat.ErrNoFile):
		s.parts.remove(row.ID)
		return errors.Join(err, s.disk.remove(row.ID))
	case err != nil:
		return err
	}
	s.parts.remove(row.ID) // after its row has changed: see keepThumb
	s.metrics.whole.Inc()
	s.rouse()
	return nil
}

func (s *Store) kindOf(row chat.FileRow) (string, error) {
	f, err := os.Open(s.disk.path(row.ID))
	if err != nil {
		return "", err
	}
	defer f.Close()
	return Kind(f, row.Size, row.Name), nil
}

// key is what lets whoever begins an upload send its bytes.
func (s *Store) key(row chat.FileRow) string {
	mac := hmac.New(sha256.New, s.secret)
	for _, part := range []string{row.ID, row.Device, row.Room} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
