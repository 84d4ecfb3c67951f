//go:build !linux && !darwin && !freebsd && !windows

package sqlitelog

import "math"

// freeSpace knows no way to ask here.
func freeSpace(string) (uint64, error) { return math.MaxUint64, nil }

// diskSize neither.
func diskSize(string) (uint64, error) { return math.MaxUint64, nil }
