package pglog

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"parley/server/chat"
)

// anyID is an id that no other number gives: a ULID, what looks like one, or any text.
func anyID(rt *rapid.T, n int) string {
	switch rapid.IntRange(0, 3).Draw(rt, "kind of id") {
	case 0:
		return ulid.ULID{15: byte(n), 0: rapid.Byte().Draw(rt, "time")}.String()
	case 1:
		return strings.ToLower(ulid.ULID{15: byte(n), 9: 0xff}.String())
	case 2:
		return fmt.Sprintf("8%025d", n) // beyond 128 bits
	}
	return fmt.Sprint(n, rapid.String().Draw(rt, "id"))
}

// anyTold is something that a server may have to say.
func anyTold(rt *rapid.T) *told {
	t := &told{rooms: make(map[string]*news), people: rapid.Bool().Draw(rt, "people")}
	devices := rapid.SliceOfN(rapid.StringN(0, 40, 64), 1, 5).Draw(rt, "devices")
	users := rapid.SliceOfN(rapid.StringN(0, 32, -1), 1, 5).Draw(rt, "users")
	number := func(most int64) int64 { return rapid.Int64Range(0, most).Draw(rt, "number") }
	for i := range rapid.IntRange(0, 20).Draw(rt, "rooms") {
		n := &news{heads: heads{number(1 << 62), number(5), number(1 << 52), 0}, epoch: "epoch"}
		for at := range rapid.IntRange(0, 30).Draw(rt, "entries") {
			if n.before == 0 {
				n.before, n.Head = number(1<<62)+1, number(1<<52)
			}
			n.Head++
			n.entries = append(n.entries, chat.Entry{
				Room: fmt.Sprint("room ", i), Offset: n.Head, ID: anyID(rt, at), Device: rapid.SampledFrom(devices).Draw(rt, "device"),
				User: rapid.SampledFrom(users).Draw(rt, "user"), Text: strings.Repeat("é\x00", rapid.SampledFrom([]int{0, 20, 20, 500, 4096}).Draw(rt, "length")),
				Time: time.UnixMilli(number(1<<45) - 1<<20).UTC(),
			})
		}
		n.Head += rapid.SampledFrom([]int64{0, 0, 3}).Draw(rt, "more")
		t.rooms[fmt.Sprint("room ", i)] = n
	}
	for range rapid.IntRange(0, 10).Draw(rt, "frames") {
		t.passed = append(t.passed, passing{"room", []byte(rapid.StringN(0, mostFrame/4, mostFrame).Draw(rt, "frame"))})
	}
	return t
}

// TestNotifications has whatever a server may have to say sealed and opened: everything
// comes in order in notifications that the database takes, but for entries that are too
// long, of which it is said that they are there.
func TestNotifications(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		want := anyTold(rt)
		v, err := newVoice([]byte("secret"), "server", 7)
		if err != nil {
			rt.Fatal(err)
		}
		e := &ears{secret: []byte("secret"), runs: make(map[string]*heardRun)}
		type state struct {
			at, head int64 // the last entry that came, and where there is more up to
			before   int64
		}
		got := make(map[string]*state)
		people, passed := false, 0
		var reads content
		for c := range want.contents("epoch", v.most()) {
			payload := v.say(nil, c)
			if len(payload) >= 8000 || bytes.IndexByte(payload, 0) >= 0 {
				rt.Fatalf("the database does not take a payload of %d bytes", len(payload))
			}
			content, err := e.open(payload, 7)
			if err != nil {
				rt.Fatal(err)
			}
			heard, err := reads.read(content, func(string) bool { return true }, func(room string, n *news) {
				w := want.rooms[room]
				if n.Room != w.Room || n.Version != w.Version || n.First != w.First || n.Head > w.Head {
					rt.Fatalf("%+v instead of %+v", n.heads, w.heads)
				}
				s := got[room]
				if s == nil {
					s = &state{before: w.before}
					got[room] = s
				}
				for i, entry := range n.entries {
					wanted := w.entries[entry.Offset-w.entries[0].Offset]
					if s.at != 0 && entry.Offset != s.at+1 || s.at == 0 && entry.Offset != w.entries[0].Offset || entry != wanted || i == 0 && n.before != s.before {
						rt.Fatalf("%+v after %+v", entry, s)
					}
					s.at, s.before = entry.Offset, tailOf(entry.ID)
				}
				s.head = n.Head
			})
			if err != nil || heard.epoch != "epoch" {
				rt.Fatal(heard.epoch, err)
			}
			people = people || heard.people
			for _, p := range heard.passed {
				if string(p.frame) != string(want.passed[passed].frame) {
					rt.Fatalf("the frame %d is %q", passed, p.frame)
				}
				passed++
			}
		}
		if people != want.people || passed != len(want.passed) || len(got) != len(want.rooms) {
			rt.Fatalf("%v, %d frames, %d rooms", people, passed, len(got))
		}
		for room, s := range got {
			w := want.rooms[room]
			if s.head != w.Head {
				rt.Fatalf("%s goes up to %d, and it is said that up to %d", room, w.Head, s.head)
			}
			for _, entry := range w.entries {
				if entry.Offset > s.at {
					if len(entry.Text) < 4096 {
						rt.Fatalf("%s: %d did not come", room, entry.Offset)
					}
					break // it has to be read, and what comes after it
				}
			}
		}
	})
}

