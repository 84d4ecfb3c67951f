package sqlitelog_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/sqlitelog"
	"parley/shared"
)

// older makes a folder with a log of schema 2, in which rooms have n messages more
// than in testdata: with ids and devices of every kind. What it returns is what
// there is, as entries tells it.
func older(t *testing.T, n int) (dir string, want []string) {
	t.Helper()
	data, err := os.ReadFile("testdata/schema2.db")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sqlitelog.FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := database(t, dir)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	insert, err := tx.Prepare(`INSERT INTO entries (room, offset, id, device, user, text, time)
		SELECT id, head + ?2, ?3, ?4, ?5, ?6, ?7 FROM rooms WHERE key = ?1`)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	rooms := []string{"lobby", "küche", "ids", "alarms", "doors"}
	for i := range n {
		id := ulid.MustNew(uint64(1767323045000+i), nil).String()
		if i%7 == 0 {
			id = strings.ToLower(id)
		}
		if i%11 == 0 {
			id = fmt.Sprint("key ", i)
		}
		device := []string{"00112233445566778899aabbccddeeff", "api", "tutorial-" + id}[random.IntN(3)]
		text := strings.Repeat("text ", random.IntN(100))
		if _, err := insert.Exec(rooms[i%len(rooms)], i/len(rooms)+1, id, device, "Änn", text, 1767323045000+i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec("UPDATE rooms SET head = (SELECT MAX(offset) FROM entries WHERE room = rooms.id)"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, entries(t, dir)
}

// entries tells what a database has, whatever its schema, as another program would
// read it.
func entries(t *testing.T, dir string) (all []string) {
	t.Helper()
	db := database(t, dir)
	rows, err := db.Query(`SELECT rooms.key, offset, entries.id, device, user, text, time FROM entries JOIN rooms ON rooms.id = entries.room
		UNION ALL SELECT key, head, name, '', '', '', 0 FROM rooms
		UNION ALL SELECT room, 0, name, device, '', '', seen FROM names
		UNION ALL SELECT room, hidden, hash, '', '', '', 0 FROM locks
		UNION ALL SELECT '', 0, epoch, '', '', '', 0 FROM meta ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key, user, text string
		var id, device any
		var offset, ms int64
		if err := rows.Scan(&key, &offset, &id, &device, &user, &text, &ms); err != nil {
			t.Fatal(err)
		}
		if b, ok := id.([]byte); ok {
			id = ulid.ULID(b).String()
		}
		if b, ok := device.([]byte); ok {
			device = fmt.Sprintf("%x", b)
		}
		all = append(all, fmt.Sprintln(key, offset, id, device, user, text, ms))
	}
	if err := errors.Join(rows.Err(), db.Close()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func schemaVersion(t *testing.T, dir string) (version int) {
	t.Helper()
	db := database(t, dir)
	if err := errors.Join(db.QueryRow("PRAGMA user_version").Scan(&version), db.Close()); err != nil {
		t.Fatal(err)
	}
	return version
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: of %d and %d rows, row %d differs: %.200q and %.200q", what, len(got), len(want), i,
				slices.Concat(got, []string{""})[min(i, len(got))], slices.Concat(want, []string{""})[min(i, len(want))])
		}
	}
}

// A log of an older schema comes over whole, tells how far it is, and goes on.
func TestRebuild(t *testing.T) {
	dir, want := older(t, 20_000)
	var logged bytes.Buffer
	l := open(t, dir, sqlitelog.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	for _, says := range []string{"messages=0 of=20025", "sorting the log's index"} {
		if !strings.Contains(logged.String(), says) {
			t.Errorf("it logged no %q:\n%s", says, &logged)
		}
	}
	// One key of the API's in two rooms is two messages, and known again in each.
	e := chat.Entry{ID: "01KE0ABCDEFGHJKMNPQRSTVWXY", Device: "api", User: "Bot", Text: "again"}
	for _, name := range []string{"Alarms", "Doors", "Elsewhere"} {
		done := make(chan chat.Receipt, 1)
		l.Append(t.Context(), shared.Name{Text: name, Key: strings.ToLower(name)}, e, func(r chat.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
			done <- r
		})
		if r := <-done; r.Duplicate != (name != "Elsewhere") {
			t.Errorf("a repeat in %s gets %+v", name, r)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitelog.Check(t.Context(), dir); err != nil {
		t.Error(err)
	}
	if _, err := database(t, dir).Exec("DELETE FROM entries WHERE text = 'again'; DELETE FROM rooms WHERE key = 'elsewhere'"); err != nil {
		t.Fatal(err)
	}
	same(t, "after the migration", entries(t, dir), want)
	if left, err := filepath.Glob(filepath.Join(dir, "*migrating*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A process that is killed at any point leaves the old log, whole, or the new one.
func TestRebuildKilled(t *testing.T) {
	const messages = 2500
	dir, want := older(t, messages)
	path := filepath.Join(dir, sqlitelog.FileName)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]int) // how often there was which schema
	check := func(what string) {
		t.Helper()
		version := schemaVersion(t, dir)
		seen[version]++
		same(t, what, entries(t, dir), want)
		l := open(t, dir, sqlitelog.Options{}) // the next start
		if s := state(t, l); s.Head != 3+messages/5 {
			t.Errorf("%s: the head is %d", what, s.Head)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		same(t, what+", the next start", entries(t, dir), want)
		if version = schemaVersion(t, dir); version != sqlitelog.Newest {
			t.Errorf("%s: the next start left schema %d", what, version)
		}
		for _, f := range []string{path + "-wal", path + "-shm"} {
			if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stages := 0
	for died := true; died; stages++ {
		if died, err = killed(dir, stages, 0); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("killed at stage ", stages))
	}
	if stages < 10 {
		t.Errorf("there were %d stages", stages)
	}
	begun := time.Now()
	if _, err := killed(dir, 1<<30, 0); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(begun)
	check("not killed")
	const kills = 10
	for i := range kills {
		after := whole * time.Duration(i+1) / kills
		if _, err := killed(dir, 1<<30, after); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("killed after ", after))
	}
	for between := 4; between < sqlitelog.Newest; between++ { // at times it is killed between two steps
		delete(seen, between)
	}
	if seen[2] == 0 || seen[sqlitelog.Newest] == 0 || len(seen) != 2 {
		t.Errorf("schemas were found: %v", seen)
	}
}

// Child processes open the log in the folder that these name, and are killed at
// the stage.
const (
	childDir   = "SQLITELOG_TEST_DIR"
	childStage = "SQLITELOG_TEST_STAGE"
)

// killed has a child open a log, which is killed at a stage of the rebuild or after
// some time, and reports whether it was.
func killed(dir string, stage int, after time.Duration) (bool, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprint(childStage, "=", stage))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // unless it has ended
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && out.Len() == 0 {
		return true, nil // whoever ends by itself says why
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &out)
	}
	return false, err
}

// child is the process that is killed.
func child(dir string) error {
	stage, err := strconv.Atoi(os.Getenv(childStage))
	if err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	n := 0
	l, err := sqlitelog.Open(context.Background(), dir, sqlitelog.Options{}.WithStage(func(string) {
		if n == stage {
			_ = self.Kill() // it can't fail
			select {}
		}
		n++
	}))
	if err != nil {
		return err
	}
	return l.Close()
}

// Without room for the new one, the old log stays as it is, byte for byte.
func TestRebuildNeedsSpace(t *testing.T) {
	dir, want := older(t, 100)
	path := filepath.Join(dir, sqlitelog.FileName)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	has := func(n int) sqlitelog.Options {
		return sqlitelog.Options{}.WithFree(func(asked string) (uint64, error) {
			if asked != dir {
				t.Errorf("it asked for the space of %s", asked)
			}
			return uint64(n), nil
		})
	}
	_, err = sqlitelog.Open(t.Context(), dir, has(2*len(before)-1))
	if err == nil || !strings.Contains(err.Error(), "free space in "+dir) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("without space: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the database was changed, %v", err)
	}
	open(t, dir, has(2*len(before))).Close()
	same(t, "with space", entries(t, dir), want)
	if free, err := sqlitelog.FreeSpace(dir); err != nil || free < 1<<20 || free > 1<<60 {
		t.Errorf("this disk has %d bytes left, %v", free, err)
	}
}

// A start that is broken off, or that another program stands in the way of, leaves
// the old log.
func TestRebuildBrokenOff(t *testing.T) {
	dir, want := older(t, 5000)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := sqlitelog.Open(ctx, dir, sqlitelog.Options{}.WithStage(func(stage string) {
		if stage == "copied" {
			cancel()
		}
	}))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "left as it is") {
		t.Errorf("a start that is broken off: %v", err)
	}
	same(t, "broken off", entries(t, dir), want)

	reader := database(t, dir)
	if _, err := reader.Exec("PRAGMA journal_mode = WAL"); err != nil {
		t.Fatal(err)
	}
	tx, err := reader.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT COUNT(*) FROM entries").Scan(&n); err != nil {
		t.Fatal(err)
	}
	_, err = sqlitelog.Open(t.Context(), dir, sqlitelog.Options{BusyTimeout: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("while another program reads it: %v", err)
	}
	if err := errors.Join(tx.Rollback(), reader.Close()); err != nil {
		t.Fatal(err)
	}
	if version := schemaVersion(t, dir); version != 2 {
		t.Errorf("the old log has schema %d", version)
	}
	open(t, dir, sqlitelog.Options{}).Close()
	same(t, "afterwards", entries(t, dir), want)
}

// The commands that only read also read a log that no server has brought over yet.
func TestCommandsOnAnOlderSchema(t *testing.T) {
	dir, _ := older(t, 0)
	if s, err := sqlitelog.Check(t.Context(), dir); err != nil || s.Rooms != 5 || s.Messages != 25 {
		t.Errorf("check: %+v, %v", s, err)
	}
	n := 0
	if err := sqlitelog.Export(t.Context(), dir, lobby, func(chat.Entry) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("export: %d, %v", n, err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := sqlitelog.Backup(t.Context(), dir, backup); err != nil {
		t.Error(err)
	}
	if version := schemaVersion(t, dir); version != 2 {
		t.Errorf("they left schema %d", version)
	}
	restored := t.TempDir()
	if _, err := sqlitelog.Restore(t.Context(), restored, backup, false); err != nil {
		t.Fatal(err)
	}
	if version := schemaVersion(t, restored); version != sqlitelog.Newest {
		t.Errorf("restore left schema %d", version)
	}
	l := open(t, restored, sqlitelog.Options{})
	defer l.Close()
	if s := state(t, l); s.Head != 3 {
		t.Errorf("the restored log's state is %+v", s)
	}
}

// A log that has all the rooms that its keys can name refuses another one, and
// nothing else.
func TestNoMoreRooms(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	if _, err := add(l, "1", "x"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := database(t, dir).Exec("INSERT INTO rooms (id, key, name, head, last) VALUES (?, 'last', 'Last', 0, 0)", sqlitelog.MaxRoom); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, sqlitelog.Options{})
	defer l.Close()
	type result struct {
		room string
		r    chat.Receipt
		err  error
	}
	results := make(chan result, 3)
	rooms := []string{"last", "beyond", "lobby"}
	for i, room := range rooms {
		l.Append(t.Context(), shared.Name{Text: room, Key: room}, chat.Entry{ID: fmt.Sprint("a", i), Device: "d", User: "u", Text: "x"},
			func(r chat.Receipt, err error) { results <- result{room, r, err} })
	}
	for range rooms {
		if got := <-results; errors.Is(got.err, chat.ErrUnavailable) != (got.room == "beyond") {
			t.Errorf("%+v", got)
		}
	}
	for room, want := range map[string]string{"last": "1a0", "beyond": "", "lobby": "11 2a2"} {
		if got := kept(t, l, shared.Name{Key: room}); got != want {
			t.Errorf("%s has %q, not %q", room, got, want)
		}
	}
	logtest.Retain(t, l, chat.Retention{Bytes: 1}, 3) // the last room's, too
	var rest int
	if err := database(t, dir).QueryRow("SELECT COUNT(*) FROM entries").Scan(&rest); err != nil && !errors.Is(err, sql.ErrNoRows) || rest != 0 {
		t.Errorf("%d are left, %v", rest, err)
	}
}
