// Package logtest holds the contracts of chat.Log and chat.Registry as tests, for
// whatever implements them.
package logtest

import (
	"slices"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// fixture is what one test works on. L is what it needs of it.
type fixture[L chat.Log] struct {
	log    L
	reopen func() L // the same one, once it was closed
	other  func() L // another one
}

// body is the tests of a contract by their names.
type body[L chat.Log] map[string]func(*testing.T, *fixture[L])

// run calls open with the name of a test, the same one each time for the same log.
func (b body[L]) run(t *testing.T, open func(t *testing.T, name string) L) {
	for name, test := range b {
		t.Run(name, func(t *testing.T) {
			f := &fixture[L]{
				reopen: func() L { return open(t, t.Name()) },
				other:  func() L { return open(t, t.Name()+"-other") },
			}
			f.log = f.reopen()
			defer func() { must(t, f.log.Close()) }()
			test(t, f)
		})
	}
}

var lobby = shared.Name{Text: "Lobby", Key: "lobby"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(id string) chat.Entry {
	return chat.Entry{ID: id, Device: "d", User: "Ann", Text: "text of " + id, Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)}
}

// add appends an entry and waits for its receipt.
func (f *fixture[L]) add(t *testing.T, room shared.Name, e chat.Entry) chat.Receipt {
	t.Helper()
	r, err := f.attemptError(t, room, e)
	must(t, err)
	return r
}

// attemptError appends an entry, and returns why it was refused.
func (f *fixture[L]) attemptError(t *testing.T, room shared.Name, e chat.Entry) (chat.Receipt, error) {
	t.Helper()
	type result struct {
		r   chat.Receipt
		err error
	}
	c := make(chan result, 1)
	f.log.Append(t.Context(), room, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	got := <-c
	return got.r, got.err
}

func ids(entries []chat.Entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
