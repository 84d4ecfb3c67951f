package chat

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"time"
)

// Bounds reports whether there is any bound.
func (r Retention) Bounds() bool { return r.Age != 0 || r.Bytes != 0 || r.Total != 0 }

// WithDefaults returns r with Every, Now and Expired set.
func (r Retention) WithDefaults() Retention {
	if r.Every == 0 {
		r.Every = time.Minute
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Expired == nil {
		r.Expired = func(int) {}
	}
	return r
}

// Run calls pass at once, then every r.Every and whenever something comes from soon,
// until ctx ends. pass deletes what is over the bounds, and returns how many entries that
// were. Run tells the logger of them, and of what fails. A nil soon never tells.
func (r Retention) Run(ctx context.Context, soon <-chan struct{}, logger *slog.Logger, pass func(context.Context) (deleted int, err error)) {
	ticker := time.NewTicker(r.Every)
	defer ticker.Stop()
	for {
		switch n, err := pass(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			logger.Warn("old messages were not deleted", "error", err)
		case n > 0:
			logger.Info("old messages deleted", "messages", n)
		}
		select {
		case <-ticker.C:
		case <-soon:
		case <-ctx.Done():
			return
		}
	}
}

// Level returns what every room has to be cut to, in bytes, so that each is within Bytes
// and all together are within Total, given how many bytes each has. If they are over
// Total, a little more goes, so that there is peace for a while.
func (r Retention) Level(sizes []int64) int64 {
	most := int64(math.MaxInt64)
	if r.Bytes > 0 {
		most = r.Bytes
	}
	return min(most, r.level(sizes))
}

// level is Level for Total alone.
func (r Retention) level(sizes []int64) int64 {
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
