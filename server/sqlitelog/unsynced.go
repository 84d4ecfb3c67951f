package sqlitelog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// unsynced is a file that lies next to the database while Normal writes to it.
// A start that finds it does not know whether a power cut took the log's end:
// offsets that clients have seen might be given to others. So the log gets a
// new epoch.
type unsynced struct {
	path  string
	found bool
}

func markUnsynced(dir string, sync Sync) (u unsynced, err error) {
	u.path = filepath.Join(dir, "parley.unsynced")
	_, err = os.Lstat(u.path)
	u.found = err == nil
	if u.found || sync == Full {
		return u, nil
	}
	if err = os.WriteFile(u.path, []byte("The log may lack its end until this file is gone.\n"), 0o600); err == nil {
		err = errors.Join(GiveToOwner(u.path), syncFile(u.path), syncFile(dir))
	}
	if err != nil {
		err = fmt.Errorf("the data folder %s can't be written: %w", dir, err)
	}
	return u, err
}

// remove tells the next start that everything is on the disk.
func (u unsynced) remove() error {
	if err := os.Remove(u.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
