package pglog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// TestHeardIsNotRead takes from a server the right to read entries: it hands on what
// others add nevertheless.
func TestHeardIsNotRead(t *testing.T) {
	t.Parallel()
	name := server.Create(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, pgAddress("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	a, err := Open(ctx, pgAddress("postgres", name), Options{startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	mustAppend(t, a, "before")
	run(t, conn, "CREATE ROLE listener LOGIN", "GRANT ALL ON SCHEMA parley TO listener", "GRANT ALL ON ALL TABLES IN SCHEMA parley TO listener",
		"GRANT ALL ON ALL SEQUENCES IN SCHEMA parley TO listener")
	b, err := Open(ctx, pgAddress("listener", name), Options{startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f := followed(t, b, hall)
	defer f.stop()
	until(t, "it listens", b.listener.listens.Load)
	until(t, "the other one knows", a.listener.others.Load)
	run(t, conn, "REVOKE SELECT ON parley.entries FROM listener")
	for n := range 200 {
		mustAppend(t, a, fmt.Sprint("a", n))
	}
	f.await(t, 201)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, e := range f.entries {
		want := chat.Entry{Room: hall.Key, Offset: int64(i + 2), ID: fmt.Sprint("a", i), Device: "d", User: "Ann", Text: fmt.Sprint("text of a", i), Time: time.Unix(1, 0).UTC()}
		if e != want {
			t.Errorf("%+v instead of %+v", e, want)
		}
	}
}

// another speaks as another server of a log does.
type another struct {
	t    *testing.T
	l    *Log
	conn *pgx.Conn
	*voice
}

// anotherOf waits until l listens.
func anotherOf(t *testing.T, l *Log, secret []byte) *another {
	t.Helper()
	conn := tablesOf(t, l)
	until(t, "it listens", l.listener.listens.Load)
	return &another{t, l, conn, voiceOf(t, conn, secret)}
}

func (a *another) tell(what *told) (payload string) {
	a.t.Helper()
	for c := range what.contents(*a.l.epoch.Load(), a.most()) {
		payload = string(a.say(nil, c))
		notify(a.t, a.conn, a.l, payload)
	}
	return payload
}

// says is a notification of what has place in one.
func (v *voice) says(epoch string, what *told) (payload string) {
	for c := range what.contents(epoch, v.most()) {
		payload = string(v.say(nil, c))
	}
	return payload
}

// write has entries in the hall that no server has told of, and returns what there is to
// tell of them.
func (a *another) write(ids ...string) *news {
	a.t.Helper()
	n := &news{epoch: *a.l.epoch.Load()}
	tx, err := a.conn.Begin(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if err := tx.QueryRow(a.t.Context(), "SELECT id, version, first, head, tail FROM rooms WHERE key = $1 FOR NO KEY UPDATE", hall.Key).
		Scan(&n.Room, &n.Version, &n.First, &n.Head, &n.before); err != nil {
		a.t.Fatal(err)
	}
	for _, id := range ids {
		n.Head++
		e := chat.Entry{Room: hall.Key, Offset: n.Head, ID: id, Device: "d", User: "Ann", Text: "as it is written", Time: time.Unix(1, 0).UTC()}
		n.entries = append(n.entries, e)
		if _, err := tx.Exec(a.t.Context(), "INSERT INTO entries (room, off, id, device, usr, text, time, kind, target, reply, state, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0)",
			n.Room, e.Offset, e.ID, e.Device, e.User, []byte(e.Text), e.Time.UnixMilli()); err != nil {
			a.t.Fatal(err)
		}
	}
	if _, err := tx.Exec(a.t.Context(), "UPDATE rooms SET head = $2, tail = $3 WHERE id = $1", n.Room, n.Head, tailOf(ids[len(ids)-1])); err != nil {
		a.t.Fatal(err)
	}
	if err := tx.Commit(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	return n
}

func hallNews(n *news) *told { return &told{rooms: map[string]*news{hall.Key: n}} }

func (f *handed) ids() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		all = append(all, e.ID)
	}
	return all
}

// TestAlone has a server that is alone tell nothing of its rooms, until it hears of
// another one.
func TestAlone(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), pgAddress("postgres", server.Create(t)), Options{patience: time.Minute, startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn := tablesOf(t, l)
	run(t, conn, "LISTEN "+pgx.Identifier{channel + l.opt.Schema}.Sanitize())
	until(t, "it knows that it is alone", func() bool { return !l.listener.others.Load() })
	mustAppend(t, l, "a")
	l.Pass(hall.Key, []byte("{}"))
	other := anotherOf(t, l, l.secret)
	run(t, conn, "INSERT INTO servers (id, seen) VALUES ('other', 1)")
	other.tell(&told{people: true})
	until(t, "it knows the other one", l.listener.others.Load)
	mustAppend(t, l, "b")
	ears := &ears{secret: l.secret, runs: make(map[string]*heardRun)}
	for {
		notice, err := conn.WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said, err := ears.open([]byte(notice.Payload), notice.PID)
		if err != nil {
			t.Fatal(err)
		}
		var of []chat.Entry
		rooms := 0
		what, err := new(content).read(said, func(string) bool { return true }, func(_ string, n *news) { of, rooms = n.entries, rooms+1 })
		switch {
		case err != nil:
			t.Fatal(err)
		case len(what.passed) > 0:
			t.Error("alone, it passes a frame on")
		case rooms == 0: // only that somebody listens
		case len(of) == 1 && of[0].ID == "b":
			return
		default:
			t.Fatalf("the first that it tells of a room is %v", of)
		}
	}
}

// TestHeldIsBounded has more heard, and more to say, than is held: what is beyond that is
// read, and of it is only said that it is there.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "a")
	f := followed(t, l, hall)
	defer f.stop()
	other := anotherOf(t, l, l.secret)
	said := &listener{told: told{rooms: make(map[string]*news)}, wake: make(chan struct{}, 1)}
	said.others.Store(true)
	w, free, done := l.writer(hall.Key), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.do(context.Background(), func(context.Context) error { <-free; return nil })
	}()
	heard := strings.Repeat("as it is heard ", 1000)
	const parts, each = 8, 50
	for part := range parts {
		var ids []string
		for i := range each {
			ids = append(ids, fmt.Sprint(part, " ", i))
		}
		n := other.write(ids...)
		for i := range n.entries {
			n.entries[i].Text = heard
		}
		said.tell(hall.Key, n)
		w.hear(hall.Key, n)
	}
	close(free)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.await(t, parts*each+1)
	f.mu.Lock()
	defer f.mu.Unlock()
	bytes := 0
	for i, e := range f.entries {
		if e.Offset != int64(i+2) {
			t.Fatalf("handed %d after %d others", e.Offset, i)
		}
		if e.Text == heard {
			bytes += len(e.Text)
		}
	}
	if bytes == 0 || bytes > mostHeld {
		t.Errorf("%d bytes were handed on as they were heard", bytes)
	}
	tells := said.told.rooms[hall.Key]
	if n := tells.bytes(); n == 0 || n > mostHeld || n != said.held || tells.Head != parts*each+1 {
		t.Errorf("it tells %d bytes, and takes them for %d, up to %d", n, said.held, tells.Head)
	}
}

// TestHeardWhileAllRead has a room cut at another server while every connection of the
// pool is in use: whoever follows it here is told before what comes after.
func TestHeardWhileAllRead(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "a")
	begun, came := int64(0), make(chan int64, 1) // where the room began when an entry came
	_, stop, err := l.Open(t.Context(), hall, chat.Follower{
		Entries: func([]chat.Entry) { came <- begun },
		Begin:   func(first int64) { begun = first },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	other := anotherOf(t, l, l.secret)
	n := other.write("b")
	n.First = 2
	run(t, other.conn, "UPDATE rooms SET first = 2")
	defer takeAll(t, l.pool)()
	l.writer(hall.Key).hear(hall.Key, n)
	if first := <-came; first != 2 {
		t.Errorf("it was told that the room begins at %d", first)
	}
}

// TestHole has something heard of which what comes before was not: that is read first.
func TestHole(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "a")
	f := followed(t, l, hall)
	defer f.stop()
	other := anotherOf(t, l, l.secret)
	other.write("b", "c")
	other.tell(hallNews(other.write("d")))
	f.await(t, 4)
	first, second := other.write("e"), other.write("f")
	other.tell(hallNews(second)) // what two servers say may come in any order
	other.tell(hallNews(first))
	f.await(t, 6)
	more := other.write("g")
	more.Head = other.write("h").Head // of which it is only said that it is there
	other.tell(hallNews(more))
	f.await(t, 8)
	mustAppend(t, l, "i")
	if got := f.ids(); !slices.Equal(got, []string{"b", "c", "d", "e", "f", "g", "h", "i"}) {
		t.Errorf("handed %v", got)
	}
}

// TestHeardIsWrong has entries heard that are not what comes next: they are not handed
// on.
func TestHeardIsWrong(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*news){
		"after another entry":        func(n *news) { n.before++ },
		"of another epoch":           func(n *news) { n.epoch = "another" },
		"of a room that was deleted": func(n *news) { n.Room += 1000 },
		"of a room that was locked":  func(n *news) { n.Version++ },
		"before the beginning":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := at(t, t.Name())
			defer l.Close()
			mustAppend(t, l, "a")
			f := followed(t, l, hall)
			defer f.stop()
			other := anotherOf(t, l, l.secret)
			n := other.write("b")
			if change != nil {
				change(n)
			} else {
				if _, err := l.deleteUpTo(t.Context(), hall.Key, n.Room, 2); err != nil {
					t.Fatal(err)
				}
			}
			n.entries[0].Text = "as it is heard"
			other.tell(hallNews(n))
			mustAppend(t, l, "c")
			f.await(t, 3)
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, e := range f.entries {
				if e.Text == "as it is heard" {
					t.Errorf("handed %+v", e)
				}
			}
		})
	}
}

