package cluster

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/pglog"
	"parley/server/pglog/pgtest"
	"parley/server/sqlitelog"
	"parley/server/transfer"
	"parley/shared"
	"parley/shared/servertest"
)

// store is a log of either kind.
type store interface {
	chat.Log
	chat.Registry
	chat.FileRows
	ID() string
	Bounded() bool
}

func openFolder(t *testing.T, dir string) store {
	t.Helper()
	l, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openDatabase(t *testing.T, address string) store {
	t.Helper()
	l, err := pglog.Open(t.Context(), address, pglog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add appends an entry, which may be refused.
func add(t *testing.T, l store, room shared.Name, e chat.Entry) int64 {
	t.Helper()
	type result struct {
		chat.Receipt
		err error
	}
	c := make(chan result, 1)
	l.Append(t.Context(), room, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	got := <-c
	must(t, got.err)
	return got.Offset
}

var (
	hall  = shared.Name{Text: "Hall", Key: "hall"}
	vault = shared.Name{Text: "Vault", Key: "vault"}
	class = shared.Name{Text: "Class", Key: "class"}
)

// live gives a log something of all that a log keeps.
func live(t *testing.T, l store) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	device := fmt.Sprintf("%032x", 7) // which SQLite packs
	say := func(id, by string, change func(*chat.Entry)) chat.Entry {
		e := chat.Entry{ID: id, Device: by, User: "Änn", Text: "text of " + id + "\x00 ✓", Time: at}
		if change != nil {
			change(&e)
		}
		return e
	}
	for n := range 20 {
		add(t, l, hall, say(fmt.Sprint("m", n), device, nil))
	}
	about := func(kind chat.Kind, target int64, of string, extra chat.Extra) func(*chat.Entry) {
		return func(e *chat.Entry) {
			extra.Of = of
			if e.Kind, e.Target, e.Extra = kind, target, &extra; kind != chat.KindEdit {
				e.Text = ""
			}
		}
	}
	add(t, l, hall, say("01JC0000000000000000000000", "b", func(e *chat.Entry) { e.Reply, e.Extra = 3, &chat.Extra{Of: "m2"} }))
	add(t, l, hall, say("e1", device, about(chat.KindEdit, 3, "m2", chat.Extra{})))
	add(t, l, hall, say("r1", "b", about(chat.KindReact, 3, "m2", chat.Extra{Emoji: "👍"})))
	add(t, l, hall, say("r2", device, about(chat.KindReact, 3, "m2", chat.Extra{Emoji: "🎉"})))
	add(t, l, hall, say("d1", device, about(chat.KindDelete, 5, "m4", chat.Extra{})))

	// A room with hosts, a pin, somebody who was removed with all that they said, and files.
	notice := func(id string, act chat.Act, target int64, of string) {
		add(t, l, class, chat.Entry{ID: id, Device: "host", User: "Host", Time: at, Kind: chat.KindNotice, Target: target, Extra: &chat.Extra{Act: &act, Of: of}})
	}
	notice("n1", chat.Act{Do: shared.DoOpen}, 0, "")
	pinned := add(t, l, class, say("p", "b", nil))
	for n := range 3 {
		add(t, l, class, say(fmt.Sprint("spam", n), "c", nil))
	}
	file := fmt.Sprintf("%032x", 99)
	_, err := l.BeginFile(t.Context(), chat.FileRow{File: chat.File{ID: file, Name: "a b.jpg", Size: 5, Width: 3, Height: 4}, Room: class.Key, Device: "b", Source: 3, Made: at})
	must(t, err)
	must(t, l.WholeFile(t.Context(), file, "image/jpeg"))
	must(t, l.ThumbFile(t.Context(), file))
	add(t, l, class, say("f", "b", func(e *chat.Entry) { e.Extra = &chat.Extra{File: &chat.File{ID: file}} }))
	_, err = l.BeginFile(t.Context(), chat.FileRow{File: chat.File{ID: fmt.Sprintf("%032x", 98), Name: "later", Size: 9}, Room: class.Key, Device: "b", Made: at})
	must(t, err)
	notice("n2", chat.Act{Do: shared.DoPin}, pinned, "p")
	notice("n3", chat.Act{Do: shared.DoRemove}, pinned+1, "spam0")
	notice("n4", chat.Act{Do: shared.DoDeleteAll, Device: "c", About: "Änn"}, 0, "")

	set, err := l.SetLock(t.Context(), vault.Key, chat.Lock{Hash: "h", Hidden: true, Made: at})
	if must(t, err); !set {
		t.Fatal("the lock was not set")
	}
	add(t, l, vault, say("v", "b", nil))
	rules := chat.NameRules{Hold: time.Hour, HoldSpoken: 2 * time.Hour}
	for n, name := range []string{"ann", "bob"} {
		_, err := l.Claim(t.Context(), chat.Claim{Room: hall.Key, Name: name, Device: device, Seen: at, Spoken: n == 0, Look: name, Address: "192.0.2.7"}, rules)
		must(t, err)
	}
	must(t, l.SetHostKey(t.Context(), []byte("hash of the key")))

	// Rooms that were deleted and renamed.
	for _, name := range []shared.Name{{Text: "Gone", Key: "gone"}, {Text: "Was", Key: "was"}} {
		for n := range 3 {
			add(t, l, name, say(fmt.Sprint(n), "b", nil))
		}
	}
	must(t, l.Delete(t.Context(), "gone"))
	must(t, l.Rename(t.Context(), "was", shared.Name{Text: "Is", Key: "is"}))
}

// rows are all rows of a log, as lines.
func rows(t *testing.T, read func(transfer.Put) error) (all []string) {
	t.Helper()
	must(t, read(func(row any) error {
		if r, ok := row.(transfer.Room); ok && r.Rules != nil {
			rules := *r.Rules
			r.Rules = nil
			row = fmt.Sprintf("%+v %+v", r, rules)
		}
		if n, ok := row.(transfer.Name); ok && n.Address != nil {
			address := *n.Address
			n.Address = nil
			row = fmt.Sprintf("%+v %d", n, address)
		}
		all = append(all, fmt.Sprintf("%T %+v", row, row))
		return nil
	}))
	return all
}

func ofFolder(t *testing.T, dir string) []string {
	return rows(t, func(put transfer.Put) error { return sqlitelog.CopyFrom(t.Context(), dir, put) })
}

func ofDatabase(t *testing.T, address string) []string {
	return rows(t, func(put transfer.Put) error { return pglog.CopyFrom(t.Context(), address, pglog.Options{}, put) })
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: %d rows, and not %d", what, len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

// seen is what clients see of a log.
func seen(t *testing.T, l store) (all []string) {
	t.Helper()
	for _, room := range []shared.Name{hall, vault, class, {Text: "Is", Key: "is"}, {Text: "Gone", Key: "gone"}, {Text: "Was", Key: "was"}} {
		state, stop, err := l.Open(t.Context(), room, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
		must(t, err)
		stop()
		state.Epoch = ""
		all = append(all, fmt.Sprintf("%+v", state))
		entries, err := l.Read(t.Context(), room.Key, 0, 1000, chat.Most{Entries: 1000})
		must(t, err)
		for _, e := range entries {
			extra := *e.Extras()
			e.Extra = nil
			line := fmt.Sprintf("%+v %q %v %v", e, extra.Emoji, extra.Reactions, extra.Targets)
			if extra.Quote != nil {
				line += fmt.Sprintf(" %+v", *extra.Quote)
			}
			if extra.File != nil {
				line += fmt.Sprintf(" %+v", *extra.File)
			}
			all = append(all, line)
		}
		lock, err := l.Lock(t.Context(), room.Key)
		must(t, err)
		all = append(all, fmt.Sprintf("%+v", lock))
	}
	for _, name := range []string{"ann", "bob"} {
		c, err := l.Owner(t.Context(), hall.Key, name)
		must(t, err)
		all = append(all, fmt.Sprintf("%+v", c))
	}
	return all
}

func epochOf(t *testing.T, l store) string {
	t.Helper()
	state, stop, err := l.Open(t.Context(), hall, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
	must(t, err)
	stop()
	return state.Epoch
}

// TestCopy copies a log from a folder to a database, to another folder, and to another
// database, and writes to the last one.
func TestCopy(t *testing.T) {
	t.Parallel()
	dirs := []string{t.TempDir(), filepath.Join(t.TempDir(), "new")}
	logs := []string{pgtest.Address(database.Create(t), database), pgtest.Address(database.Create(t), database)}
	first := openFolder(t, dirs[0])
	live(t, first)
	id, looks := first.ID(), seen(t, first)
	epochs := map[string]bool{epochOf(t, first): true}
	must(t, first.Close())
	picture := fmt.Sprintf("%032x", 99)
	bytesOf := func(dir, end string) string { return filepath.Join(dir, "files", picture[:2], picture+end) }
	for end, text := range map[string]string{"": "12345", ".thumb": "small"} {
		put(t, bytesOf(dirs[0], end), text)
	}
	folders := []string{t.TempDir(), t.TempDir()} // of the databases
	want := ofFolder(t, dirs[0])
	if len(want) < 40 {
		t.Fatalf("there are only %d rows", len(want))
	}
	for i, step := range [][3]string{{dirs[0], logs[0], folders[0]}, {logs[0], dirs[1], dirs[1]}, {dirs[1], logs[1], folders[1]}} {
		args := []string{"copy", "--from", step[0], "--to", step[1], "--to-files", step[2]}
		if i == 1 {
			args[5], args[6] = "--from-files", folders[0]
		}
		out, err := parley(t, args...)
		if err != nil || !bytes.Contains(out, []byte("has 1 file with 5 bytes")) {
			t.Fatalf("%v: %s", err, out)
		}
		for end, text := range map[string]string{"": "12345", ".thumb": "small"} {
			if got, err := os.ReadFile(bytesOf(step[2], end)); err != nil || string(got) != text {
				t.Errorf("the picture's bytes%s are %q, %v", end, got, err)
			}
		}
		if mark, err := os.ReadFile(filepath.Join(step[2], "parley-log")); i != 1 && (err != nil || string(mark) != id+"\n") {
			t.Errorf("the folder is marked as %q, %v", mark, err)
		}
		var l store
		if i == 1 {
			same(t, "the folder", ofFolder(t, step[1]), want)
			l = openFolder(t, step[1])
		} else {
			same(t, "the database", ofDatabase(t, step[1]), want)
			l = openDatabase(t, step[1])
		}
		same(t, "what is seen", seen(t, l), looks)
		if l.ID() != id || !l.Bounded() {
			t.Errorf("the copy has the id %s, and not %s", l.ID(), id)
		}
		if epoch := epochOf(t, l); epochs[epoch] {
			t.Error("the copy has an epoch of before")
		} else {
			epochs[epoch] = true
		}
		key, err := l.HostKey(t.Context())
		if must(t, err); !bytes.Equal(key, []byte("hash of the key")) {
			t.Errorf("the host's key is %q", key)
		}
		must(t, l.Close())
	}

	// All goes on where it was: what is repeated is known, and no offset or room comes again.
	l := openDatabase(t, logs[1])
	defer l.Close()
	at := time.UnixMilli(1_700_000_000_123).UTC()
	device := fmt.Sprintf("%032x", 7)
	if n := add(t, l, hall, chat.Entry{ID: "m3", Device: device, User: "Änn", Text: "text of m3", Time: at}); n != 4 {
		t.Errorf("a repeated message has the offset %d", n)
	}
	if n := add(t, l, hall, chat.Entry{ID: "new", Device: device, User: "Änn", Text: "new", Time: at}); n != 26 {
		t.Errorf("a new message has the offset %d", n)
	}
	for name, want := range map[string]int64{"gone": 4, "was": 4, "fresh": 1} {
		if n := add(t, l, shared.Name{Text: name, Key: name}, chat.Entry{ID: "x", Device: "b", User: "Bob", Text: "x", Time: at}); n != want {
			t.Errorf("the next entry of %s has the offset %d, and not %d", name, n, want)
		}
	}
	if _, err := l.(*pglog.Log).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCopyRefused copies where it must not.
func TestCopyRefused(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), pgtest.Address(database.Create(t), database)
	empty := pgtest.Address(database.Create(t), database)
	l := openFolder(t, dir)
	add(t, l, hall, chat.Entry{ID: "1", Device: "d", User: "Ann", Text: "one", Time: time.UnixMilli(1)})
	refused := func(want, from, to string, more ...string) {
		t.Helper()
		if out, err := parley(t, append([]string{"copy", "--from", from, "--to", to}, more...)...); err == nil || !strings.Contains(strings.Join(strings.Fields(string(out)), " "), want) {
			t.Errorf("from %s to %s: %v, %s", from, to, err, out)
		}
	}
	refused("choose another folder with --from", dir, at)
	refused("choose another folder with --to", at, dir)
	refused("correct its name in --to", at, pgtest.Address("nowhere", database))
	must(t, l.Close())
	if _, err := parley(t, "copy", "--from", dir, "--to", at); err != nil {
		t.Fatal(err)
	}
	refused("there is a log in it already", dir, at)
	refused("--to-files is for a database", at, t.TempDir(), "--to-files", t.TempDir())
	refused("make it, or correct its name", dir, empty, "--to-files", filepath.Join(dir, "nowhere"))
	refused("there is a log in "+dir+" already", at, dir)
	refused("there is no log in it: correct the address in --from", empty, t.TempDir())
	refused("choose its folder with --from", t.TempDir(), empty)
	running := openDatabase(t, at)
	refused("a Parley server runs on it", at, t.TempDir())
	must(t, running.Close())
}

// filed adds messages with files of so many bytes to a log, and writes the bytes to a
// folder.
func filed(t *testing.T, l store, dir string, n, size int) (ids []string) {
	t.Helper()
	at := time.UnixMilli(1_700_000_000_000)
	for i := range n {
		id := fmt.Sprintf("%c%c%024d", 'a'+i%26, 'a'+i%7, i)
		_, err := l.BeginFile(t.Context(), chat.FileRow{File: chat.File{ID: id, Name: "a", Size: int64(size)}, Room: hall.Key, Device: "b", Made: at})
		must(t, err)
		must(t, l.WholeFile(t.Context(), id, "image/jpeg"))
		add(t, l, hall, chat.Entry{ID: id, Device: "b", User: "Bob", Time: at, Extra: &chat.Extra{File: &chat.File{ID: id}}})
		put(t, filepath.Join(dir, "files", id[:2], id), strings.Repeat(id[:1], size))
		ids = append(ids, id)
	}
	return ids
}

// put writes a file, and makes its folder.
func put(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestCopyOfFiles kills copies amid the files: there is no log before all of them are
// there, and the next one goes on.
func TestCopyOfFiles(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	l := openFolder(t, from)
	ids := filed(t, l, from, 150, 20_000)
	must(t, l.Close())
	folder, dir := t.TempDir(), t.TempDir()
	address := pgtest.Address(database.Create(t), database)
	for what, args := range map[string][]string{
		folder: {"copy", "--from", from, "--to", address, "--to-files", folder},
		dir:    {"copy", "--from", from, "--to", dir},
	} {
		there := func() (n int) {
			all, _ := filepath.Glob(filepath.Join(what, "files", "*", strings.Repeat("?", 26)))
			return len(all)
		}
		copying := exec.Command(servertest.Binary(t), args...)
		must(t, copying.Start())
		until(t, "files are copied", func() bool { return there() > 5 })
		must(t, copying.Process.Kill())
		_ = copying.Wait()
		if there() == len(ids) {
			t.Error("it was killed too late")
		}
		if what == dir {
			if _, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{}); err == nil || !strings.Contains(err.Error(), "broken off") {
				t.Errorf("a log is there before its files are: %v", err)
			}
		} else if err := pglog.CopyFrom(t.Context(), address, pglog.Options{}, func(any) error { return nil }); err == nil {
			t.Error("a log is there before its files are")
		}
		first := filepath.Join(what, "files", ids[0][:2], ids[0])
		before, err := os.Stat(first)
		must(t, err)
		lost := filepath.Join(from, "files", ids[149][:2], ids[149])
		must(t, os.Truncate(lost, 10))
		if out, err := parley(t, args...); err == nil || !bytes.Contains(out, []byte("as they were sent (1, the first is "+ids[149])) {
			t.Errorf("with a file that is not whole: %v, %s", err, out)
		}
		put(t, lost, strings.Repeat(ids[149][:1], 20_000))
		if out, err := parley(t, args...); err != nil || !bytes.Contains(out, []byte("has 150 files with 3000000 bytes")) {
			t.Fatalf("%v, %s", err, out)
		}
		after, err := os.Stat(first)
		if must(t, err); !os.SameFile(before, after) {
			t.Error("what was there is copied again")
		}
		for _, id := range ids {
			if got, err := os.ReadFile(filepath.Join(what, "files", id[:2], id)); err != nil || string(got) != strings.Repeat(id[:1], 20_000) {
				t.Fatalf("%s has %d bytes, %v", id, len(got), err)
			}
		}
	}

	refused := func(want string, args ...string) {
		t.Helper()
		if out, err := parley(t, append([]string{"copy"}, args...)...); err == nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("%v, %s", err, out)
		}
	}
	other, another := pgtest.Address(database.Create(t), database), t.TempDir()
	refused("say with --to-files", "--from", from, "--to", other)
	refused("say with --from-files", "--from", address, "--to", another)
	refused("not the one of this log's files, or not mounted", "--from", address, "--from-files", t.TempDir(), "--to", another)
	put(t, filepath.Join(another, "parley-log"), "of another log")
	refused("has the files of another log", "--from", from, "--to", other, "--to-files", another)
	must(t, os.Remove(filepath.Join(folder, "files", ids[3][:2], ids[3])))
	out, err := parley(t, "copy", "--from", address, "--from-files", folder, "--to", other, "--to-files", folder, "--without-missing")
	if err != nil || !bytes.Contains(out, []byte("1 file is missing, as before")) {
		t.Errorf("without one, and in the same folder: %v, %s", err, out)
	}
}
