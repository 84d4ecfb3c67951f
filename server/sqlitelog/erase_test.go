package sqlitelog_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
)

// secret is a text that is nowhere else, every part of it.
func secret(n, length int) string {
	var b strings.Builder
	for i := 0; b.Len() < length; i++ {
		fmt.Fprintf(&b, "secret-%d-%d.", n, i)
	}
	return b.String()
}

// traces returns where parts of a secret are in a log's files.
func traces(t *testing.T, dir string, secrets ...int) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range secrets {
			if bytes.Contains(data, fmt.Appendf(nil, "secret-%d-", n)) {
				found = append(found, fmt.Sprintf("%d in %s", n, filepath.Base(file)))
			}
		}
	}
	return found
}

// What was deleted, and what an edit has replaced, is soon in none of the log's files,
// while it is open; a reader holds that up and no more.
func TestErased(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithErase(time.Millisecond))
	defer l.Close()
	said := 0
	say := func(e chat.Entry) {
		t.Helper()
		said++
		e.ID, e.Device, e.User, e.Time = fmt.Sprint(said), "d", "Ann", time.Unix(1, 0)
		done := make(chan error, 1)
		l.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	gone := func(secrets ...int) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			found := traces(t, dir, secrets...)
			if len(found) == 0 {
				return
			}
			if time.Now().After(late) {
				t.Fatal(found)
			}
		}
	}
	lengths := []int{30, 3000, 16_000, 30, 3000, 16_000}
	for i, length := range lengths {
		say(chat.Entry{Text: secret(i, length)})
	}
	if found := traces(t, dir, 0, 1, 2, 3, 4, 5); len(found) < len(lengths) {
		t.Fatalf("only %v can be found before", found)
	}
	for i := range 3 {
		say(chat.Entry{Kind: chat.KindDelete, Target: int64(i + 1), Of: fmt.Sprint(i + 1)})
	}
	gone(0, 1, 2)
	for i := 3; i < 6; i++ {
		say(chat.Entry{Kind: chat.KindEdit, Target: int64(i + 1), Of: fmt.Sprint(i + 1), Text: secret(10+i, lengths[len(lengths)-1-i])})
	}
	gone(3, 4, 5)

	reader := database(t, dir)
	if _, err := reader.Exec("BEGIN; SELECT COUNT(*) FROM entries"); err != nil {
		t.Fatal(err)
	}
	say(chat.Entry{Kind: chat.KindDelete, Target: 4, Of: "4"})
	say(chat.Entry{Text: "nobody waits for the reader"})
	if found := traces(t, dir, 13); len(found) == 0 {
		t.Error("it is gone while somebody reads it")
	}
	if _, err := reader.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	gone(13)
}
