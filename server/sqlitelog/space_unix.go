//go:build linux || darwin || freebsd

package sqlitelog

import "golang.org/x/sys/unix"

// freeSpace is how many bytes this user may still write to a folder's disk.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:unconvert // not what it is on FreeBSD
}

// diskSize is how many bytes a folder's disk has in all.
func diskSize(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Blocks * uint64(s.Bsize), nil
}
