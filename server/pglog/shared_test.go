package pglog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/shared"
)

// two opens the log of a test twice, as two servers do.
func two(t *testing.T, opt Options) (a, b *Log) {
	t.Helper()
	opt.patience, opt.startFor = time.Minute, time.Minute
	logs := [2]*Log{}
	for i := range logs {
		opt.Schema = schema(t.Name())
		l, err := Open(t.Context(), database, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		logs[i] = l
	}
	return logs[0], logs[1]
}

func TestShared(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	logtest.Shared(t, a, b)
}

// say adds messages to rooms, all at once, and returns the answers.
func say(l *Log, rooms []shared.Name, ids ...string) []result {
	all := make([]result, len(ids))
	var work sync.WaitGroup
	work.Add(len(ids))
	for i, id := range ids {
		e := chat.Entry{ID: id, Device: "d", User: "Ann", Text: "text of " + id, Time: time.Unix(1, 0)}
		l.Append(context.Background(), rooms[i%len(rooms)], e, func(r chat.Receipt, err error) { all[i] = result{r, err}; work.Done() })
	}
	work.Wait()
	return all
}

func room(n int) shared.Name {
	return shared.Name{Text: fmt.Sprint("Room ", n), Key: fmt.Sprint("room ", n)}
}

// TestOppositeOrders has two servers write to the same rooms, one from the first to the
// last, the other one backwards: neither waits for the other for ever.
func TestOppositeOrders(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{Writers: 1})
	var forth []shared.Name
	for n := range 20 {
		forth = append(forth, room(n))
	}
	back := slices.Clone(forth)
	slices.Reverse(back)
	const each = 40
	var work sync.WaitGroup
	for name, s := range map[string]struct {
		l     *Log
		rooms []shared.Name
	}{"a": {a, forth}, "b": {b, back}} {
		work.Go(func() {
			for n := range each {
				var ids []string
				for i := range s.rooms {
					ids = append(ids, fmt.Sprintf("%s %d %d", name, n, i))
				}
				for _, got := range say(s.l, s.rooms, ids...) {
					if got.err != nil {
						t.Error(got.err)
					}
				}
			}
		})
	}
	work.Wait()
	for _, r := range forth {
		entries, err := a.Read(t.Context(), r.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
		if err != nil || len(entries) != 2*each || entries[len(entries)-1].Offset != 2*each {
			t.Errorf("%s has %d entries, %v", r.Key, len(entries), err)
		}
	}
}

// TestOneID has one message sent to both servers at once: it is added once.
func TestOneID(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	for n := range 100 {
		id := fmt.Sprint("id ", n)
		one, other := appendTo(a, id), appendTo(b, id)
		x, y := <-one, <-other
		if x.err != nil || y.err != nil || x.Offset != y.Offset || x.Duplicate == y.Duplicate || x.Offset != int64(n+1) {
			t.Fatalf("%s: %+v and %+v", id, x, y)
		}
	}
}

// TestSwallowed takes the right to notify from servers: they hear of what the
// others add nevertheless, when they look.
func TestSwallowed(t *testing.T) {
	t.Parallel()
	name := server.Create(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, pgAddress("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(statement string) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE ROLE mute LOGIN")
	run("GRANT ALL ON DATABASE " + name + " TO mute")
	open := func() *Log {
		l, err := Open(ctx, pgAddress("mute", name), Options{startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a := open()
	defer a.Close()
	b := open()
	defer b.Close()
	run("REVOKE EXECUTE ON FUNCTION pg_notify FROM PUBLIC")
	f := followed(t, b, hall)
	defer f.stop()
	for n := range 2 {
		mustAppend(t, a, fmt.Sprint("a", n))
		f.await(t, int64(n+1))
	}
}

// handed is what somebody was handed.
type handed struct {
	stop    func()
	mu      sync.Mutex
	entries []chat.Entry
	begins  []int64
	over    int // how many entries there were when it was over; -1 if it is not
	more    chan struct{}
}

func followed(t *testing.T, l *Log, room shared.Name) *handed {
	t.Helper()
	f := &handed{over: -1, more: make(chan struct{}, 1)}
	change := func(what func()) {
		f.mu.Lock()
		defer f.mu.Unlock()
		what()
		select {
		case f.more <- struct{}{}:
		default:
		}
	}
	_, f.stop = follow(t, l, room, chat.Follower{
		Entries: func(e []chat.Entry) { change(func() { f.entries = append(f.entries, e...) }) },
		Begin:   func(first int64) { change(func() { f.begins = append(f.begins, first) }) },
		Over:    func() { change(func() { f.over = len(f.entries) }) },
	})
	return f
}

// follow opens a room as soon as the database lets it, as people come again.
func follow(t *testing.T, l *Log, room shared.Name, f chat.Follower) (state chat.State, stop func()) {
	t.Helper()
	for deadline := time.Now().Add(tooLong); ; time.Sleep(50 * time.Millisecond) {
		state, stop, err := l.Open(t.Context(), room, f)
		if err == nil {
			return state, stop
		}
		if !errors.Is(err, chat.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// until waits for something that is handed on.
func (f *handed) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(tooLong)
	for {
		f.mu.Lock()
		ok := is()
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-f.more:
		case <-late:
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

func (f *handed) await(t *testing.T, offset int64) {
	t.Helper()
	f.until(t, fmt.Sprint("it was handed ", offset), func() bool { return len(f.entries) > 0 && f.entries[len(f.entries)-1].Offset >= offset })
}

// TestManagedElsewhere renames and deletes a room at a server while another one adds to
// it: who follows it there is told that it is over, and is handed nothing after that; and
// what was acknowledged is where the room is, or went with it.
func TestManagedElsewhere(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r, to := room(n), room(n+100)
			f := followed(t, a, r)
			defer f.stop()
			var ids []string
			for i := range 400 {
				ids = append(ids, fmt.Sprintf("%d %d", n, i))
			}
			if got := say(a, []shared.Name{r}, ids[0])[0]; got.err != nil {
				t.Fatal(got.err)
			}
			answers := make(chan []result)
			go func() {
				var all []result
				for some := range slices.Chunk(ids[1:], 20) {
					all = append(all, say(a, []shared.Name{r}, some...)...)
				}
				answers <- all
			}()
			f.await(t, int64(10+20*n))
			var err error
			if n%2 == 0 {
				err = b.Rename(t.Context(), r.Key, to)
			} else {
				err = b.Delete(t.Context(), r.Key)
			}
			if err != nil {
				t.Fatal(err)
			}
			all := <-answers
			f.until(t, "the room is over", func() bool { return f.over >= 0 })
			taken := 1
			for _, got := range all {
				switch {
				case got.err == nil && got.Offset != int64(taken+1):
					t.Fatalf("%+v after %d", got, taken)
				case got.err == nil:
					taken++
				case !errors.Is(got.err, errChanged):
					t.Fatal(got.err)
				}
			}
			// What it is called from now on is another room.
			if got := say(a, []shared.Name{r}, "after")[0]; got.err != nil && !errors.Is(got.err, errChanged) {
				t.Fatal(got.err)
			}
			f.mu.Lock()
			if len(f.entries) != f.over || f.over > taken {
				t.Errorf("it was handed %d entries, %d of them before it was over; %d were taken", len(f.entries), f.over, taken)
			}
			f.mu.Unlock()
			there := to.Key
			want := taken
			if n%2 == 1 {
				there, want = r.Key, 0
			}
			entries, err := b.Read(t.Context(), there, 0, int64(taken), chat.Most{Entries: 1000})
			if err != nil || len(entries) != want {
				t.Errorf("%d of %d entries are there, %v", len(entries), want, err)
			}
		})
	}
}

// TestLockedElsewhere locks a room in which nothing was said at a server, while somebody
// at another one says something: either it was said before, and there is no lock, or it
// is refused until the room was read anew.
func TestLockedElsewhere(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	locked := 0
	for n := range 40 {
		r := room(n)
		f := followed(t, a, r)
		said := make(chan result, 1)
		go func() { said <- say(a, []shared.Name{r}, "first")[0] }()
		set, err := b.SetLock(t.Context(), r.Key, chat.Lock{Hash: "hash", Made: time.Unix(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		got := <-said
		switch {
		case set && errors.Is(got.err, errChanged):
			locked++
			f.until(t, "the room is over", func() bool { return f.over >= 0 })
			f.mu.Lock()
			if len(f.entries) > 0 {
				t.Errorf("it was handed %v of a locked room", f.entries)
			}
			f.mu.Unlock()
		case !set && got.err == nil:
			f.await(t, 1)
		default:
			t.Errorf("locked %v, and said: %+v", set, got)
		}
		f.stop()
	}
	t.Logf("%d of 40 rooms were locked first", locked)
}

// TestBeginsElsewhere cuts a room at another server, which says nothing: whoever reads
// what is not there any more has been told before the answer comes.
func TestBeginsElsewhere(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	for _, id := range []string{"a", "b", "c", "d"} {
		mustAppend(t, b, id)
	}
	f := followed(t, a, hall)
	defer f.stop()
	conn := tablesOf(t, a)
	for _, first := range []int64{3, 5} {
		run(t, conn, fmt.Sprintf("UPDATE rooms SET first = %d WHERE key = 'hall'", first))
		page, err := a.Read(t.Context(), hall.Key, 1, 4, chat.Most{Entries: 10})
		if err != nil || len(page) != int(5-first) {
			t.Fatalf("read %d entries, %v", len(page), err)
		}
		f.mu.Lock()
		if len(f.begins) == 0 || f.begins[len(f.begins)-1] != first {
			t.Errorf("it was told of the beginnings %v, not of %d", f.begins, first)
		}
		f.mu.Unlock()
	}
}

// TestRetainedElsewhere cuts a room at a server while another one reads it: it reads on
// from the new beginning, of which whoever follows it was told before.
func TestRetainedElsewhere(t *testing.T) {
	t.Parallel()
	a, b := two(t, Options{})
	var ids []string
	for n := range 3000 {
		ids = append(ids, fmt.Sprint("id ", n))
	}
	for some := range slices.Chunk(ids, 1000) {
		for _, got := range say(a, []shared.Name{hall}, some...) {
			if got.err != nil {
				t.Fatal(got.err)
			}
		}
	}
	f := followed(t, a, hall)
	defer f.stop()
	var id int64
	if err := b.row(t.Context(), "SELECT id FROM rooms WHERE key = $1", hall.Key).Scan(&id); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error, 1)
	go func() {
		for upTo := int64(250); upTo < 3000; upTo += 250 {
			if _, err := b.deleteUpTo(context.Background(), hall.Key, id, upTo); err != nil {
				cut <- err
				return
			}
		}
		cut <- nil
	}()
	for done := false; !done; {
		select {
		case err := <-cut:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		last := int64(0)
		for after := int64(0); ; after = last {
			page, err := a.Read(t.Context(), hall.Key, after, shared.MaxOffset, chat.Most{Entries: 200})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for i, e := range page {
				if i > 0 && e.Offset != page[i-1].Offset+1 {
					t.Fatalf("%d comes after %d", e.Offset, page[i-1].Offset)
				}
			}
			last = page[len(page)-1].Offset
		}
		if last != 3000 {
			t.Fatalf("the newest that is read is %d", last)
		}
	}
	f.until(t, "it was told of the last beginning", func() bool { return len(f.begins) > 0 && f.begins[len(f.begins)-1] == 2751 })
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.IsSorted(f.begins) {
		t.Errorf("it was told of the beginnings %v", f.begins)
	}
}

// TestSleeperLocksNothing stops a server in the middle of a transaction: the others go on
// with its rooms.
func TestSleeperLocksNothing(t *testing.T) {
	t.Parallel()
	_, b := two(t, Options{})
	a := openWith(t, database, Options{Schema: schema(t.Name())}) // of no more patience than a server has
	defer a.Close()
	mustAppend(t, b, "before")
	var asleep *session
	until(t, "there is a connection", func() bool {
		var err error
		asleep, err = a.connect(t.Context())
		return err == nil
	})
	defer asleep.end()
	for _, statement := range []string{"BEGIN", "SELECT FROM rooms FOR NO KEY UPDATE", "UPDATE servers SET seen = seen + 1"} {
		if _, err := asleep.conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	mustAppend(t, b, "after")
	if err := b.proof.wait(t.Context()); err != nil {
		t.Error(err)
	}
}
