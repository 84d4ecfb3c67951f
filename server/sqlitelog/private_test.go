//go:build unix

package sqlitelog_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"parley/server/sqlitelog"
)

// files calls check with every file in a folder.
func files(t *testing.T, dir string, check func(name string, info os.FileInfo)) (n int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		check(e.Name(), info)
	}
	return len(entries)
}

// Whatever the folder's mode is, nobody else reads the log's files, also those that an
// earlier version has left.
func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "data [*]")
	if err := errors.Join(os.Mkdir(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	private := func(name string, info os.FileInfo) {
		t.Helper()
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
	}
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal}.WithWAL())
	if _, err := add(l, "1", "x"); err != nil {
		t.Fatal(err)
	}
	if n := files(t, dir, private); n < 5 {
		t.Errorf("there are only %d files", n)
	}
	if err := sqlitelog.Backup(t.Context(), dir, filepath.Join(dir, "parley.db.backup")); err != nil {
		t.Fatal(err)
	}
	files(t, dir, private)
	killed := copyFolder(t, dir, whole)
	l.Close()

	for _, what := range []string{"as it was closed", "as it was killed"} {
		files(t, dir, func(name string, _ os.FileInfo) {
			if err := os.Chmod(filepath.Join(dir, name), 0o666); err != nil {
				t.Fatal(err)
			}
		})
		var says logged
		l = open(t, dir, sqlitelog.Options{Logger: says.logger()})
		files(t, dir, private)
		if says.count("others could read") < 2 {
			t.Errorf("%s: it logged nothing", what)
		}
		l.Close()
		dir = killed
	}

	older := t.TempDir()
	data, err := os.ReadFile("testdata/schema2.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(older, sqlitelog.FileName), data, 0o666); err != nil {
		t.Fatal(err)
	}
	defer open(t, older, sqlitelog.Options{}).Close()
	files(t, older, private)
}

// What root makes in the folder of another user belongs to that user.
func TestFilesBelongToTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes files for another user")
	}
	const nobody = 65534
	theirs := func(name string, info os.FileInfo) {
		t.Helper()
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != nobody || stat.Gid != nobody {
			t.Errorf("%s belongs to %d:%d", name, stat.Uid, stat.Gid)
		}
	}
	folder := func() string {
		t.Helper()
		dir := t.TempDir()
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dir, other := folder(), folder()
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
	if _, err := add(l, "1", "x"); err != nil {
		t.Fatal(err)
	}
	files(t, dir, theirs)
	l.Close()
	backup := filepath.Join(other, "backup.db")
	if err := sqlitelog.Backup(t.Context(), dir, backup); err != nil {
		t.Fatal(err)
	}
	for _, replace := range []bool{false, true} {
		if _, err := sqlitelog.Restore(t.Context(), other, backup, replace); err != nil {
			t.Fatal(err)
		}
		if n := files(t, other, theirs); n < 3 {
			t.Errorf("there are %d files", n)
		}
	}
	data, err := os.ReadFile("testdata/schema2.db")
	if err != nil {
		t.Fatal(err)
	}
	older := folder()
	if err := os.WriteFile(filepath.Join(older, sqlitelog.FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	defer open(t, older, sqlitelog.Options{}).Close()
	files(t, older, theirs)
}