// TestNotTrue has what a server said changed, repeated, or said by somebody else.
func TestNotTrue(t *testing.T) {
	t.Parallel()
	v, err := newVoice([]byte("secret"), "server", 7)
	if err != nil {
		t.Fatal(err)
	}
	first, second := v.say(nil, []byte("first")), v.say(nil, []byte("second"))
	listening := func() *ears { return &ears{secret: []byte("secret"), runs: make(map[string]*heardRun)} }
	e := listening()
	for _, p := range [][]byte{first, second} {
		if _, err := e.open(p, 7); err != nil {
			t.Fatal(err)
		}
	}
	for name, p := range map[string][]byte{"the last": second, "one before": first} {
		if _, err := e.open(p, 7); err == nil {
			t.Errorf("%s was heard twice", name)
		}
	}
	if _, err := listening().open(first, 8); err == nil {
		t.Error("another backend may repeat it to whoever has not heard it")
	}
	if _, err := (&ears{secret: []byte("other"), runs: make(map[string]*heardRun)}).open(first, 7); err == nil {
		t.Error("another log's is taken")
	}
	for i := range len(first) {
		mangled := bytes.Clone(first)
		mangled[i]++
		if content, err := listening().open(mangled, 7); err == nil {
			t.Errorf("with another byte at %d it says %q", i, content)
		}
	}
	for _, p := range []string{"", " ", "1", "1server", "1server ", "1server AAAA", "0" + string(first[1:]), `{"from":"x"}`, string(first) + "A"} {
		if _, err := listening().open([]byte(p), 7); err == nil {
			t.Errorf("%q is taken", p)
		}
	}
	if _, err := listening().open(first, 7); err != nil {
		t.Error(err)
	}
}

// TestMangledContent has contents that no server makes read: nothing panics.
func TestMangledContent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes")
		if all := anyTold(rt).contents("epoch", 5000); rapid.Bool().Draw(rt, "nearly right") {
			for first := range all {
				b = first
				break
			}
			for range rapid.IntRange(1, 3).Draw(rt, "changes") {
				b[rapid.IntRange(0, len(b)-1).Draw(rt, "where")] = rapid.Byte().Draw(rt, "what")
			}
		}
		_, _ = new(content).read(b, func(string) bool { return true }, func(string, *news) {})
	})
}

func BenchmarkNotification(b *testing.B) {
	n := &news{heads: heads{1, 0, 1, 30}, epoch: "epoch"}
	for i := range 30 {
		n.entries = append(n.entries, chat.Entry{Offset: int64(i + 1), ID: strings.Repeat("i", 26), Device: strings.Repeat("d", 32), User: "Ann", Text: strings.Repeat("x", 100), Time: time.UnixMilli(1 << 40)})
	}
	what := &told{rooms: map[string]*news{"room": n}}
	v, err := newVoice([]byte("secret"), "server", 7)
	if err != nil {
		b.Fatal(err)
	}
	e := &ears{secret: []byte("secret"), runs: make(map[string]*heardRun)}
	var said []byte
	var reads content
	b.ReportAllocs()
	for range b.N {
		for c := range what.contents("epoch", v.most()) {
			said = v.say(said[:0], c)
			content, err := e.open(said, 7)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := reads.read(content, func(string) bool { return true }, func(string, *news) {}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/30, "ns/entry")
}

// BenchmarkNotify measures what a notification costs the database, by how many hear it
// and how long it is. The next one goes out when all have heard it, so each wakes them.
func BenchmarkNotify(b *testing.B) {
	for _, bytes := range []int{300, 7900} {
		for _, listeners := range []int{0, 1, 3, 10} {
			b.Run(fmt.Sprintf("%d_bytes/%d_listeners", bytes, listeners), func(b *testing.B) {
				conns := make([]*pgx.Conn, listeners+1)
				for i := range conns {
					conn, err := pgx.Connect(b.Context(), database)
					if err != nil {
						b.Fatal(err)
					}
					defer conn.Close(context.Background())
					if conns[i] = conn; i > 0 {
						if _, err := conn.Exec(b.Context(), "LISTEN benchmark"); err != nil {
							b.Fatal(err)
						}
					}
				}
				began := server.CPU()
				b.ResetTimer()
				for i := range b.N {
					if _, err := conns[0].Exec(b.Context(), "SELECT pg_notify('benchmark', $1)", fmt.Sprintf("%0*d", bytes, i)); err != nil {
						b.Fatal(err)
					}
					for _, conn := range conns[1:] {
						if _, err := conn.WaitForNotification(b.Context()); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.StopTimer()
				b.ReportMetric(float64((server.CPU()-began).Nanoseconds())/1000/float64(b.N), "database-cpu-µs/op")
			})
		}
	}
}
