package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"parley/client/session"
)

// maxThumbs is how many bytes of thumbnails are kept. Over it, those go that were not
// looked at for the longest time.
const maxThumbs = 64 << 20

// files keeps files in a folder next to the store's file: see session.Files.
//
//	copies / <name>                                 files that wait to be sent, and their thumbnails
//	thumbs / <server> / <room> / <offset>-<file>    thumbnails of messages; servers and rooms as hashes
type files struct {
	dir        string
	mostThumbs int64
	noSync     atomic.Bool

	mu     sync.Mutex
	thumbs int64 // bytes of thumbnails; -1 while nobody has counted
}

// filesOf is the folder of the store at path.
func filesOf(path string) string { return path + ".files" }

func newFiles(path string) *files {
	return &files{dir: filesOf(path), mostThumbs: maxThumbs, thumbs: -1}
}

// Files keeps files on the device.
func (s *Store) Files() session.Files { return s.files }

func (f *files) copyPath(name string) string {
	return filepath.Join(f.dir, "copies", filepath.Base(name))
}

// Keep copies a file: see session.Files.
func (f *files) Keep(name string, from io.Reader, most int64) (size int64, err error) {
	path := f.copyPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, spaceError(err)
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, spaceError(err)
	}
	size, err = io.CopyBuffer(struct{ io.Writer }{to}, io.LimitReader(from, most+1), make([]byte, 256<<10))
	if err == nil && size > most {
		err = session.ErrFileTooLarge
	}
	if err == nil && !f.noSync.Load() {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err == nil && !f.noSync.Load() {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // the first error is the one to tell, and the next start sweeps
		return 0, spaceError(err)
	}
	return size, nil
}

// syncFolder makes the entries of a folder last. Windows does that by itself.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// spaceError tells a full disk, or a quota that is used up, from other errors.
func spaceError(err error) error {
	const diskFull = syscall.Errno(112) // the number that Windows has for it
	windows := runtime.GOOS == "windows" && errors.Is(err, diskFull)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || windows {
		return fmt.Errorf("%w: %w", session.ErrNoSpace, err)
	}
	return err
}

// Copy opens a copy: see session.Files.
func (f *files) Copy(name string) (*os.File, error) { return os.Open(f.copyPath(name)) }

// Drop removes a copy: see session.Files.
func (f *files) Drop(name string) { _ = os.Remove(f.copyPath(name)) } // the next start sweeps

// sweep removes the copies that no row has.
func (f *files) sweep(wanted map[string]bool) {
	entries, err := os.ReadDir(filepath.Join(f.dir, "copies"))
	if err != nil {
		return // there are none, or they can't be read
	}
	for _, e := range entries {
		if !wanted[strings.TrimSuffix(e.Name(), session.ThumbSuffix)] {
			f.Drop(e.Name())
		}
	}
}

// hashed makes a folder's name of any text.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

func (f *files) serverPath(server string) string {
	return filepath.Join(f.dir, "thumbs", hashed(server))
}

func (f *files) roomPath(server, room string) string {
	return filepath.Join(f.serverPath(server), hashed(roomKey(server, room)))
}

func (f *files) thumbPath(server, room string, offset int64, id string) string {
	return filepath.Join(f.roomPath(server, room), fmt.Sprintf("%d-%s", offset, filepath.Base(id)))
}

// Thumb is the thumbnail of a message's file: see session.Files.
func (f *files) Thumb(server, room string, offset int64, id string) []byte {
	path := f.thumbPath(server, room, offset, id)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	_ = os.Chtimes(path, time.Now(), time.Now()) // it only orders them
	return data
}

// KeepThumb keeps it: see session.Files.
func (f *files) KeepThumb(server, room string, offset int64, id string, thumb []byte) {
	path := f.thumbPath(server, room, offset, id)
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return
	}
	_, err = temporary.Write(thumb)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return
	}
	f.grown(int64(len(thumb)))
}

// grown counts thumbnails, and removes the ones that were not looked at for the longest
// time, down to three quarters of the bound.
func (f *files) grown(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thumbs >= 0 {
		if f.thumbs += n; f.thumbs <= f.mostThumbs {
			return
		}
	}
	type thumb struct {
		path string
		size int64
		used time.Time
	}
	var thumbs []thumb
	f.thumbs = 0
	_ = filepath.WalkDir(filepath.Join(f.dir, "thumbs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // what can't be read is not counted
		}
		if info, err := e.Info(); err == nil {
			thumbs = append(thumbs, thumb{path, info.Size(), info.ModTime()})
			f.thumbs += info.Size()
		}
		return nil
	})
	if f.thumbs <= f.mostThumbs {
		return
	}
	slices.SortFunc(thumbs, func(a, b thumb) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, t := range thumbs {
		if f.thumbs <= f.mostThumbs*3/4 {
			return
		}
		if os.Remove(t.path) == nil {
			f.thumbs -= t.size
		}
	}
}

// DropThumbs removes what is kept of messages: see session.Files.
func (f *files) DropThumbs(server, room string, offsets []int64) {
	entries, err := os.ReadDir(f.roomPath(server, room))
	if err != nil {
		return // there are none
	}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "-")
		if slices.ContainsFunc(offsets, func(o int64) bool { return fmt.Sprint(o) == number }) {
			wipe(filepath.Join(f.roomPath(server, room), e.Name()))
		}
	}
}

// wipe removes a file whose content shall not stay on the disk, as far as that depends
// on us.
func wipe(path string) {
	if to, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
		if info, err := to.Stat(); err == nil {
			_, _ = to.Write(make([]byte, info.Size())) // it goes anyway
		}
		_ = to.Close()
	}
	_ = os.Remove(path)
}

// forgetRoom removes the thumbnails of a room.
func (f *files) forgetRoom(server, room string) { _ = os.RemoveAll(f.roomPath(server, room)) }

// forgetServer removes the thumbnails of a server's rooms. They are only a cache.
func (f *files) forgetServer(server string) { _ = os.RemoveAll(f.serverPath(server)) }
