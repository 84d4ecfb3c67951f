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

// Rows calls each with the row of every file of a log.
type Rows func(each func(chat.FileRow) error) error

// BackupEnd is what the folder with the files of a backup has behind the backup's name.
const BackupEnd = ".files"

// Backup puts the files of the data folder dir next to a backup of its log, which write
// writes to a new file: the whole ones that the backup refers to. They are hard links if
// that is possible. A server may go on working meanwhile. It returns how many there are,
// and how many are missing.
func Backup(ctx context.Context, dir, file string, now, then Rows, write func() error) (n, missing int, err error) {
	to := disk{file + BackupEnd}
	if _, err := os.Lstat(to.dir); err == nil {
		return 0, 0, fmt.Errorf("the folder %s is there already: choose another file for the backup, or remove it", to.dir)
	}
	part := disk{to.dir + partEnd}
	if err := part.begin(); err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(part.dir) // if it was not renamed
	from := []disk{{filepath.Join(dir, FolderName)}}
	// Before the log is copied, too: what is deleted after that is in the backup all the same.
	if _, _, err := part.fill(ctx, now, from); err != nil {
		return 0, 0, err
	}
	if err := write(); err != nil {
		return 0, 0, err
	}
	kept := make(map[string]bool)
	n, missing, err = part.fill(ctx, func(each func(chat.FileRow) error) error {
		return then(func(row chat.FileRow) error {
			kept[row.ID] = true
			return each(row)
		})
	}, from)
	if err == nil {
		err = part.retain(kept)
	}
	if err == nil {
		err = part.put(to.dir)
	}
	return n, missing, err
}

// Restore returns what puts the files of a backup in the place of those in the data
// folder dir, as aside says which name they get, if there are any. Files that the backup
// lacks are taken from those that are there. The log does the rest: see
// sqlitelog.RestoreWith.
func Restore(ctx context.Context, dir, file string, rows Rows, found func(n, missing int)) func(stamp string) (put func() error, err error) {
	return func(stamp string) (func() error, error) {
		here := disk{filepath.Join(dir, FolderName)}
		part := disk{here.dir + ".restoring"}
		if err := part.begin(); err != nil {
			return nil, err
		}
		n, missing, err := part.fill(ctx, rows, []disk{{file + BackupEnd}, here})
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(part.dir))
		}
		found(n, missing)
		return func() error {
			if err := os.Rename(here.dir, here.dir+stamp); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return part.put(here.dir)
		}, nil
	}
}

// begin makes an empty folder, in place of one that a broken attempt has left.
func (d disk) begin() error {
	if err := errors.Join(os.RemoveAll(d.dir), os.Mkdir(d.dir, 0o700)); err != nil {
		return fmt.Errorf("the folder %s can't be made: %w", d.dir, err)
	}
	return sqlitelog.GiveToOwner(d.dir)
}

// fill gives the whole files of rows a place in d, out of the first folder that has
// them, and returns how many d has now and how many are nowhere.
func (d disk) fill(ctx context.Context, rows Rows, from []disk) (n, missing int, err error) {
	err = rows(func(row chat.FileRow) error {
		if row.State != chat.FileWhole {
			return ctx.Err()
		}
		if size, _ := d.size(row.ID); size == row.Size {
			n++
			return ctx.Err()
		}
		for _, source := range from {
			if size, err := source.size(row.ID); err != nil || size != row.Size {
				continue
			}
			err := errors.Join(d.folder(row.ID), copyFile(source.path(row.ID), d.path(row.ID)))
			if errors.Is(err, fs.ErrNotExist) {
				continue // it has just been deleted
			}
			if err == nil && row.Thumb {
				if err = copyFile(source.thumb(row.ID), d.thumb(row.ID)); errors.Is(err, fs.ErrNotExist) {
					err = nil
				}
			}
			if err != nil {
				return fmt.Errorf("the file %s can't be copied to %s: %w", source.path(row.ID), d.dir, err)
			}
			n++
			return ctx.Err()
		}
		missing++
		return ctx.Err()
	})
	return n, missing, err
}

// retain removes what is not kept.
func (d disk) retain(kept map[string]bool) error {
	return d.each(func(id string) error {
		if kept[id] {
			return nil
		}
		return d.remove(id)
	})
}

// each calls f with every id that has bytes.
func (d disk) each(f func(id string) error) error {
	folders, err := d.folders()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		ids, err := d.ids(folder)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := f(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// put renames a folder that is filled, so that all of it survives a power cut.
func (d disk) put(to string) error {
	folders, err := d.folders()
	for _, folder := range folders {
		err = errors.Join(err, syncPath(filepath.Join(d.dir, folder)))
	}
	if err = errors.Join(err, syncPath(d.dir)); err != nil {
		return err
	}
	if err := os.Rename(d.dir, to); err != nil {
		return err
	}
	return syncPath(filepath.Dir(to))
}

// Missing returns the rows whose files are not there as a whole in the data folder dir.
// A server may be running on it.
func Missing(dir string, rows Rows) (missing []chat.FileRow, n int, err error) {
	here := disk{filepath.Join(dir, FolderName)}
	look := func(each func(chat.FileRow)) error {
		n = 0
		return rows(func(row chat.FileRow) error {
			if row.State != chat.FileWhole {
				return nil
			}
			n++
			size, err := here.size(row.ID)
			if err == nil && size != row.Size {
				each(row)
			}
			return err
		})
	}
	first := make(map[string]bool)
	if err := look(func(row chat.FileRow) { first[row.ID] = true }); err != nil || len(first) == 0 {
		return nil, n, err
	}
	// Those that were deleted meanwhile are no loss.
	err = look(func(row chat.FileRow) {
		if first[row.ID] {
			missing = append(missing, row)
		}
	})
	return missing, n, err
}

// Export copies a file out of the data folder dir, to be changed as anybody likes. The
// error is fs.ErrNotExist if it is not there, and fs.ErrExist if to is.
func Export(dir, id, to string) error {
	return copyBytes(disk{filepath.Join(dir, FolderName)}.path(id), to)
}
