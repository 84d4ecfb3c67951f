package pglog

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"parley/server/chat"
	"parley/shared"
)

// TestReadWhileStandbySleeps has more commits wait for a standby that sleeps than there are
// connections for them: what needs no standby goes on, also the news of who is where.
func TestReadWhileStandbySleeps(t *testing.T) {
	t.Parallel()
	_, standby, address := pair(t, true)
	a, b := openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir())
	defer a.Close()
	defer b.Close()
	mustAppend(t, a, "before")
	standby.Signal(syscall.SIGSTOP)
	defer standby.Signal(syscall.SIGCONT)
	var late sync.WaitGroup
	for range 2 * mostConnections {
		late.Go(func() {
			if err := a.SetHostKey(t.Context(), []byte("hash")); !errors.Is(err, chat.ErrUnavailable) {
				t.Errorf("without its standby: %v", err)
			}
		})
	}
	late.Wait()
	if entries, err := a.History(t.Context(), hall.Key, 0, chat.Most{Entries: 10}); err != nil || len(entries) != 1 {
		t.Errorf("%d messages are read, %v", len(entries), err)
	}
	if rooms, err := a.Rooms(t.Context(), 10); err != nil || len(rooms) != 1 {
		t.Errorf("%d rooms are read, %v", len(rooms), err)
	}
	if _, err := a.Lock(t.Context(), hall.Key); err != nil {
		t.Errorf("the lock is not read: %v", err)
	}
	a.Gather(hall.Key, func() chat.Gathering { return chat.Gathering{Room: hall, Count: 1, People: []shared.Name{hall}} })
	until(t, "the other server knows who is here", func() bool { return len(b.Gatherings()) == 1 })
	standby.Signal(syscall.SIGCONT)
	mustAppend(t, a, "after")
	followed(t, a, hall).stop()
}

// TestOpenedWhileAllRead opens a room, and has it told of a reply from another server,
// while every connection of the pools is in use: nobody who writes to it waits for those.
func TestOpenedWhileAllRead(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	mustAppend(t, a, "a")
	for _, pool := range []*pgxpool.Pool{b.pool, b.commits} {
		for range pool.Config().MaxConns {
			conn, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
		}
	}
	f := followed(t, b, hall)
	defer f.stop()
	reply := chat.Entry{ID: "b", Device: "d", User: "Ann", Text: "yes", Time: time.Unix(1, 0), Reply: 1, Extra: &chat.Extra{Of: "a"}}
	a.Append(t.Context(), hall, reply, func(_ chat.Receipt, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	f.await(t, 2)
	f.mu.Lock()
	defer f.mu.Unlock()
	if quote := f.entries[0].Extras().Quote; quote == nil || quote.Text != "text of a" {
		t.Errorf("it quotes %+v", quote)
	}
}
