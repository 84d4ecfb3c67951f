package store_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"parley/client/session"
	"parley/client/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.SetAside() != "" {
		t.Fatalf("%s was set aside", s.SetAside())
	}
	return s
}

func enter(s *store.Store, room string) session.RoomStore {
	return s.Enter("http://192.0.2.1:8000", room, nil)
}

// pending are rows of an outbox.
func pending(texts ...string) (rows []*session.Row) {
	for i, text := range texts {
		id := fmt.Sprintf("%s-%d", text, i)
		rows = append(rows, &session.Row{Item: session.Item{ID: id, Text: text, Mine: true, Delivery: session.Pending, Time: time.Unix(1, 0).UTC()}, Entry: id, Content: session.Content{Text: text}})
	}
	return rows
}

// sent are rows of a log.
func sent(from, to int) (rows []*session.Row) {
	for i := from; i < to; i++ {
		id := fmt.Sprint("m", i)
		rows = append(rows, &session.Row{
			Item:  session.Item{ID: id, Offset: int64(i), User: "Bob", By: "them", Text: strings.Repeat("text ", 30), Time: time.Unix(int64(i), 0).UTC()},
			Entry: id, Epoch: "e", Content: session.Content{Text: strings.Repeat("text ", 30)},
		})
	}
	return rows
}

