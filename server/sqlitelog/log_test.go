package sqlitelog_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/sqlitelog"
	"parley/shared"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestConformance(t *testing.T) {
	for _, sync := range []sqlitelog.Sync{sqlitelog.Full, sqlitelog.Normal} {
		t.Run(string(sync), func(t *testing.T) {
			dir := t.TempDir()
			at := func(t *testing.T, name string) *sqlitelog.Log {
				return open(t, filepath.Join(dir, filepath.Base(name)), sqlitelog.Options{Sync: sync})
			}
			logtest.Log(t, func(t *testing.T, name string) chat.Log { return at(t, name) })
			logtest.Registry(t, func(t *testing.T, name string) logtest.Store { return at(t, name) })
			if sync == sqlitelog.Normal { // which makes no other rows of files
				logtest.Files(t, func(t *testing.T, name string) logtest.FileStore { return at(t, name) })
			}
		})
	}
}

func open(t *testing.T, dir string, opt sqlitelog.Options) *sqlitelog.Log {
	t.Helper()
	l, err := sqlitelog.Open(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var lobby = shared.Name{Text: "Lobby", Key: "lobby"}

func add(l *sqlitelog.Log, id, text string) (chat.Receipt, error) {
	type result struct {
		r   chat.Receipt
		err error
	}
	c := make(chan result, 1)
	l.Append(context.Background(), lobby, chat.Entry{ID: id, Device: "d", User: "u", Text: text, Time: time.Unix(1, 0)},
		func(r chat.Receipt, err error) { c <- result{r, err} })
	got := <-c
	return got.r, got.err
}

func database(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, sqlitelog.FileName)+"?_pragma=busy_timeout(60000)") // the log may be writing
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// A database that another program holds refuses what is sent meanwhile and
// takes the same id afterwards; followers and offsets show no trace of it.
func TestLockedDatabase(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{BusyTimeout: time.Millisecond})
	var followed []string
	_, stop, err := l.Open(t.Context(), lobby, chat.Follower{Entries: func(entries []chat.Entry) {
		for _, e := range entries {
			followed = append(followed, e.ID)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	other := database(t, dir)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := add(l, "b", "x"); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("while it is locked: %v", err)
	}
	if err := l.Ready(t.Context()); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("ready while it is locked: %v", err)
	}
	if _, _, err := l.Open(t.Context(), shared.Name{Text: "Attic", Key: "attic"}, chat.Follower{}); err != nil {
		t.Errorf("a room can't be entered while it is locked: %v", err)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if r, err := add(l, "b", "x"); err != nil || r != (chat.Receipt{Offset: 2}) {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
	if got := strings.Join(followed, " "); got != "a b" {
		t.Errorf("followed: %s", got)
	}
	if err := errors.Join(other.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	oneFile(t, dir) // neither does what failed keep it open
}

// A database that may not grow is what a full disk looks like to SQLite.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, dir, sqlitelog.Options{MaxPages: 20})
	big := strings.Repeat("x", 4096)
	kept, refused := 1, 0
	for i := range 40 {
		_, err := add(l, fmt.Sprint(i), big)
		switch {
		case err == nil:
			kept++
		case errors.Is(err, chat.ErrUnavailable):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused == 0 {
		t.Fatal("the disk was never full")
	}
	l.Close()
	l = open(t, dir, sqlitelog.Options{})
	defer l.Close()
	entries, err := l.Read(t.Context(), "lobby", 0, 100, chat.Most{Entries: 100})
	if err != nil || len(entries) != kept {
		t.Errorf("%d entries are there, %d were acknowledged: %v", len(entries), kept, err)
	}
	if r, err := add(l, "after", "x"); err != nil || r.Offset != int64(kept+1) {
		t.Errorf("with space again: %+v, %v", r, err)
	}
}

// What was kept is in the database itself once the log is closed, so that the
// one file can be copied.
func TestClosedLogIsOneFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	oneFile(t, dir)
}

// oneFile makes sure that nobody has the database open, by the files that SQLite
// then removes.
func oneFile(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, sqlitelog.FileName+"?*")); err != nil || len(left) > 0 {
		t.Errorf("with the log closed there is still %v, %v", left, err)
	}
}

func TestOneServerOnly(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	if _, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{}); err == nil || !strings.Contains(err.Error(), "another Parley server") {
		t.Errorf("a second server on the same folder: %v", err)
	}
	l.Close()
	open(t, dir, sqlitelog.Options{}).Close()
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, sqlitelog.Options{}).Close()
	if _, err := database(t, dir).Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err == nil || !strings.Contains(err.Error(), "newer Parley") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a database of a newer schema: %v", err)
	}
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, sqlitelog.FileName)
	text := []byte(strings.Repeat("This is a letter, not a database. ", 100))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is no database: %v", err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(text) {
		t.Error("the file was overwritten")
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitelog.Open(t.Context(), filepath.Join(file, "data"), sqlitelog.Options{}); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a folder that can't be made: %v", err)
	}
}

