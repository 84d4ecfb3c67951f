package sqlitelog_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/sqlitelog"
	"parley/shared"
)

// What an entry does to the rows is a function of the rows and the entry alone: a
// log that is replayed into another one, at another time and in other
// transactions, comes to the same rows.
func TestReplay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var rooms []shared.Name
	for _, name := range []string{"Lobby", "Küche", "Attic", "LOBBY", "Alarms"} {
		room, err := shared.RoomName(name)
		if err != nil {
			t.Fatal(err)
		}
		rooms = append(rooms, room)
	}
	type said struct {
		room  shared.Name
		entry chat.Entry
	}
	var all []said
	for i := range 3000 {
		id := ulid.MustNew(uint64(random.IntN(1000)), zeros{}).String() // so that some are repeated
		all = append(all, said{rooms[random.IntN(len(rooms))], chat.Entry{
			ID:     []string{id, strings.ToLower(id), "key " + id[8:10]}[random.IntN(3)],
			Device: []string{"00112233445566778899aabbccddeeff", "api", "tutorial-" + id}[random.IntN(3)],
			User:   fmt.Sprint("User ", random.IntN(3)),
			Text:   fmt.Sprint(i, strings.Repeat(" text", random.IntN(50))),
			Time:   time.UnixMilli(1767323045000 + random.Int64N(1e9)),
		}})
	}
	say := func(l *sqlitelog.Log, all []said, underWay int) {
		t.Helper()
		var wg sync.WaitGroup
		slots := make(chan bool, underWay)
		for _, s := range all {
			slots <- true
			wg.Add(1)
			l.Append(t.Context(), s.room, s.entry, func(_ chat.Receipt, err error) {
				if err != nil {
					t.Error(err)
				}
				<-slots
				wg.Done()
			})
		}
		wg.Wait()
	}
	first := t.TempDir()
	l := open(t, first, sqlitelog.Options{})
	say(l, all, 100)
	l.Close()

	// Once more from the beginning, one at a time and with ends in between.
	second := t.TempDir()
	for part := range slices.Chunk(all, 1100) {
		l = open(t, second, sqlitelog.Options{Sync: sqlitelog.Normal})
		say(l, part, 1)
		l.Close()
	}
	// And from what can be read of the first, in the order that it was kept in.
	third := t.TempDir()
	from, to := open(t, first, sqlitelog.Options{}), open(t, third, sqlitelog.Options{})
	heads := make(map[string]int64)
	for _, s := range all {
		kept, err := from.Read(t.Context(), s.room.Key, heads[s.room.Key], shared.MaxOffset, chat.Most{Entries: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) > 0 && kept[0].ID == s.entry.ID && kept[0].Text == s.entry.Text {
			heads[s.room.Key]++
			say(to, []said{{s.room, kept[0]}}, 1)
		}
	}
	if err := errors.Join(from.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, first)
	if len(want) < 1000 {
		t.Errorf("there are only %d rows", len(want))
	}
	same(t, "in other transactions", rowsOf(t, second), want)
	same(t, "from what was read", rowsOf(t, third), want)
}

// The same with changes: whatever is in one transaction, they come to the same rows.
func TestReplayOfChanges(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	device := func() string { return []string{"00112233445566778899aabbccddeeff", "api"}[random.IntN(2)] }
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
	var all []chat.Entry
	said := make(map[int64]chat.Entry)
	for i := range 1500 {
		e := chat.Entry{ID: fmt.Sprint(i), Device: device(), User: "Ann", Time: time.UnixMilli(1767323045000 + random.Int64N(1e9))}
		e.Kind = []chat.Kind{chat.KindMessage, chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindReact}[random.IntN(5)]
		if e.Kind == chat.KindMessage || e.Kind == chat.KindEdit {
			e.Text = fmt.Sprint(i, strings.Repeat(" text", random.IntN(1000)))
		}
		about := 1 + random.Int64N(int64(len(said)+1))
		if e.Kind != chat.KindMessage {
			e.Target = about
		} else if i%3 == 0 {
			e.Reply = about
		}
		if e.Own().Of = said[about].ID; said[about].ID != "" && random.IntN(5) > 0 {
			e.Device = said[about].Device
		}
		if e.Kind == chat.KindReact {
			e.Own().Emoji = shared.Emojis[random.IntN(3)]
		}
		if i%7 == 0 {
			e.Own().Since = time.UnixMilli(1767323045000 + random.Int64N(1e9))
		}
		done := make(chan struct{})
		l.Append(t.Context(), lobby, e, func(r chat.Receipt, err error) {
			if err == nil {
				said[r.Offset] = e
			} else if !errors.Is(err, chat.ErrRefused) {
				t.Error(err)
			}
			close(done)
		})
		<-done
		all = append(all, e)
	}
	again := t.TempDir()
	m := open(t, again, sqlitelog.Options{Sync: sqlitelog.Normal})
	var wg sync.WaitGroup
	for _, e := range all {
		wg.Add(1)
		m.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) {
			if err != nil && !errors.Is(err, chat.ErrRefused) {
				t.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
	if err := errors.Join(l.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, dir)
	if len(want) < 800 || len(said) < 800 {
		t.Errorf("there are only %d rows", len(want))
	}
	same(t, "in other transactions", rowsOf(t, again), want)
}

// zeros is the entropy of ids that repeat.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// rowsOf is every row of a database, as it is stored, but for the log's epoch.
func rowsOf(t *testing.T, dir string) (all []string) {
	t.Helper()
	db := database(t, dir)
	tables, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, name := range names {
		rows, err := db.Query("SELECT * FROM " + name + " ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %#v", name, values))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tables.Err(), db.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

// What was deleted is in none of the log's files once they are closed.
func TestDeletedIsGone(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	secrets := []string{"short-secret", "long-secret" + strings.Repeat(" of more than a page", 500)}
	for i, text := range secrets {
		if _, err := add(l, fmt.Sprint(i), text); err != nil {
			t.Fatal(err)
		}
	}
	logtest.Retain(t, l, chat.Retention{Bytes: 1}, 2)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"short-secret", "long-secret", "of more than a page"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s still has %q", filepath.Base(file), secret)
			}
		}
	}
}
