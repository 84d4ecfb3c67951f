//go:build unix

package sqlitelog

import (
	"os"
	"path/filepath"
	"syscall"
)

// GiveToOwner gives a file to the owner of its folder, if this user is root.
func GiveToOwner(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	file, err := os.Lstat(path)
	if err != nil {
		return err
	}
	want, have := folder.Sys().(*syscall.Stat_t), file.Sys().(*syscall.Stat_t)
	if want.Uid == have.Uid && want.Gid == have.Gid {
		return nil
	}
	return os.Lchown(path, int(want.Uid), int(want.Gid))
}
