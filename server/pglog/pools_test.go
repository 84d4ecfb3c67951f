package pglog

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
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
	standby.Freeze()
	defer standby.Thaw()
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
	standby.Thaw()
	mustAppend(t, a, "after")
	followed(t, a, hall).stop()
}

// takeAll takes all connections of a pool.
func takeAll(t *testing.T, pool *pgxpool.Pool) (release func()) {
	t.Helper()
	var taken []*pgxpool.Conn
	for range pool.Config().MaxConns {
		until(t, "there is a connection", func() bool {
			conn, err := pool.Acquire(t.Context())
			if err == nil {
				taken = append(taken, conn)
			}
			return err == nil
		})
	}
	return func() {
		for _, conn := range taken {
			conn.Release()
		}
	}
}

// TestOpenedWhileAllRead opens a room, and has it told of a reply from another server,
// while every connection of the pools is in use: nobody who writes to it waits for those.
func TestOpenedWhileAllRead(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	mustAppend(t, a, "a")
	for _, pool := range []*pgxpool.Pool{b.pool, b.commits} {
		defer takeAll(t, pool)()
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

// TestReadWhereItIsProved has a standby take over, while whoever is connected to the old
// primary can go on there, as nobody has stopped it: once a proof came from the new one,
// nothing is read from the old one.
func TestReadWhereItIsProved(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	l := openAt(t, address, t.TempDir())
	defer l.Close()
	mustAppend(t, l, "a")
	read := func() int {
		t.Helper()
		entries, err := l.History(t.Context(), hall.Key, 0, chat.Most{Entries: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	takeAll(t, l.pool)() // so that none is opened later
	for _, s := range []*pgtest.Server{primary, standby} {
		s.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	}
	standby.Promote(t)
	if err := os.Remove(filepath.Join(primary.Dir(), ".s.PGSQL.5432")); err != nil {
		t.Fatal(err) // nobody connects there any more
	}
	other := openAt(t, pgtest.Address("postgres", standby), t.TempDir())
	defer other.Close()
	mustAppend(t, other, "b")
	if n := read(); n != 1 {
		t.Fatalf("%d messages are read from the old primary", n)
	}
	l.proof.conn.Load().end()
	until(t, "it is proved", func() bool { return l.CatchUp(t.Context(), hall.Key) == nil })
	if n := read(); n != 2 {
		t.Errorf("%d messages are read after the proof", n)
	}
}
