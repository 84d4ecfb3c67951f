package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parley/server/chat"
	"parley/server/sqlitelog"
)

// Copying copies the bytes of a log's files from one folder to another, while the log's
// rows are copied. What one that was broken off has copied is there whole: the next one
// goes on after it.
type Copying struct {
	from, to disk
	changed  map[string]bool // folders that have to be synced

	N       int   // whole files that are there now
	Bytes   int64 // of these, without thumbnails
	Missing int   // whole files, or their thumbnails, that are not there, or not whole
	lost    string
}

// Copy begins to copy files between two data folders, or folders of --files.
func Copy(from, to string) *Copying {
	return &Copying{from: disk{filepath.Join(from, FolderName)}, to: disk{filepath.Join(to, FolderName)}, changed: make(map[string]bool)}
}

// Add copies the bytes of a file, if it is whole. The error is a sentence about the
// folder that can't be written; a file that can't be had counts as missing.
func (c *Copying) Add(ctx context.Context, row chat.FileRow) error {
	if row.State != chat.FileWhole {
		return nil // an upload begins again
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	there, err := c.copy(c.from.path(row.ID), c.to.path(row.ID), row.Size)
	if err == nil && there && row.Thumb {
		there, err = c.copy(c.from.thumb(row.ID), c.to.thumb(row.ID), -1)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the file %s can't be copied to %s: %w", row.ID, c.to.dir, err)
	case there:
		c.N++
		c.Bytes += row.Size
	case c.Missing == 0:
		c.lost = row.ID
		fallthrough
	default:
		c.Missing++
	}
	return nil
}

// copy copies a file of a size, or of any if that is -1, unless it is there, and reports
// whether it is. It gets its name when it is whole and on the disk.
func (c *Copying) copy(from, to string, size int64) (there bool, err error) {
	is := func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Mode().IsRegular() && (size < 0 || info.Size() == size)
	}
	if is(to) {
		return true, nil
	}
	if !is(from) {
		return false, nil
	}
	folder := filepath.Dir(to)
	if err := c.folder(folder); err != nil {
		return false, err
	}
	part := to + partEnd // which a start removes if nothing refers to it
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := copyBytes(from, part); err != nil {
		return false, err
	}
	c.changed[folder] = true
	return true, os.Rename(part, to)
}

// folder makes a folder of files, and the one that has it.
func (c *Copying) folder(dir string) error {
	for _, d := range []string{c.to.dir, dir} {
		switch err := os.Mkdir(d, 0o700); {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return err
		default:
			if err := sqlitelog.GiveToOwner(d); err != nil {
				return err
			}
			c.changed[filepath.Dir(d)] = true
		}
	}
	return nil
}

// End makes sure that all that was copied survives a power cut. The error says what is
// missing, unless that may be.
func (c *Copying) End(mayMiss bool) error {
	for dir := range c.changed {
		if err := syncPath(dir); err != nil {
			return fmt.Errorf("the folder %s can't be written: %w", dir, err)
		}
	}
	if c.Missing > 0 && !mayMiss {
		return fmt.Errorf("files of its messages are not in %s as they were sent (%d, the first is %s): put them there, or copy without them by --without-missing. "+
			"What was copied stays, and the next copy goes on", c.from.dir, c.Missing, c.lost)
	}
	return nil
}
