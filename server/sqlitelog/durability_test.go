package sqlitelog_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// state returns a room's epoch and head.
func state(t *testing.T, l *sqlitelog.Log) chat.State {
	t.Helper()
	s, stop, err := l.Open(t.Context(), lobby, chat.Follower{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	return s
}

// copyFolder copies a log as a killed server leaves it, but for what change does
// to its write-ahead log.
func copyFolder(t *testing.T, from string, change func(wal []byte) []byte) (to string) {
	t.Helper()
	to = t.TempDir()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name(), "-shm") {
			continue
		}
		if strings.HasSuffix(f.Name(), "-wal") {
			data = change(data)
		}
		if err := os.WriteFile(filepath.Join(to, f.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func whole(wal []byte) []byte { return wal }

// A power cut may leave the write-ahead log with an end that is missing, or that
// holds anything. What was committed before is there, in order, without a gap.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithWAL())
	defer l.Close()
	wal := filepath.Join(dir, sqlitelog.FileName+"-wal")
	ends := []int64{} // of the write-ahead log after each entry
	const entries = 8
	for i := range entries {
		if _, err := add(l, fmt.Sprint(i), strings.Repeat("x", 500)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(wal)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	size := ends[entries-1]
	torn := map[string]func(int64) func([]byte) []byte{
		"cut": func(at int64) func([]byte) []byte {
			return func(b []byte) []byte { return b[:at] }
		},
		"zeros": func(at int64) func([]byte) []byte {
			return func(b []byte) []byte { clear(b[at:]); return b }
		},
		"a flipped bit": func(at int64) func([]byte) []byte {
			return func(b []byte) []byte { b[min(at, size-1)] ^= 0x10; return b }
		},
	}
	for what, tear := range torn {
		for at := ends[0]; at <= size; at += 6007 {
			want := int64(0) // entries that were committed before the torn place
			for want < entries && ends[want] <= at {
				want++
			}
			after := open(t, copyFolder(t, dir, tear(at)), sqlitelog.Options{})
			if s := state(t, after); s.Head != want && (what != "a flipped bit" || at != size) {
				t.Errorf("%s at %d: the head is %d, not %d", what, at, s.Head, want)
			} else if got, err := after.Read(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 100}); err != nil || int64(len(got)) != s.Head {
				t.Errorf("%s at %d: %d entries up to the head %d, %v", what, at, len(got), s.Head, err)
			} else if r, err := add(after, "new", "x"); err != nil || r.Offset != s.Head+1 {
				t.Errorf("%s at %d: the next entry is %+v, %v", what, at, r, err)
			}
			after.Close()
		}
	}
}

// Only a log that may have lost its end gets a new epoch.
func TestEpochAfterAnUncleanEnd(t *testing.T) {
	for _, c := range []struct {
		before, after sqlitelog.Sync
		killed, kept  bool
	}{
		{sqlitelog.Full, sqlitelog.Full, true, true},
		{sqlitelog.Full, sqlitelog.Normal, true, true},
		{sqlitelog.Normal, sqlitelog.Normal, false, true},
		{sqlitelog.Normal, sqlitelog.Normal, true, false},
		{sqlitelog.Normal, sqlitelog.Full, true, false},
	} {
		dir := t.TempDir()
		l := open(t, dir, sqlitelog.Options{Sync: c.before}.WithWAL())
		if _, err := add(l, "1", "x"); err != nil {
			t.Fatal(err)
		}
		before := state(t, l)
		if c.killed {
			dir = copyFolder(t, dir, whole)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var logged bytes.Buffer
		l = open(t, dir, sqlitelog.Options{Sync: c.after, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		now := state(t, l)
		if now.Head != 1 || (now.Epoch == before.Epoch) != c.kept {
			t.Errorf("%+v: the state was %+v and is %+v", c, before, now)
		}
		if unclean := strings.Contains(logged.String(), "did not end in good order"); unclean != c.killed {
			t.Errorf("%+v: it logged %q", c, logged.String())
		}
		l.Close()
		l = open(t, dir, sqlitelog.Options{Sync: c.after})
		if again := state(t, l); again.Epoch != now.Epoch {
			t.Errorf("%+v: after a clean end the epoch is another one", c)
		}
		l.Close()
	}
}

// damage overwrites a little in the middle of the database, where a server would
// not look before it takes messages.
func damage(t *testing.T, dir string) (path string, damaged []byte) {
	t.Helper()
	l := open(t, dir, sqlitelog.Options{})
	for i := range 50 {
		if _, err := add(l, fmt.Sprint(i), strings.Repeat("x", 500)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, sqlitelog.FileName)
	damaged, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(damaged[len(damaged)/2/4096*4096:], "a letter") // over the head of one page of messages
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, damaged
}

func TestDamagedDatabase(t *testing.T) {
	dir := t.TempDir()
	path, before := damage(t, dir)
	_, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if !errors.Is(err, sqlitelog.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore --replace") {
		t.Errorf("a damaged database: %v", err)
	}
	if _, err := sqlitelog.Check(t.Context(), dir); !errors.Is(err, sqlitelog.ErrDamaged) {
		t.Errorf("check: %v", err)
	}
	if err := sqlitelog.Backup(t.Context(), dir, filepath.Join(t.TempDir(), "backup")); !errors.Is(err, sqlitelog.ErrDamaged) {
		t.Errorf("backup: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the database was changed, %v", err)
	}
}

// A write-ahead log without its database is not taken for a new log's: opening
// the database would throw it away.
func TestMissingDatabase(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithWAL())
	defer l.Close()
	if _, err := add(l, "1", "x"); err != nil {
		t.Fatal(err)
	}
	for what, lose := range map[string]func(path string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
	} {
		left := copyFolder(t, dir, whole)
		if err := lose(filepath.Join(left, sqlitelog.FileName)); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlitelog.Open(t.Context(), left, sqlitelog.Options{}); !errors.Is(err, sqlitelog.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if info, err := os.Stat(filepath.Join(left, sqlitelog.FileName+"-wal")); err != nil || info.Size() == 0 {
			t.Errorf("%s: the write-ahead log is gone, %v", what, err)
		}
	}
}

// The files in testdata are databases of each released schema.
func TestOlderSchemas(t *testing.T) {
	files, err := filepath.Glob("testdata/schema*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no databases, %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, sqlitelog.FileName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := sqlitelog.Backup(t.Context(), dir, filepath.Join(dir, "backup.db")); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		exported := 0 // before a server has brought it over
		if err := sqlitelog.Export(t.Context(), dir, lobby, func(chat.Entry) error { exported++; return nil }); err != nil || exported != 3 {
			t.Errorf("%s: %d messages are exported, %v", file, exported, err)
		}
		if schemaVersion(t, dir) > 1 { // which had no locks
			want := entries(t, dir)
			open(t, dir, sqlitelog.Options{}).Close()
			same(t, file, entries(t, dir), want)
		}
		l := open(t, dir, sqlitelog.Options{})
		for _, name := range []string{"Lobby", "Küche"} {
			room, err := shared.RoomName(name)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := l.History(t.Context(), room.Key, 0, chat.Most{Entries: 10})
			if err != nil || len(entries) != 3 {
				t.Fatalf("%s, %s: %+v, %v", file, name, entries, err)
			}
			for i, e := range entries {
				want := fmt.Sprintf("%d id%d Ann %s %d 👋 2026-01-02T03:04:0%d.006Z", i+1, i+1, name, i+1, i+1)
				if got := fmt.Sprint(e.Offset, " ", e.ID, " ", e.User, " ", e.Text, " ", e.Time.Format(shared.TimeFormat)); got != want {
					t.Errorf("%s: %s, not %s", file, got, want)
				}
			}
		}
		if s := state(t, l); s.Head != 3 || s.Name != "Lobby" {
			t.Errorf("%s: the state is %+v", file, s)
		}
		if rooms, err := l.Rooms(t.Context(), 9); err != nil || !slices.ContainsFunc(rooms, func(r chat.Listed) bool { return r.Key == "lobby" }) {
			t.Errorf("%s: the rooms are %+v, %v", file, rooms, err)
		}
		e := chat.Entry{ID: "id2", Device: "00112233445566778899aabbccddeeff", User: "Ann", Text: "x"}
		done := make(chan chat.Receipt, 2)
		for _, e.ID = range []string{"id2", "id4"} {
			l.Append(t.Context(), lobby, e, func(r chat.Receipt, err error) {
				if err != nil {
					t.Errorf("%s: %v", file, err)
				}
				done <- r
			})
		}
		if again, fresh := <-done, <-done; again != (chat.Receipt{Offset: 2, Duplicate: true}) || fresh != (chat.Receipt{Offset: 4}) {
			t.Errorf("%s: a repeated message gets %+v, a new one %+v", file, again, fresh)
		}
		if c, err := l.Owner(t.Context(), "lobby", "ann"); err != nil || c.Device != e.Device || c.Seen.IsZero() {
			t.Errorf("%s: the name belongs to %+v, %v", file, c, err)
		}
		l.Close()
		if _, err := sqlitelog.Check(t.Context(), dir); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
