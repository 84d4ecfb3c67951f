package sqlitelog

import "golang.org/x/sys/windows"

// freeSpace is how many bytes this user may still write to a folder's disk.
func freeSpace(dir string) (free uint64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return free, err
}

// diskSize is how many bytes a folder's disk has in all.
func diskSize(dir string) (size uint64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, nil, &size, nil)
	return size, err
}
