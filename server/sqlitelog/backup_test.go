package sqlitelog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// A backup that is taken while people write is the log up to one moment.
func TestBackupWhileWriting(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	l := open(t, dir, sqlitelog.Options{})
	defer l.Close()
	const before = 20
	some, over := make(chan bool), make(chan bool)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			default:
			}
			if _, err := add(l, fmt.Sprint(i), "x"); err != nil {
				t.Errorf("while the backup is written: %v", err)
				return
			}
			if i == before {
				close(some)
			}
		}
	})
	<-some
	err := sqlitelog.Backup(t.Context(), dir, file)
	close(over)
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %v, %v", info.Mode(), err)
	}

	other := filepath.Join(t.TempDir(), "data")
	if aside, err := sqlitelog.Restore(t.Context(), other, file, false); err != nil || aside != "" {
		t.Fatalf("restore: %q, %v", aside, err)
	}
	restored := open(t, other, sqlitelog.Options{})
	defer restored.Close()
	was, is := state(t, l), state(t, restored)
	if is.Epoch == was.Epoch || is.Name != was.Name || is.Head <= before || is.Head > was.Head {
		t.Errorf("the log was %+v, the restored one is %+v", was, is)
	}
	if restored.ID() != l.ID() || len(l.ID()) != 32 {
		t.Errorf("the log's id is %q, the restored one's %q", l.ID(), restored.ID())
	}
	entries, err := restored.Read(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 1 << 20})
	if err != nil || int64(len(entries)) != is.Head {
		t.Fatalf("%d entries up to the head %d, %v", len(entries), is.Head, err)
	}
	for i, e := range entries {
		if e.Offset != int64(i+1) || e.ID != fmt.Sprint(i) {
			t.Fatalf("in the place %d is %+v", i+1, e)
		}
	}
	if r, err := add(restored, "0", "x"); err != nil || !r.Duplicate {
		t.Errorf("a message that is in the backup gets %+v, %v", r, err)
	}
}

func TestRestore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "backup.db")
	l := open(t, dir, sqlitelog.Options{})
	if _, err := add(l, "old", "x"); err != nil {
		t.Fatal(err)
	}
	if err := sqlitelog.Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := add(l, "new", "x"); err != nil {
		t.Fatal(err)
	}
	fails := func(what, want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	fails("a backup over a file", "is there already", sqlitelog.Backup(t.Context(), dir, file))
	_, err := sqlitelog.Restore(t.Context(), dir, file, true)
	fails("while a server runs", "another Parley server", err)
	l.Close()
	files := names(t, dir)
	_, err = sqlitelog.Restore(t.Context(), dir, file, false)
	fails("without being told", "--replace", err)
	_, err = sqlitelog.Restore(t.Context(), dir, file+"x", true)
	fails("without a backup", "name the one that backup wrote", err)
	letter := filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(letter, []byte(strings.Repeat("a letter ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = sqlitelog.Restore(t.Context(), dir, letter, true)
	fails("with something else", "damaged", err)
	if now := names(t, dir); now != files {
		t.Errorf("what failed left behind %s, not %s", now, files)
	}
	l = open(t, dir, sqlitelog.Options{})
	was := state(t, l)
	if was.Head != 2 {
		t.Errorf("what failed changed the log: %+v", was)
	}
	l.Close()

	aside, err := sqlitelog.Restore(t.Context(), dir, file, true)
	if err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, sqlitelog.Options{})
	if is := state(t, l); is.Head != 1 || is.Epoch == was.Epoch {
		t.Errorf("the restored log is %+v", is)
	}
	l.Close()
	if _, err := sqlitelog.Restore(t.Context(), dir, aside, true); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, sqlitelog.Options{})
	defer l.Close()
	if is := state(t, l); is.Head != 2 {
		t.Errorf("what was set aside is %+v", is)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(entries)
}

// A damaged log is replaced together with its write-ahead log, which must not be
// taken for that of the backup.
func TestRestoreOverAKilledServersLog(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "backup.db")
	l := open(t, dir, sqlitelog.Options{}.WithWAL())
	defer l.Close()
	if _, err := add(l, "old", "x"); err != nil {
		t.Fatal(err)
	}
	if err := sqlitelog.Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := add(l, "new", "x"); err != nil {
		t.Fatal(err)
	}
	killed := copyFolder(t, dir, whole)
	aside, err := sqlitelog.Restore(t.Context(), killed, file, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(aside + "-wal"); err != nil {
		t.Errorf("the write-ahead log was not set aside: %v", err)
	}
	after := open(t, killed, sqlitelog.Options{})
	defer after.Close()
	if is := state(t, after); is.Head != 1 {
		t.Errorf("the restored log is %+v", is)
	}
}

func TestCheckAndExport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	for i := range 3 {
		if _, err := add(l, fmt.Sprint(i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlitelog.Check(t.Context(), dir) // beside the server
	if err != nil || s.Rooms != 1 || s.Messages != 3 || s.Bytes == 0 || s.Epoch != state(t, l).Epoch {
		t.Errorf("check: %+v, %v", s, err)
	}
	var ids []string
	each := func(e chat.Entry) error { ids = append(ids, e.ID); return nil }
	if err := sqlitelog.Export(t.Context(), dir, lobby, each); err != nil || fmt.Sprint(ids) != "[0 1 2]" {
		t.Errorf("export: %v, %v", ids, err)
	}
	if err := sqlitelog.Export(t.Context(), dir, shared.Name{Text: "Attic", Key: "attic"}, each); err == nil || !strings.Contains(err.Error(), `"Attic"`) {
		t.Errorf("export of a room without messages: %v", err)
	}
	l.Close()
	for want, change := range map[string]string{
		"beyond the end": "UPDATE rooms SET head = 2",
		"to no room":     "UPDATE rooms SET id = 7, head = 3",
	} {
		if _, err := database(t, dir).Exec(change); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlitelog.Check(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("after %s: %v", change, err)
		}
		if _, err := database(t, dir).Exec("UPDATE rooms SET id = 1, head = 3"); err != nil {
			t.Fatal(err)
		}
	}
}

// A log keeps its id, and no two begin with the same.
func TestID(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	first := l.ID()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, other := open(t, dir, sqlitelog.Options{}), open(t, t.TempDir(), sqlitelog.Options{})
	defer again.Close()
	defer other.Close()
	if again.ID() != first || other.ID() == first {
		t.Errorf("the id was %q, is %q now, and %q elsewhere", first, again.ID(), other.ID())
	}
}
