//go:build unix

package main

import "syscall"

// maxDescriptors is how many files the process may have open; 0 if nobody knows.
func maxDescriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // not what it is on FreeBSD
}
