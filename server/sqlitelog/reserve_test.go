package sqlitelog_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
)

// What is kept free of the disk is not touched by messages. People still come in,
// and the log goes on by itself when there is room.
func TestDiskFree(t *testing.T) {
	const keep = 1000
	var free atomic.Uint64
	free.Store(keep)
	var says logged
	l := open(t, t.TempDir(), sqlitelog.Options{DiskFree: keep, Logger: says.logger()}.WithFree(func(string) (uint64, error) { return free.Load(), nil }))
	defer l.Close()
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	free.Store(keep - 1)
	for range 3 {
		if _, err := add(l, "b", "x"); !errors.Is(err, chat.ErrNoSpace) || !errors.Is(err, chat.ErrUnavailable) {
			t.Errorf("with less than the reserve: %v", err)
		}
	}
	if err := l.Ready(t.Context()); !errors.Is(err, chat.ErrNoSpace) {
		t.Errorf("ready: %v", err)
	}
	if got, err := l.Claim(t.Context(), chat.Claim{Room: "lobby", Name: "ann", Device: "d", Seen: time.Now()}, chat.NameRules{Hold: time.Hour}); err != nil || !got.Owned {
		t.Errorf("nobody can come in: %v, %v", got, err)
	}
	if n := says.count("--disk-free"); n != 1 {
		t.Errorf("it logged it %d times", n)
	}
	free.Store(2 * keep)
	if r, err := add(l, "b", "x"); err != nil || r != (chat.Receipt{Offset: 2}) {
		t.Errorf("with room again: %+v, %v", r, err)
	}
	if n := says.count("has room again"); n != 1 {
		t.Errorf("it logged the end %d times", n)
	}
}