// fill makes a store with a few rooms and returns its path.
func fill(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sub", "store")
	s := open(t, path)
	for _, name := range []string{"one", "two", "three"} {
		r := enter(s, name)
		if _, err := r.Load(); err != nil {
			t.Fatal(err)
		}
		rows := 10
		if name == "two" {
			rows = 150
		}
		saved := session.Saved{State: session.RoomState{Server: "http://192.0.2.1:8000", Room: name}, Draft: "d", Log: sent(0, rows), Outbox: pending("a", "b")}
		if err := r.Save(session.Saving{Saved: saved}); err != nil {
			t.Fatal(err)
		}
		r.Leave()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// raced says that the race detector is on. With it, Go also checks every unsafe
// pointer, and ends the process if bbolt reads a damaged page.
var raced bool

// addUnread adds a page to a store with a value that nothing reads but the check.
func addUnread(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("unread"))
		if err != nil {
			return err
		}
		return b.Put([]byte("k"), unreadValue)
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// unreadValue is too long for a bucket within another page.
var unreadValue = bytes.Repeat([]byte("unread"), 300)

// TestDamagedStore damages a store at every page and at random places. Opening
// it always gives a store that works: the same or, with a word on it, a new one.
func TestDamagedStore(t *testing.T) {
	if raced {
		out, err := exec.Command("go", "test", "-count", "1", "-run", "^TestDamagedStore$", ".").CombinedOutput()
		if err != nil || !bytes.HasPrefix(out, []byte("ok")) {
			t.Errorf("without the race detector: %v\n%s", err, out)
		}
		return
	}
	path := fill(t)
	addUnread(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	damages := map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"text":    func([]byte) []byte { return []byte("this is no store") },
		"zeros":   func(b []byte) []byte { return make([]byte, len(b)) },
		"no meta": func(b []byte) []byte { clear(b[:8192]); return b },
	}
	for size := 1; size < len(whole); size += 7003 {
		damages[fmt.Sprintf("cut to %d", size)] = func(b []byte) []byte { return b[:size] }
	}
	branches := 0
	for at := 8192; at < len(whole); at += 4096 {
		damages[fmt.Sprintf("zeros at %d", at)] = func(b []byte) []byte { clear(b[at : at+4096]); return b }
		for _, header := range []int{0, 8, 10, 12, 13, 15, 16, 20, 24, 26, 28, 31} {
			at, flip := at+header, byte(1+random.IntN(255))
			damages[fmt.Sprintf("byte %d ^ %d", at, flip)] = func(b []byte) []byte { b[at] ^= flip; return b }
		}
		if bytes.Contains(whole[at:at+4096], unreadValue) { // a leaf page with one element: its value leads out of the file
			damages["long value"] = func(b []byte) []byte {
				binary.NativeEndian.PutUint32(b[at+28:], 1<<28)
				return b
			}
		}
		if whole[at+8] == 1 { // a branch page: its first and its second child is the page itself
			branches++
			for _, child := range []int{24, 40} {
				damages[fmt.Sprintf("circle at %d", at+child)] = func(b []byte) []byte {
					binary.NativeEndian.PutUint64(b[at+child:], uint64(at/4096))
					return b
				}
			}
		}
	}
	if branches == 0 {
		t.Error("the file has no branch page")
	}
	if damages["long value"] == nil {
		t.Error("the file has no value that only the check reads")
	}
	aside, same := 0, 0
	for name, damage := range damages {
		file := filepath.Join(t.TempDir(), "store")
		damaged := damage(bytes.Clone(whole))
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.SetAside() == "" {
			same++
		} else if kept, err := os.ReadFile(s.SetAside()); err != nil || !bytes.Equal(kept, damaged) {
			t.Errorf("%s: what was set aside is not what was there, %v", name, err)
		} else {
			aside++
		}
		if (strings.HasPrefix(name, "circle") || name == "long value") && s.SetAside() == "" {
			t.Errorf("%s: not noticed", name)
		}
		if device, err := s.Device("http://192.0.2.1:8000"); err != nil || device == "" {
			t.Errorf("%s: Device: %q, %v", name, device, err)
		}
		r := enter(s, "one")
		saved, err := r.Load()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		saved.Outbox = append(saved.Outbox, pending("goes on")...)
		if err := r.Save(session.Saving{Saved: saved}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d damaged files: %d set aside, %d harmless", len(damages), aside, same)
	if aside < len(damages)/3 {
		t.Error("too few were noticed")
	}
}

func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	if _, err := store.Open(path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a second opening: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path).Close()
}

// TestNewer has a file of a later version: it is refused, and not a byte of it
// changes.
func TestNewer(t *testing.T) {
	path := fill(t)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("app")).Put([]byte("version"), []byte("1000")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(path); !errors.Is(err, store.ErrNewer) {
		t.Errorf("opened: %v, %v", s, err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 {
		t.Errorf("there are %q", files)
	}
}

// TestProfile keeps who the person is over a restart.
func TestProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	if name, server, err := s.Profile(); name != "" || server != "" || err != nil {
		t.Fatalf("a new store has %q at %q, %v", name, server, err)
	}
	if err := s.SetProfile("Ann", "http://192.0.2.1:8000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close()
	if name, server, err := s.Profile(); name != "Ann" || server != "http://192.0.2.1:8000" || err != nil {
		t.Fatalf("the store has %q at %q, %v", name, server, err)
	}
}

// TestSave adds, changes, moves and removes rows, between restarts and after a save
// that failed. What is loaded is what was saved.
func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	r := enter(s, "r")
	saved, err := r.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := sent(0, 40)
	random := rand.New(rand.NewPCG(3, 4))
	describe := func(rows []*session.Row) (out []string) {
		for _, row := range rows {
			data, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(data))
		}
		return out
	}
	show := func() {
		for _, row := range slices.Concat(saved.Log, saved.Outbox) {
			row.Show(saved.Amendments)
		}
	}
	for step := range 400 {
		changed := map[*session.Row]bool{}
		switch random.IntN(9) {
		case 0: // at the end
			saved.Log = append(saved.Log, all[random.IntN(len(all))])
		case 1: // before others
			saved.Log = slices.Insert(saved.Log, random.IntN(len(saved.Log)+1), all[random.IntN(len(all))])
		case 2: // away
			if n := len(saved.Log); n > 0 {
				i := random.IntN(n)
				saved.Log = slices.Delete(slices.Clone(saved.Log), i, i+1)
			}
		case 3: // no longer kept
			saved.Log = saved.Log[min(len(saved.Log), 2):]
		case 4:
			if n := len(saved.Log); n > 0 {
				row := saved.Log[random.IntN(n)]
				row.Content = session.Content{
					Text: fmt.Sprint("changed at ", step), Edited: true, Quote: &session.Quote{Offset: int64(step), User: "Ann", Text: "what?"},
					Reactions: []session.Reaction{{Emoji: "👍", Count: step}}, Reacted: "👍",
				}
				row.Changed, row.Answers, row.Held = int64(step), "m1", step%2 == 0
				row.Show(saved.Amendments)
				changed[row] = true
			}
		case 7:
			if n := len(saved.Log); n > 0 {
				saved.Amendments = append(saved.Amendments, &session.Amendment{
					ID: fmt.Sprint("a", step), Did: session.DidEdit, Row: saved.Log[random.IntN(n)].ID, Of: "of", Target: int64(step),
					Text: fmt.Sprint("amended at ", step), After: "o1", Out: step%2 == 0,
				})
				show()
			}
		case 8:
			saved.Amendments = nil
			show()
		case 5:
			saved.Outbox = append(saved.Outbox, pending(fmt.Sprint("o", step))...)
		case 6: // from the outbox into the log
			if len(saved.Outbox) > 0 {
				row := saved.Outbox[0]
				row.Delivery, row.Offset, row.Epoch = session.Sent, 1, "e"
				saved.Log, saved.Outbox = append(saved.Log, row), saved.Outbox[1:]
				changed[row] = true
			}
		}
		// A row is once in the list.
		seen := map[*session.Row]bool{}
		saved.Log = slices.DeleteFunc(slices.Clone(saved.Log), func(r *session.Row) bool { defer func() { seen[r] = true }(); return seen[r] })
		saved.Draft = fmt.Sprint(step)
		saved.State.Unread = step
		if err := r.Save(session.Saving{Saved: saved, Changed: changed}); err != nil {
			t.Fatal(err)
		}
		if step%5 == 0 {
			r.Leave()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
			r = enter(s, "r")
		} else if step%5 != 1 {
			continue
		}
		loaded, err := r.Load()
		if err != nil {
			t.Fatal(err)
		}
		if loaded.Draft != saved.Draft || !reflect.DeepEqual(loaded.State, saved.State) || !reflect.DeepEqual(loaded.Amendments, saved.Amendments) ||
			!slices.Equal(describe(loaded.Log), describe(saved.Log)) || !slices.Equal(describe(loaded.Outbox), describe(saved.Outbox)) {
			t.Fatalf("step %d: loaded\n%q\nsaved\n%q", step, describe(loaded.Log), describe(saved.Log))
		}
		saved = loaded
		all = append(all[:0], saved.Log...)
		all = append(all, sent(step*100, step*100+20)...)
	}
	r.Leave()
	s.Close()
}

// TestSaveAfterFailure writes everything again, since nobody knows what was kept.
func TestSaveAfterFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	r := enter(s, "r")
	if _, err := r.Load(); err != nil {
		t.Fatal(err)
	}
	saved := session.Saved{Log: sent(0, 3)}
	if err := r.Save(session.Saving{Saved: saved}); err != nil {
		t.Fatal(err)
	}
	saved.Log = append(saved.Log, &session.Row{Item: session.Item{ID: "x", Time: time.Date(-20000, 1, 1, 0, 0, 0, 0, time.UTC)}}) // JSON has no such year
	if err := r.Save(session.Saving{Saved: saved}); err == nil {
		t.Fatal("saved what can't be")
	}
	saved.Log[3].Time = time.Time{}
	saved.Log[1].Content.Text = "changed, and told of only then"
	if err := r.Save(session.Saving{Saved: saved}); err != nil {
		t.Fatal(err)
	}
	loaded, err := r.Load()
	if err != nil || len(loaded.Log) != 4 || loaded.Log[1].Text != saved.Log[1].Content.Text {
		t.Errorf("loaded %+v, %v", loaded.Log, err)
	}
	r.Leave()
	s.Close()
}

// TestEnter lets one use a room at a time.
func TestEnter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	defer s.Close()
	r := enter(s, "Lobby")
	left := make(chan struct{})
	close(left)
	if s.Enter("http://192.0.2.1:8000", "LOBBY ", left) != nil {
		t.Error("two are in one room")
	}
	in := make(chan session.RoomStore)
	go func() { in <- enter(s, "lobby") }()
	r.Leave()
	(<-in).Leave()
}

// TestFilesOfEarlierVersions: testdata has one of each layout, storeN.db. This
// version reads all of it.
func TestFilesOfEarlierVersions(t *testing.T) {
	files, err := filepath.Glob("testdata/store*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stores, %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, visit := range []string{"first", "second"} {
			s := open(t, path)
			if name, server, err := s.Profile(); name != "Ann" || server != "http://192.0.2.1:8000" || err != nil {
				t.Errorf("%s: the profile is %q at %q, %v", file, name, server, err)
			}
			const device = "XD7YNNRD6N4SK5SAG7BLBGCN5Q"
			if got, err := s.Device(session.Identity("http://192.0.2.1:8000", "")); got != device || err != nil {
				t.Errorf("%s: the server knows the device as %q, %v", file, got, err)
			}
			if pin := s.Pin("https://192.0.2.3:8000"); pin != "" || !strings.HasSuffix(file, "store1.db") {
				if got, err := s.Device(session.Identity("https://192.0.2.4:8000", pin)); got != device || err != nil {
					t.Errorf("%s: the server with the certificate knows the device as %q, %v", file, got, err)
				}
			}
			if got, err := s.Device(session.Identity("http://192.0.2.2:8000", "")); got == device || err != nil {
				t.Errorf("%s: another server knows the device as %q, %v", file, got, err)
			}
			var got []string
			for _, r := range s.Recent() {
				got = append(got, fmt.Sprintf("%s shown=%v unread=%d locked=%v draft=%q last=%q place=%+v", r.Room, r.Shown, r.Unread, r.Locked, r.Draft, r.Last.Text, r.Place))
			}
			want := []string{
				`attic shown=false unread=1 locked=true draft="" last="up here" place={ID: Offset:0 Below:0}`,
				`Lobby shown=false unread=2 locked=false draft="half a thought" last="waits" place={ID: Offset:0 Below:0}`,
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s visit: the rooms are\n%q", file, visit, got)
			}
			r := enter(s, "lobby")
			saved, err := r.Load()
			var rows []string
			for _, row := range slices.Concat(saved.Log, saved.Outbox) {
				rows = append(rows, fmt.Sprintf("%s: %s %v %d", row.User, row.Text, row.Mine, row.Delivery))
			}
			want = []string{"Bob: hello 👋 false 0", "Ann: hi true 0", "Bob: how are you? false 0", "Ann: refused true 2", "Bob: anybody? false 0", "Cleo: me false 0", "Ann: waits true 1"}
			if err != nil || !slices.Equal(rows, want) {
				t.Errorf("%s, %s visit: the room has\n%q, %v", file, visit, rows, err)
			}
			if strings.HasSuffix(file, "store4.db") { // since which there are changes of messages
				a, b, c := saved.Log[0], saved.Log[2], saved.Log[4]
				up := []session.Reaction{{Emoji: "👍", Count: 2}}
				if a.Reacted != "👍" || !slices.Equal(a.Reactions, up) || a.Changed != 9 || !b.Edited || *b.Quote != (session.Quote{Offset: a.Offset, User: "Bob", Text: a.Text}) ||
					c.Reacted != "🎉" || c.Content.Reacted != "" || len(saved.Amendments) != 1 || !saved.State.CanChange || saved.State.Behind != (session.Behind{Changed: 3, Before: 7}) {
					t.Errorf("%s, %s visit: the changes are %+v, %+v, %+v", file, visit, a, b, c)
				}
			}
			if strings.HasSuffix(file, "store5.db") { // since which there are files
				a, b := saved.Log[4], saved.Outbox[0]
				if a.File == nil || *a.File != (session.File{ID: "abcdefghijklmnopqrstuvwxyz", Name: "gate.jpg", Type: "image/jpeg", Size: 81234, Width: 2048, Height: 1536, Thumb: true}) ||
					b.File == nil || b.File.Sent != 262144 || b.Copy != "cbcdefghijklmnopqrstuvwxyz" || saved.State.MaxFile != 100<<20 {
					t.Errorf("%s, %s visit: the files are %+v, %+v", file, visit, a.File, b)
				}
			}
			r.Leave()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
