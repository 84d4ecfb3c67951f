package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"parley/server/sqlitelog"
)

// disk is where the bytes are: <2 letters>/<id>, with .part while they are not whole,
// and with .thumb for the thumbnail. What is whole never changes, so that a backup can
// share it.
type disk struct{ dir string }

const (
	partEnd  = ".part"
	thumbEnd = ".thumb"
)

func (d disk) path(id string) string  { return filepath.Join(d.dir, id[:2], id) }
func (d disk) part(id string) string  { return d.path(id) + partEnd }
func (d disk) thumb(id string) string { return d.path(id) + thumbEnd }

// folder makes the folder of an id, if it is not there, so that it survives a power cut.
func (d disk) folder(id string) error {
	dir := filepath.Dir(d.path(id))
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return errors.Join(sqlitelog.GiveToOwner(dir), syncPath(d.dir))
}

// openPart opens what has come of a file, to add to it, and returns how much that is.
func (d disk) openPart(id string) (*os.File, int64, error) {
	if err := d.folder(id); err != nil {
		return nil, 0, err
	}
	path := d.part(id)
	_, err := os.Lstat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	if fresh {
		err = errors.Join(sqlitelog.GiveToOwner(path), syncPath(filepath.Dir(path)))
	}
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// partSize is how much has come of a file that is not whole, and survives a power cut.
func (d disk) partSize(id string) (int64, error) {
	f, err := os.OpenFile(d.part(id), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Sync(); err != nil { // whichever process wrote it may have been killed before
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// size is how many bytes a whole file has; -1 if it is not there.
func (d disk) size(id string) (int64, error) {
	info, err := os.Stat(d.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	return info.Size(), nil
}

// finish makes a part a whole file.
func (d disk) finish(id string) error {
	if err := os.Rename(d.part(id), d.path(id)); err != nil {
		return err
	}
	return syncPath(filepath.Dir(d.path(id)))
}

// writeThumb writes a thumbnail, whole or not at all.
func (d disk) writeThumb(id string, data []byte) error {
	if err := d.folder(id); err != nil {
		return err
	}
	fresh := d.thumb(id) + partEnd
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = sqlitelog.GiveToOwner(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, d.thumb(id))
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return syncPath(filepath.Dir(fresh))
}

// remove removes all that there is of a file. Whether that survives a power cut does
// not matter: the next start removes what nobody refers to.
func (d disk) remove(id string) error {
	var failed error
	for _, path := range []string{d.path(id), d.part(id), d.thumb(id), d.thumb(id) + partEnd} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// copyFile gives a file that never changes a second path: as a hard link, or as a copy
// if that is not possible.
func copyFile(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return copyBytes(from, to)
}

// copyBytes makes a new file of a file's content.
func copyBytes(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Sync(), target.Close(), sqlitelog.GiveToOwner(to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// syncPath has a file's or a folder's content survive a power cut.
func syncPath(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call for folders
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
