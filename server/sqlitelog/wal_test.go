package sqlitelog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/sqlitelog"
)

// Whoever takes an export slowly does not keep the write-ahead log from being written
// back. What is deleted and added meanwhile does not disturb the rest.
func TestStalledExport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	defer l.Close()
	const entries = 1200
	done := make(chan error, entries)
	for i := range entries {
		l.Append(t.Context(), lobby, chat.Entry{ID: fmt.Sprint(i), Device: "d", User: "u", Text: "x"}, func(_ chat.Receipt, err error) { done <- err })
	}
	for range entries {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var got []int64
	err := sqlitelog.Export(t.Context(), dir, lobby, func(e chat.Entry) error {
		got = append(got, e.Offset)
		if e.Offset != 1 {
			return nil
		}
		if _, err := add(l, "meanwhile", "x"); err != nil {
			return err
		}
		var busy, frames, written int
		if err := database(t, dir).QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &written); err != nil || busy != 0 {
			t.Errorf("while an export waits, writing back ends with %d, %v", busy, err)
		}
		logtest.Retain(t, l, chat.Retention{Bytes: 200 * 162}, entries+1-200)
		return nil
	})
	// It had read the first 500.
	if err != nil || len(got) != 500+199 || got[499] != 500 || got[500] != 1002 || got[len(got)-1] != entries {
		t.Errorf("it exported %d entries, %v", len(got), err)
	}
}

// The write-ahead log of a log to which nobody writes is empty.
func TestIdleWAL(t *testing.T) {
	dir := t.TempDir()
	wal := filepath.Join(dir, sqlitelog.FileName+"-wal")
	l := open(t, dir, sqlitelog.Options{}.WithIdle(time.Millisecond))
	defer l.Close()
	for i := range 2 {
		if _, err := add(l, fmt.Sprint(i), strings.Repeat("x", 4000)); err != nil {
			t.Fatal(err)
		}
		for late := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			info, err := os.Stat(wal)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() == 0 {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("it still has %d bytes", info.Size())
			}
		}
	}
	other := database(t, dir) // who reads does not make anybody wait
	if _, err := other.Exec("BEGIN; SELECT COUNT(*) FROM entries"); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := add(l, fmt.Sprint("more", i), "x"); err != nil {
			t.Fatal(err)
		}
	}
}
