package chat

import (
	"math"
	"slices"
)

// Level returns what every room has to be cut to, in bytes, so that all together are
// within Total, given how many bytes each has. If they are over it, a little more goes,
// so that there is peace for a while.
func (r Retention) Level(sizes []int64) int64 {
	var all int64
	for _, size := range sizes {
		all += size
	}
	if r.Total == 0 || all <= r.Total {
		return math.MaxInt64
	}
	excess := all - (r.Total - r.Total/32)
	sorted := slices.Sorted(slices.Values(sizes))
	slices.Reverse(sorted)
	var largest int64 // the sizes of the first n rooms
	for n, size := range sorted {
		largest += size
		level := max(0, (largest-excess)/int64(n+1))
		if n+1 == len(sorted) || level >= sorted[n+1] {
			return level
		}
	}
	return 0
}
