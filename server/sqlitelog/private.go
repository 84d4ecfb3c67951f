package sqlitelog

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
)

// The log's files are for their user alone, whatever the folder's mode: they have what
// was said in locked rooms. If root makes them, as restore may, they belong to the
// folder's owner, who could not use them otherwise.

// create makes an empty file that SQLite finds, unless it is there. SQLite gives the
// write-ahead log the mode and the owner of its database.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), GiveToOwner(path))
}

// mend takes from others what earlier versions let them read. Files are not opened
// here: closing one would give up SQLite's locks on it.
func mend(dir string, logger *slog.Logger) {
	paths, _ := filepath.Glob(filepath.Join(escapeGlob(dir), FileName+"*")) // the pattern is valid
	for _, path := range append(paths, filepath.Join(dir, lockName)) {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(path, 0o600)
			logger.Warn("others could read a file of the log; now only its user can", "file", path, "mode", info.Mode().String(), "error", err)
		}
		if err := GiveToOwner(path); err != nil {
			logger.Warn("a file of the log does not belong to the folder's owner", "file", path, "error", err)
		}
	}
}

// escapeGlob is a path as a pattern that matches it alone.
func escapeGlob(path string) string {
	if runtime.GOOS == "windows" {
		return path // there a pattern has no escapes
	}
	var b []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[', '\\':
			b = append(b, '\\')
		}
		b = append(b, path[i])
	}
	return string(b)
}
