package pglog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestTakenAlong has entries come while another server has their room locked: plain ones
// go into the transaction that waits, and what has to be read for comes in the next one,
// with everything of its room that came later.
func TestTakenAlong(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), database, Options{Schema: schema(t.Name()), Writers: 1, patience: time.Minute, startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, other := l.writers[0], tablesOf(t, l)
	entry := func(id string) chat.Entry {
		return chat.Entry{ID: id, Device: "d", User: "Ann", Text: "text of " + id, Time: time.Unix(1, 0)}
	}
	// add has a room's entries come while it is locked, and returns the answers.
	add := func(r shared.Name, among func(), entries ...chat.Entry) []result {
		t.Helper()
		answers := make([]chan result, len(entries))
		run(t, other, "BEGIN", "SELECT FROM rooms WHERE key = '"+r.Key+"' FOR UPDATE")
		for i, e := range entries {
			if i == 1 {
				until(t, "the writer waits for the room", func() bool {
					var waits bool
					err := other.QueryRow(t.Context(), "SELECT wait_event_type = 'Lock' FROM pg_stat_get_activity($1)", w.current.Load().conn.PgConn().PID()).Scan(&waits)
					return err == nil && waits
				})
			}
			if i == 2 && among != nil {
				among()
			}
			c := make(chan result, 1)
			answers[i] = c
			l.Append(t.Context(), r, e, func(r chat.Receipt, err error) { c <- result{r, err} })
		}
		run(t, other, "COMMIT")
		all := make([]result, len(entries))
		for i, c := range answers {
			all[i] = <-c
		}
		return all
	}
	// transactions returns the ids of a room's entries after the first one, by the transactions they came with.
	transactions := func(r shared.Name) (all []string) {
		t.Helper()
		rows, err := other.Query(t.Context(), "SELECT string_agg(e.id, ' ' ORDER BY off) FROM entries e JOIN rooms r ON r.id = e.room WHERE r.key = $1 AND off > 1 GROUP BY e.xmin::text ORDER BY min(off)", r.Key)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var ids string
			if err := rows.Scan(&ids); err != nil {
				t.Fatal(err)
			}
			all = append(all, ids)
		}
		return all
	}
	begin := func(n int) shared.Name {
		t.Helper()
		if got := say(l, []shared.Name{room(n)}, "early")[0]; got.err != nil {
			t.Fatal(got.err)
		}
		return room(n)
	}

	_, err = l.BeginFile(t.Context(), chat.FileRow{File: chat.File{ID: "picture", Name: "a", Size: 1}, Room: room(0).Key, Device: "d", Made: time.Unix(1, 0)})
	if err == nil {
		err = l.WholeFile(t.Context(), "picture", "image/jpeg")
	}
	if err != nil {
		t.Fatal(err)
	}
	for n, change := range []func(*chat.Entry){
		func(e *chat.Entry) { e.Extra = &chat.Extra{File: &chat.File{ID: "picture"}} },
		func(e *chat.Entry) { e.Kind, e.Target, e.Extra = chat.KindEdit, 1, &chat.Extra{Of: "early"} },
		func(e *chat.Entry) {
			e.Kind, e.Target, e.Text, e.Extra = chat.KindDelete, 1, "", &chat.Extra{Of: "early"}
		},
		func(e *chat.Entry) {
			e.Kind, e.Target, e.Text, e.Extra = chat.KindReact, 1, "", &chat.Extra{Of: "early", Emoji: "👍"}
		},
		func(e *chat.Entry) { e.Reply, e.Extra = 1, &chat.Extra{Of: "early"} },
	} {
		r, left := begin(n), entry("left")
		change(&left)
		for i, got := range add(r, nil, entry("a"), entry("b"), left, entry("c")) {
			if want := int64(i + 2); got.err != nil || got.Offset != want {
				t.Errorf("%d: %+v instead of %d", n, got, want)
			}
		}
		if got := transactions(r); !slices.Equal(got, []string{"a b", "left c"}) {
			t.Errorf("%d: the transactions were %q", n, got)
		}
	}

	// What is not of a room that is locked anyway waits, and holds nobody else up.
	r, elsewhere := begin(10), begin(11)
	done, answered := make(chan error, 1), make(chan result, 1)
	add(r, func() {
		w.requests <- &request{do: func(context.Context) error { return nil }, reply: done}
		l.Append(t.Context(), elsewhere, entry("d"), func(r chat.Receipt, err error) { answered <- result{r, err} })
	}, entry("a"), entry("b"), entry("c"))
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := <-answered; got.err != nil || got.Offset != 2 {
		t.Errorf("in the other room: %+v", got)
	}
	var same bool
	if err := other.QueryRow(t.Context(), "SELECT count(DISTINCT xmin::text) = 1 FROM entries WHERE id IN ('c', 'd') AND off > 1 AND room IN (SELECT id FROM rooms WHERE key IN ($1, $2))",
		r.Key, elsewhere.Key).Scan(&same); err != nil || same {
		t.Errorf("the other room was written to with the one that was locked, %v", err)
	}
	if got := transactions(r); !slices.Equal(got, []string{"a b c"}) {
		t.Errorf("the transactions were %q", got)
	}

	// The transaction is full with as much as any other.
	long := []chat.Entry{entry("a")}
	for i := range 2 * maxTexts / (16 << 10) {
		e := entry(fmt.Sprint("long", i))
		e.Text = strings.Repeat("x", 16<<10)
		long = append(long, e)
	}
	r = begin(12)
	for i, got := range add(r, nil, long...) {
		if want := int64(i + 2); got.err != nil || got.Offset != want {
			t.Errorf("%d: %+v", want, got)
		}
	}
	if n := len(transactions(r)); n != 2 {
		t.Errorf("long texts went in %d transactions", n)
	}
}
