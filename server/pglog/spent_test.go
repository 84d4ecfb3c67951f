package pglog

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
)

// account is what a server spends and hears, as a test has it.
type account struct {
	mu    sync.Mutex
	spent []chat.Spent
	asked int
	back  []chat.Spent // could not be told
	heard []chat.Spent
}

func (a *account) share(l *Log) (stop func()) {
	return l.Share(func() (all []chat.Spent) {
		a.mu.Lock()
		defer a.mu.Unlock()
		all, a.spent = a.spent, nil
		a.asked++
		return all
	}, func(untold []chat.Spent) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.back = append(a.back, untold...)
	}, func(told []chat.Spent) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.heard = append(a.heard, told...)
	})
}

func (a *account) spend(of string, amount int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spent = append(a.spent, chat.Spent{Of: of, Amount: amount})
}

// hears waits until something was heard, and returns all that was heard.
func (a *account) hears(t *testing.T, of string) (all []chat.Spent) {
	t.Helper()
	until(t, "it hears of "+of, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		all = slices.Clone(a.heard)
		return slices.ContainsFunc(all, func(s chat.Spent) bool { return s.Of == of })
	})
	return all
}

// asks waits until a server was asked twice what was spent at it: between the two, it
// has told, and heard.
func (a *account) asks(t *testing.T) {
	t.Helper()
	asked := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.asked
	}
	began := asked()
	until(t, "it is asked", func() bool { return asked() >= began+2 })
}

// TestSpent has servers tell each other what was spent, once, over a crash of the
// database, during which nobody can be told anything.
func TestSpent(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	address := pgtest.Address("postgres", db)
	open := func() *Log {
		l, err := Open(t.Context(), address, Options{shareEvery: 50 * time.Millisecond, patience: time.Minute, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b, late := open(), open(), open()
	defer a.Close()
	defer b.Close()
	defer late.Close()
	var at, bt account
	defer at.share(a)()
	stop := bt.share(b)
	bt.asks(t)

	at.spend("d1", 3)
	at.spend("w2", 1)
	want := []chat.Spent{{Of: "d1", Amount: 3}, {Of: "w2", Amount: 1}}
	if got := bt.hears(t, "w2"); !slices.Equal(got, want) {
		t.Errorf("it hears %v", got)
	}
	bt.spend("d3", 1)
	want = append(want, chat.Spent{Of: "d4", Amount: 5})
	if got := at.hears(t, "d3"); len(got) != 1 {
		t.Errorf("it hears %v", got)
	}
	at.spend("d4", 5)
	if got := bt.hears(t, "d4"); !slices.Equal(got, want) {
		t.Errorf("it hears %v", got)
	}

	// Who comes later does not hear what was spent before.
	var lt account
	defer lt.share(late)()
	lt.asks(t)

	db.Kill()
	at.spend("while away", 1)
	until(t, "it gets back what it could not tell", func() bool {
		at.mu.Lock()
		defer at.mu.Unlock()
		return slices.Equal(at.back, []chat.Spent{{Of: "while away", Amount: 1}})
	})
	db.Restart(t)
	until(t, "all goes on after a crash", func() bool {
		at.spend("after", 1)
		bt.mu.Lock()
		defer bt.mu.Unlock()
		return len(bt.heard) > len(want)
	})
	isAfter := func(s chat.Spent) bool { return s.Of == "after" }
	if got := slices.DeleteFunc(bt.hears(t, "after"), isAfter); !slices.Equal(got, want) {
		t.Errorf("besides what came after the crash, it hears %v", got)
	}
	if got := slices.DeleteFunc(lt.hears(t, "after"), isAfter); len(got) > 0 {
		t.Errorf("who came later hears %v", got)
	}

	// What is old is not heard, and goes.
	stop()
	db.SQL(t, "INSERT INTO parley.spent VALUES ('someone', 1, now() - interval '11 seconds', '{old}', '{1}'), ('someone', 2, now(), '{young}', '{1}')")
	if got := at.hears(t, "young"); slices.ContainsFunc(got, func(s chat.Spent) bool { return s.Of == "old" }) {
		t.Errorf("it hears %v", got)
	}
	until(t, "old rows go", func() bool {
		return db.Query(t, "SELECT count(*) FROM parley.spent WHERE at < now() - interval '10 seconds'") == "0"
	})
}

// TestMask looks at what stands for an address: the same at every server of a log, and
// of no use to those of another one.
func TestMask(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	other := at(t, t.Name()+" of another log")
	defer other.Close()
	masked := a.Mask("a192.0.2.1")
	if masked != b.Mask("a192.0.2.1") || masked == a.Mask("a192.0.2.2") || masked == other.Mask("a192.0.2.1") || strings.Contains(masked, "192") || len(masked) != 12 {
		t.Errorf("an address is %q", masked)
	}
}
