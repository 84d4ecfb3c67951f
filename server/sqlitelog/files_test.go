package sqlitelog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// fileRow is a file that is to come, called after a number.
func fileRow(n int) chat.FileRow {
	return chat.FileRow{File: chat.File{ID: "file" + strings.Repeat(string(rune('a'+n)), 22), Name: fmt.Sprint("secret-", n, "-.jpg"), Size: 5},
		Room: lobby.Key, Device: "d", Made: time.Unix(int64(n), 0)}
}

// addEntry appends an entry and waits for what becomes of it.
func addEntry(l *sqlitelog.Log, e chat.Entry) error {
	e.Device, e.User, e.Time = "d", "Ann", time.Unix(1, 0)
	done := make(chan error, 1)
	l.Append(context.Background(), lobby, e, func(_ chat.Receipt, err error) { done <- err })
	return <-done
}

func withFile(id string, file string) chat.Entry {
	return chat.Entry{ID: id, Text: "caption", Extra: &chat.Extra{File: &chat.File{ID: file}}}
}

// A server is killed, or loses its power, anywhere between a file's first byte and the
// end of its message: each file has its message, or none, and each message its file.
func TestFilesAfterATornTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithWAL())
	defer l.Close()
	wal := filepath.Join(dir, sqlitelog.FileName+"-wal")
	end := func() int64 {
		info, err := os.Stat(wal)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	first := end()
	for n := range 3 {
		row := fileRow(n)
		if _, err := l.BeginFile(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		err := errors.Join(l.WholeFile(t.Context(), row.ID, "image/png"), addEntry(l, withFile(fmt.Sprint("m", n), row.ID)))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := addEntry(l, chat.Entry{ID: "r", Kind: chat.KindDelete, Target: 2, Extra: &chat.Extra{Of: "m1"}}); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	size := end()
	for at := first; at <= size; at += min(4127, max(size-at, 1)) {
		left := copyFolder(t, dir, func(b []byte) []byte { return b[:at] })
		after := open(t, left, sqlitelog.Options{})
		history, err := after.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 9})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := after.Files(t.Context(), "", 9)
		if err != nil {
			t.Fatal(err)
		}
		has := make(map[string]int64)
		for _, e := range history {
			if file := e.Extras().File; file != nil {
				if has[file.ID] = e.Offset; file.Gone || file.Type != "image/png" {
					t.Errorf("cut at %d: a message has the file %+v", at, file)
				}
			} else if !e.Deleted {
				t.Errorf("cut at %d: a message has lost its file", at)
			}
		}
		for _, row := range rows {
			if has[row.ID] != row.Offset || row.Offset > 0 && row.State != chat.FileWhole {
				t.Errorf("cut at %d: a file is %+v, and its message has the offset %d", at, row, has[row.ID])
			}
			delete(has, row.ID)
		}
		if len(has) > 0 {
			t.Errorf("cut at %d: there are no files %v", at, has)
		}
		seen[fmt.Sprint(len(history), " ", len(rows))] = true
		// Whoever did not hear of it sends it again.
		if len(rows) > 0 && rows[0].State == chat.FileWhole {
			if err := addEntry(after, withFile("m0", rows[0].ID)); err != nil {
				t.Errorf("cut at %d: sent again, it is %v", at, err)
			}
		}
		after.Close()
		if _, err := sqlitelog.Check(t.Context(), left); err != nil {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
	for _, state := range []string{"0 0", "0 1", "1 1", "1 2", "2 2", "2 3", "3 3", "3 2"} {
		if !seen[state] {
			t.Errorf("no cut leaves messages and files %q: %v", state, seen)
		}
	}
}

// What a file was called is as soon gone as a text.
func TestNamesOfFilesAreErased(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithErase(time.Millisecond).WithIdle(time.Hour))
	defer l.Close()
	for n := range 3 {
		if _, err := l.BeginFile(t.Context(), fileRow(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(l.WholeFile(t.Context(), fileRow(0).ID, "image/png"), addEntry(l, withFile("m", fileRow(0).ID))); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, dir, 0, 1, 2); len(found) < 3 {
		t.Fatalf("only %v can be found before", found)
	}
	gone := func(n int) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			found := traces(t, dir, n)
			if len(found) == 0 {
				return
			}
			if time.Now().After(late) {
				t.Fatal(found)
			}
		}
	}
	if err := addEntry(l, chat.Entry{ID: "r", Kind: chat.KindDelete, Target: 1, Extra: &chat.Extra{Of: "m"}}); err != nil {
		t.Fatal(err)
	}
	gone(0)
	if ids, err := l.ForgetFiles(t.Context(), time.Unix(2, 0)); err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	gone(1)
	if err := l.Delete(t.Context(), lobby.Key); err != nil {
		t.Fatal(err)
	}
	gone(2)
}

func TestCheckOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	for n := range 2 {
		if _, err := l.BeginFile(t.Context(), fileRow(n)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.WholeFile(t.Context(), fileRow(n).ID, "image/png"), addEntry(l, withFile(fmt.Sprint(n), fileRow(n).ID))); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	db := database(t, dir)
	for _, c := range []struct{ want, change, back string }{
		{"file that is not theirs", "UPDATE entries SET file = NULL WHERE offset = 1; UPDATE entries SET file = '" + fileRow(0).ID + "' WHERE offset = 2",
			"UPDATE entries SET file = '" + fileRow(0).ID + "' WHERE offset = 1; UPDATE entries SET file = '" + fileRow(1).ID + "' WHERE offset = 2"},
		{"file that is not theirs", "UPDATE files SET room = 'attic'", "UPDATE files SET room = 'lobby'"},
		{"belong to a message", "UPDATE entries SET file = NULL WHERE offset = 1", "UPDATE entries SET file = '" + fileRow(0).ID + "' WHERE offset = 1"},
		{"belong to a message", "UPDATE entries SET file = NULL, at = at + 8 WHERE offset = 2; UPDATE rooms SET head = 10", "UPDATE entries SET file = '" + fileRow(1).ID + "', at = at - 8 WHERE offset = 10"},
		{"file that is not theirs", "DELETE FROM files", ""},
	} {
		if _, err := db.Exec(c.change); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlitelog.Check(t.Context(), dir); err == nil || !errors.Is(err, sqlitelog.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("after %s: %v", c.change, err)
		}
		if _, err := db.Exec(c.back); err != nil {
			t.Fatal(err)
		}
		if c.back == "" {
			break
		}
		if _, err := sqlitelog.Check(t.Context(), dir); err != nil {
			t.Errorf("after %s: %v", c.back, err)
		}
	}
	db.Close()
	// A message whose file is not known any more still has something to show.
	l = open(t, dir, sqlitelog.Options{})
	defer l.Close()
	history, err := l.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 9})
	if err != nil || len(history) != 2 {
		t.Fatal(history, err)
	}
	for n, e := range history {
		if f := e.Extras().File; f == nil || *f != (chat.File{ID: fileRow(n).ID, Gone: true}) || shared.CheckFileID(f.ID) != nil {
			t.Errorf("it has %+v", f)
		}
	}
}