// planOf returns the steps of a query's plan.
func planOf(t *testing.T, db *sql.DB, query string, args ...any) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil || len(steps) == 0 {
		t.Fatalf("%s: %d steps, %v", query, len(steps), err)
	}
	return steps
}

// The list of rooms is read from an index, so that it does not depend on how
// many rooms there are.
func TestRoomsAreIndexed(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, sqlitelog.Options{}).Close()
	plan := strings.Join(planOf(t, database(t, dir), sqlitelog.RoomsQuery, 50), "\n")
	if !strings.Contains(plan, "rooms USING INDEX rooms_last") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("the plan is:\n%s", plan)
	}
}

// No step of a claim goes through the names of a room, or through all.
func TestClaimsAreLookups(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, sqlitelog.Options{}).Close()
	db := database(t, dir)
	defer db.Close()
	for _, query := range sqlitelog.NamesQueries {
		var args []any
		for strings.Contains(query, fmt.Sprint("?", len(args)+1)) {
			args = append(args, nil)
		}
		for _, step := range planOf(t, db, query, args...) {
			if strings.Contains(step, "SCAN names") || strings.Contains(step, "(room=?)") {
				t.Errorf("%s: %s", query, step)
			}
		}
	}
}

// What was changed in a room is read from an index, in its order: neither all of the
// room nor all of the log. How far a page goes is known from the index alone.
func TestChangesAreIndexed(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, sqlitelog.Options{}).Close()
	for query, want := range map[string]string{
		sqlitelog.ChangesQuery: "entries USING INDEX entries_changed (room=? AND changed>? AND changed<?)",
		sqlitelog.ChangedQuery: "entries USING COVERING INDEX entries_changed (room=? AND changed>?)",
	} {
		plan := strings.Join(planOf(t, database(t, dir), query, "lobby", 1, 2, 3), "\n")
		if !strings.Contains(plan, want) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("the plan is:\n%s", plan)
		}
	}
}

// An export has messages as they are now, and none that is deleted.
func TestExportOfChanges(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	defer l.Close()
	for i, e := range []chat.Entry{
		{Text: "one"}, {Text: "two"}, {Text: "three", Reply: 1, Extra: &chat.Extra{Of: "1"}},
		{Kind: chat.KindEdit, Target: 1, Extra: &chat.Extra{Of: "1"}, Text: "better"},
		{Kind: chat.KindReact, Target: 1, Extra: &chat.Extra{Of: "1", Emoji: "👍"}},
		{Kind: chat.KindDelete, Target: 2, Extra: &chat.Extra{Of: "2"}},
		{Text: "four", Reply: 2, Extra: &chat.Extra{Of: "2"}},
	} {
		done := make(chan error, 1)
		e.ID, e.Device, e.User = fmt.Sprint(i+1), "d", "Ann"
		l.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	each := func(e chat.Entry) error {
		quote := ""
		if e.Extras().Quote != nil {
			quote = e.Extra.Quote.Text
		}
		got = append(got, fmt.Sprintln(e.Offset, e.Text, e.Edited, e.Extras().Reactions, quote))
		return nil
	}
	if err := sqlitelog.Export(t.Context(), dir, lobby, each); err != nil {
		t.Fatal(err)
	}
	same(t, "the export", got, []string{"1 better true [{d 👍}] \n", "3 three false [] better\n", "7 four false [] \n"})
	if s, err := sqlitelog.Check(t.Context(), dir); err != nil || s.Messages != 3 {
		t.Errorf("check: %+v, %v", s, err)
	}
	if rooms, err := sqlitelog.AllRooms(t.Context(), dir); err != nil || len(rooms) != 1 || rooms[0].Messages != 3 {
		t.Errorf("rooms: %+v, %v", rooms, err)
	}
	for what, statement := range map[string]string{
		"were changed beyond": "UPDATE entries SET changed = 99 WHERE text = 'three'",
		"reactions":           "UPDATE entries SET changed = 0, reactions = X'0510' WHERE text = 'three'",
	} {
		if _, err := database(t, dir).Exec(statement); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlitelog.Check(t.Context(), dir); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("after %s, check says %v", statement, err)
		}
	}
}