// TestMadeAgain deletes a room at another server, which then makes it again, and has the
// news of the room before come late: none of it is handed on.
func TestMadeAgain(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	mustAppend(t, a, "a")
	f := followed(t, b, hall)
	defer f.stop()
	other := anotherOf(t, b, b.secret)
	late := other.write("late")
	if err := a.Delete(t.Context(), hall.Key); err != nil {
		t.Fatal(err)
	}
	if r := mustAppend(t, a, "new"); r.Offset != 3 {
		t.Fatal(r)
	}
	f.until(t, "the room is over", func() bool { return f.over >= 0 })
	g := followed(t, b, hall)
	defer g.stop()
	other.tell(hallNews(late))
	mustAppend(t, a, "newer")
	g.await(t, 4)
	if got := g.ids(); !slices.Equal(got, []string{"newer"}) {
		t.Errorf("handed %v", got)
	}
}

// TestForged has somebody speak to the servers who may connect to the database, and no
// more: they hear nothing of it, also if it repeats what a server has said. What a server
// says is not to be read.
func TestForged(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	mustAppend(t, a, "a")
	passed := make(chan string, 100)
	entries := make(chan chat.Entry, 100)
	_, stop, err := b.Open(t.Context(), hall, chat.Follower{
		Entries: func(all []chat.Entry) {
			for _, e := range all {
				entries <- e
			}
		},
		Begin:  func(int64) {},
		Passed: func(frame []byte) { passed <- string(frame) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	until(t, "it listens", b.listener.listens.Load)
	until(t, "the other one knows", a.listener.others.Load)
	spy := tablesOf(t, a)
	run(t, spy, "LISTEN "+pgx.Identifier{channel + a.opt.Schema}.Sanitize())
	a.Pass(hall.Key, []byte("once"))
	if got := <-passed; got != "once" {
		t.Fatal(got)
	}
	said, err := spy.WaitForNotification(t.Context())
	for err == nil && !strings.HasPrefix(said.Payload, formatVersion+a.server) {
		said, err = spy.WaitForNotification(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	liar := anotherOf(t, a, []byte("guessed"))
	forged := &news{heads: heads{1, 0, 1, 2}, epoch: *a.epoch.Load(), before: tailOf("a"), entries: []chat.Entry{{Offset: 2, ID: "x", Text: "forged"}}}
	liar.tell(&told{rooms: map[string]*news{hall.Key: forged}, passed: []passing{{hall.Key, []byte("forged")}}})
	notify(t, liar.conn, a, said.Payload)
	old, err := json.Marshal(map[string]any{"from": "x", "passed": []any{map[string]any{"room": hall.Key, "frame": []byte("old")}}})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, liar.conn, a, string(old))
	notify(t, liar.conn, a, "0"+strings.TrimPrefix(said.Payload, formatVersion))
	mustAppend(t, a, "b")
	if e := <-entries; e.ID != "b" || e.Text != "text of b" {
		t.Errorf("handed %+v", e)
	}
	a.Pass(hall.Key, []byte("twice"))
	if got := <-passed; got != "twice" {
		t.Errorf("passed on: %q", got)
	}
	if n := b.listener.ignored.Load(); n != 4 {
		t.Errorf("%d notifications were ignored", n)
	}
}

// TestEpochIsHeard has another server begin a new epoch: it holds here as soon as
// something is heard from there.
func TestEpochIsHeard(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "a")
	f := followed(t, l, hall)
	defer f.stop()
	other := anotherOf(t, l, l.secret)
	run(t, other.conn, "UPDATE meta SET epoch = 'new'")
	notify(t, other.conn, l, other.says("new", &told{people: true}))
	f.until(t, "the room is over", func() bool { return f.over >= 0 })
	if now := *l.epoch.Load(); now != "new" {
		t.Errorf("the epoch is %q", now)
	}
}

// TestLastIsLost takes away the entry that was handed on last, as a failover may do
// after which nothing else is written, or something else of which nobody tells: there is a
// new epoch when the server looks.
func TestLastIsLost(t *testing.T) {
	t.Parallel()
	for what, statements := range map[string][]string{
		"nothing":   {"DELETE FROM entries WHERE off = 2", "UPDATE rooms SET head = 1"},
		"something": {"UPDATE entries SET id = 'other' WHERE off = 2", fmt.Sprint("UPDATE rooms SET tail = ", tailOf("other"))},
	} {
		t.Run(what+" in its place", func(t *testing.T) {
			t.Parallel()
			l := at(t, t.Name())
			defer l.Close()
			mustAppend(t, l, "a")
			f := followed(t, l, hall)
			defer f.stop()
			mustAppend(t, l, "b")
			run(t, tablesOf(t, l), statements...)
			f.until(t, "the room is over", func() bool { return f.over >= 0 })
		})
	}
}

// BenchmarkLook has a server look where 10,000 rooms are in which nothing happens.
func BenchmarkLook(b *testing.B) {
	l, err := Open(b.Context(), database, Options{Schema: "look"})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if _, err := l.pool.Exec(b.Context(), "INSERT INTO rooms (key, name, used, head, first) SELECT 'room ' || n, '', true, 5, 1 FROM generate_series(1, 10000) AS n ON CONFLICT DO NOTHING"); err != nil {
		b.Fatal(err)
	}
	rows, err := l.pool.Query(b.Context(), "SELECT key, id FROM rooms")
	if err != nil {
		b.Fatal(err)
	}
	var key string
	var id int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error {
		l.writer(key).follow(key, &follower{Follower: chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}}, room: id, handed: 5, began: 1})
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	cpu := func() (own, databases time.Duration) {
		var r syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // never fails
		return time.Duration(r.Utime.Nano() + r.Stime.Nano()), server.CPU()
	}
	own, databases := cpu()
	b.ResetTimer()
	for range b.N {
		for _, w := range l.writers {
			if err := w.do(b.Context(), func(ctx context.Context) error { w.look(ctx); return nil }); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	ownNow, databasesNow := cpu()
	b.ReportMetric(float64((ownNow-own).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64((databasesNow-databases).Microseconds())/1000/float64(b.N), "database-cpu-ms/op")
}
