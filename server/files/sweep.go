package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parley/server/chat"
	"parley/shared"
)

// rowsAtOnce is how many rows are asked for at once.
const rowsAtOnce = 1000

// sweep removes the bytes that no row refers to, which a crash has left, and counts what
// is unfinished. Rows and folders are gone through side by side, in order of id. Forms of
// programs that a crash has cut off go, too: nobody goes on with them. Of a log that
// several servers share they wait, as others may be sending them to another one.
func (s *Store) sweep(ctx context.Context) error {
	s.forget(ctx, Hold)
	var rows []chat.FileRow
	at, removed, lost := 0, 0, 0
	var next func() (row chat.FileRow, ok bool, err error)
	next = func() (row chat.FileRow, ok bool, err error) {
		if at == len(rows) {
			after := ""
			if at > 0 {
				after = rows[at-1].ID
			}
			if rows, err = s.rows.Files(ctx, after, rowsAtOnce); err != nil || len(rows) == 0 {
				return row, false, err
			}
			at = 0
		}
		at++
		row = rows[at-1]
		if row.Device == chat.APIDevice && row.Offset == 0 && s.opt.Secret == nil {
			if err := s.rows.DropFile(ctx, row.ID); err != nil {
				return row, false, err
			}
			return next()
		}
		return row, true, nil
	}
	row, more, err := next()
	if err != nil {
		return err
	}
	skip := func(to string) error { // rows whose bytes are not there
		for more && row.ID < to && err == nil {
			if row.State == chat.FileWhole {
				lost++
			}
			row, more, err = next()
		}
		return err
	}
	folders, err := s.disk.folders()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		ids, err := s.disk.ids(folder)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := skip(id); err != nil {
				return err
			}
			known := more && row.ID == id
			if !known || row.State == chat.FileGone {
				removed++
				if err := s.disk.remove(id); err != nil {
					s.opt.Logger.Warn("a file that nothing refers to can't be removed", "file", id, "error", err)
				}
			} else if row.State == chat.FileWhole {
				if size, _ := s.disk.size(id); size < 0 {
					lost++
				}
			} else if part, err := s.disk.partBytes(id); err == nil {
				s.parts.add(row, part) // there may be only a thumbnail
			}
			if known {
				if row, more, err = next(); err != nil {
					return err
				}
			}
		}
	}
	if err := skip("~"); err != nil { // after every id
		return err
	}
	if removed > 0 {
		s.opt.Logger.Info("files were removed that no message has", "files", removed)
	}
	if lost > 0 {
		s.opt.Logger.Error("files of messages are missing: parley-server check names them", "files", lost)
	}
	return nil
}

// folders returns the folders with files, in order.
func (d disk) folders() (names []string, err error) {
	entries, err := os.ReadDir(d.dir)
	for _, e := range entries {
		if e.IsDir() && len(e.Name()) == 2 {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// ids returns whose bytes there are in a folder, in order.
func (d disk) ids(folder string) (ids []string, err error) {
	entries, err := os.ReadDir(filepath.Join(d.dir, folder))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if id, _, _ := strings.Cut(e.Name(), "."); shared.CheckFileID(id) == nil && id[:2] == folder {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// partBytes is how much of a file that is not whole there is, which a power cut may take.
func (d disk) partBytes(id string) (int64, error) {
	info, err := os.Stat(d.part(id))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
