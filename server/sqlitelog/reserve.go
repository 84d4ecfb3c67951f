package sqlitelog

import (
	"log/slog"
	"path/filepath"
	"sync"

	"parley/server/chat"
)

// reserve is what is kept free on the disk: a full one would take the database, the
// system and every other program with it. Only entries are held up by it, since
// they are what fills a disk; people still come in and read.
type reserve struct {
	dir    string
	bytes  uint64 // 0 is no reserve
	free   func(dir string) (uint64, error)
	logger *slog.Logger

	mu   sync.Mutex
	full bool
}

// newReserve returns the reserve of a database's disk. Below 0, bytes stands for
// DefaultDiskFree.
func newReserve(path string, bytes int64, opt Options) *reserve {
	r := &reserve{dir: filepath.Dir(path), bytes: uint64(max(bytes, 0)), free: opt.free, logger: opt.Logger}
	if bytes < 0 {
		r.bytes = DefaultDiskFree
		if all, err := diskSize(r.dir); err == nil {
			r.bytes = min(r.bytes, all/20)
		}
	}
	return r
}

// DefaultDiskFree is how many bytes of the disk are kept free by default, or 5 % of
// it if that is less.
const DefaultDiskFree = 1e9

// Space returns how many bytes this user may still write to the disk of a folder, and
// how many of these a server leaves free unless it is told otherwise.
func Space(dir string) (free, kept uint64, err error) {
	if free, err = freeSpace(dir); err != nil {
		return 0, 0, err
	}
	return free, newReserve(filepath.Join(dir, FileName), -1, Options{}).bytes, nil
}

// check returns chat.ErrNoSpace while less is free than the reserve. It logs a
// change. Once the disk was full, a twentieth more has to be free.
func (r *reserve) check() error {
	if r.bytes == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	need := r.bytes
	if r.full {
		need += need / 20
	}
	free, err := r.free(r.dir)
	full := err == nil && free < need // nobody knows otherwise: the write will tell
	switch {
	case full && !r.full:
		r.logger.Error("the disk is almost full: messages are refused until there is more room than --disk-free keeps", "free", free, "disk_free", r.bytes)
	case !full && r.full:
		r.logger.Info("the disk has room again: messages are stored", "free", free)
	}
	if r.full = full; full {
		return chat.ErrNoSpace
	}
	return nil
}
