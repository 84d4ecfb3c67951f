package pglog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/pglog/pgtest"
)

// count is the value of a query that counts.
func count(t *testing.T, address, query string, args ...any) string {
	t.Helper()
	return server.QueryAt(t, address, fmt.Sprintf(query, args...))
}

// TestForgotten has servers leave nothing behind: one that is dead and had nobody, one
// that was never seen, and rooms that nobody is in any more.
func TestForgotten(t *testing.T) {
	t.Parallel()
	address := pgtest.Address(server.Create(t), server)
	a, b := openAt(t, address, ""), openAt(t, address, "")
	defer b.Close()
	here := &crowd{l: b, in: make(map[string]int)}
	here.set("one", 1)
	here.set("two", 1)
	sees(t, a, map[string]int{"one": 1, "two": 1})
	here.set("two", 0)
	sees(t, a, map[string]int{"one": 1})
	upTo, err := b.sweepNow(t.Context(), 0, forgetAfter)
	if err != nil {
		t.Fatal(err)
	}
	const rooms = "SELECT string_agg(room, ' ' ORDER BY room) FROM parley.people WHERE room <> '' AND server = '%s'"
	if got := count(t, address, rooms, b.server); got != "one two" {
		t.Errorf("the others may not have read yet that a room is empty, and rooms are %q", got)
	}
	if _, err := b.sweepNow(t.Context(), upTo, forgetAfter); err != nil {
		t.Fatal(err)
	}
	if got := count(t, address, rooms, b.server); got != "one" {
		t.Errorf("rooms are %q", got)
	}

	server.SQLAt(t, address, "INSERT INTO parley.servers VALUES ('killed', 1)",
		"INSERT INTO parley.people VALUES ('three', 'unseen', '{\"name\":\"Three\",\"count\":2}', nextval('parley.people_n'))")
	a.proof.end() // it goes on with nothing any more
	until(t, "dead servers are forgotten", func() bool {
		return count(t, address, "SELECT count(*) FROM parley.servers") == "1" && count(t, address, "SELECT count(DISTINCT server) FROM parley.people") == "1"
	})
	sees(t, b, map[string]int{})
	a.Close()
}

// TestSwept has a server come back after its counters were deleted. It goes on if the
// database has what it has written, and begins a new epoch otherwise.
func TestSwept(t *testing.T) {
	t.Parallel()
	address := pgtest.Address(server.Create(t), server)
	data := t.TempDir()
	a := openAt(t, address, data)
	kept, err := os.ReadFile(filepath.Join(data, MarksName))
	if err != nil || !strings.Contains(string(kept), a.server) {
		t.Errorf("if it is killed now, it comes back as another one: %q, %v", kept, err)
	}
	epoch := *a.epoch.Load()
	mustAppend(t, a, "a")
	mustAppend(t, a, "b")
	marks := func() string {
		return count(t, address, "SELECT count(*) FROM parley.marks WHERE server = '%s'", a.server)
	}

	// Its counters go while it sleeps.
	server.SQLAt(t, address, "DELETE FROM parley.marks")
	if got := mustAppend(t, a, "c"); got.Offset != 3 || *a.epoch.Load() != epoch {
		t.Errorf("a server that slept begins anew: %+v", got)
	}
	b := openAt(t, address, "")
	defer b.Close()
	if _, err := b.sweepNow(t.Context(), 0, 0); err != nil || marks() != "1" {
		t.Errorf("a server that is there has %s counters, %v", marks(), err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // when it is first found that it is not there, and later
		if _, err := b.sweepNow(t.Context(), 0, forgetAfter); err != nil || marks() != "1" {
			t.Errorf("one that was stopped has %s counters, %v", marks(), err)
		}
	}
	until(t, "its counters are deleted", func() bool {
		_, err := b.sweepNow(t.Context(), 0, 0)
		return err == nil && marks() == "0"
	})
	mustAppend(t, b, "d")
	a = openAt(t, address, data)
	if *a.epoch.Load() != epoch {
		t.Error("a server that comes back has begun a new epoch")
	}
	mustAppend(t, a, "e")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	// The database is one of before, when the server had not written anything.
	server.SQLAt(t, address, "DELETE FROM parley.marks WHERE server = '"+a.server+"'", "DELETE FROM parley.entries WHERE id = 'e'",
		"UPDATE parley.rooms SET head = head - 1")
	a = openAt(t, address, data)
	defer a.Close()
	if *a.epoch.Load() == epoch {
		t.Error("what the server has written is lost, and there is no new epoch")
	}
	if got := mustAppend(t, a, "e"); got.Offset != 5 {
		t.Errorf("the same message again has the offset %d", got.Offset)
	}
}
