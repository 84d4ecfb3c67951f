package pglog

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
	"parley/shared"
)

// crowd is how many people are in each room at a server, as a test has it.
type crowd struct {
	l  *Log
	mu sync.Mutex
	in map[string]int
}

func (c *crowd) set(key string, n int) {
	c.mu.Lock()
	c.in[key] = n
	c.mu.Unlock()
	c.l.Gather(key, func() chat.Gathering {
		c.mu.Lock()
		defer c.mu.Unlock()
		g := chat.Gathering{Room: shared.Name{Text: key, Key: key}, Count: c.in[key]}
		for n := range g.Count {
			g.People = append(g.People, room(n))
		}
		return g
	})
}

// tooLong is how long anything may take that comes by itself.
const tooLong = 3 * time.Minute

// until waits for something that comes by itself.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(tooLong); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// sees waits until a server sees how many people are elsewhere.
func sees(t *testing.T, l *Log, want map[string]int) {
	t.Helper()
	until(t, fmt.Sprint("it sees ", want), func() bool {
		got := make(map[string]int)
		for _, g := range l.Gatherings() {
			got[g.Room.Key] = g.Count
		}
		return maps.Equal(got, want)
	})
}

// TestPeople has servers tell each other who is where, over a crash of the database,
// after which it knows nobody, and a server that was taken for dead.
func TestPeople(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	address := pgtest.Address("postgres", db)
	data := t.TempDir()
	a, b := openAt(t, address, data), openAt(t, address, "")
	defer func() { a.Close() }()
	defer b.Close()
	here := &crowd{l: a, in: make(map[string]int)}
	here.set("one", 1)
	here.set("two", 2)
	sees(t, b, map[string]int{"one": 1, "two": 2})
	sees(t, a, map[string]int{})
	here.set("one", 3)
	here.set("two", 0)
	sees(t, b, map[string]int{"one": 3})

	for n := range 3 { // somebody leaves a room, and the database forgets it before others have seen it
		here.set("two", 2)
		sees(t, b, map[string]int{"one": 3, "two": 2})
		here.set("two", 0)
		if n > 0 {
			a.people.writeNow(t.Context())
		}
		db.Kill()
		db.Restart(t)
		sees(t, b, map[string]int{"one": 3})
	}
	// Who begins to follow now is told, too.
	told := make(chan string, 10)
	_, stop := follow(t, b, shared.Name{Text: "one", Key: "one"}, chat.Follower{
		Entries: func([]chat.Entry) {}, Begin: func(int64) {},
		Others: func(server string, g chat.Gathering) { told <- fmt.Sprint(server, g.Count) },
	})
	defer stop()
	if got := <-told; got != fmt.Sprint(a.server, 3) {
		t.Errorf("a follower is told %s", got)
	}

	// A server that slept has no row any more, and nobody sees its people. It tells them
	// anew by itself.
	db.SQL(t, "WITH gone AS (DELETE FROM parley.servers WHERE id = '"+a.server+"') DELETE FROM parley.people WHERE server = '"+a.server+"'")
	until(t, "a server that slept tells who is there", func() bool {
		return db.Query(t, "SELECT count(*) FROM parley.people WHERE room = 'one' AND server = '"+a.server+"'") == "1"
	})
	sees(t, b, map[string]int{"one": 3})

	// One that is started again under its name after it was killed has nobody.
	until(t, "it sees ghosts", func() bool {
		db.SQL(t, "INSERT INTO parley.people SELECT 'ghosts', server, replace(people::text, 'one', 'ghosts'), nextval('parley.people_n') "+
			"FROM parley.people WHERE room = 'one' ON CONFLICT DO NOTHING")
		return len(b.Gatherings()) == 2
	})
	if err := a.marks.save(); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, address, data)
	defer again.Close()
	sees(t, b, map[string]int{})
}

// TestDeadServer has a server's people go after it has not gone on for some time.
func TestDeadServer(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	here := &crowd{l: a, in: make(map[string]int)}
	here.set("one", 1)
	sees(t, b, map[string]int{"one": 1})
	a.proof.end() // it goes on with nothing any more
	sees(t, b, map[string]int{})
}

// TestPeopleWhileStandbySleeps has a standby sleep for longer than a server may be silent:
// nobody takes the others for dead, and all go on to tell who is where.
func TestPeopleWhileStandbySleeps(t *testing.T) {
	t.Parallel()
	_, standby, address := pair(t, true)
	a, b := openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir())
	defer a.Close()
	defer b.Close()
	here := &crowd{l: a, in: make(map[string]int)}
	here.set("one", 1)
	sees(t, b, map[string]int{"one": 1})
	standby.Freeze()
	defer standby.Thaw()
	until(t, "the other one is silent for long", func() bool {
		b.people.mu.Lock()
		defer b.people.mu.Unlock()
		return time.Since(b.people.alive[a.server].at) > lapsesAfter
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or it waits for the standby
	defer cancel()
	b.people.watch(ctx)
	if len(b.Gatherings()) == 0 {
		t.Error("its people are taken for gone")
	}
	here.set("one", 2)
	sees(t, b, map[string]int{"one": 2})
	standby.Thaw()
	mustAppend(t, b, "after")
	sees(t, b, map[string]int{"one": 2})
}

// TestDeadServerGoesOn takes a server for dead that goes on just then: its row is still
// there, so it tells nothing anew, and its people are seen again nevertheless.
func TestDeadServerGoesOn(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	here := &crowd{l: a, in: make(map[string]int)}
	here.set("one", 1)
	sees(t, b, map[string]int{"one": 1})
	tx, err := tablesOf(t, a).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "UPDATE servers SET seen = seen + 1 WHERE id = $1", a.server); err != nil {
		t.Fatal(err)
	}
	b.people.mu.Lock()
	was := b.people.alive[a.server]
	was.at = was.at.Add(-time.Minute)
	b.people.alive[a.server] = was
	b.people.mu.Unlock()
	sees(t, b, map[string]int{})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	sees(t, b, map[string]int{"one": 1})
}

// TestGatheringOfServers has two other servers have people in a room: all of them are in
// it by name, so that whoever is in several rooms can be counted once.
func TestGatheringOfServers(t *testing.T) {
	t.Parallel()
	l := &Log{people: &people{there: map[string]map[string]chat.Gathering{"hall": {
		"a": {Room: room(0), People: []shared.Name{room(1), room(2)}, Count: 3},
		"b": {Room: room(0), People: []shared.Name{room(2), room(3)}, Count: 2},
	}}}}
	all := l.Gatherings()
	if len(all) != 1 || all[0].Count != 5 || len(all[0].People) != 4 {
		t.Errorf("together they are %+v", all)
	}
}
