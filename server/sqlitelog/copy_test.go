package sqlitelog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/transfer"
)

// TestCopyBrokenOff fills a folder, and never comes to an end.
func TestCopyBrokenOff(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	broken := errors.New("broken off")
	var left []byte
	if err := CopyTo(t.Context(), dir, func(put transfer.Put) error {
		if err := put(transfer.Log{ID: fmt.Sprintf("%032x", 1)}); err != nil {
			return err
		}
		if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "another Parley server") {
			t.Errorf("a log was opened in a folder that is filled: %v", err)
		}
		var err error
		if left, err = os.ReadFile(path + copyingEnd); err != nil {
			return err
		}
		return broken
	}); err != broken {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path + copyingEnd); err == nil {
		t.Error("something of a copy is left")
	}

	// As if it had been killed.
	if err := os.WriteFile(path+copyingEnd, left, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "a copy to the data folder "+dir+" was broken off: run parley-server copy again, or remove the file") {
		t.Errorf("beside what a killed copy left: %v", err)
	}
	if err := CopyTo(t.Context(), dir, func(put transfer.Put) error { return put(transfer.Log{ID: fmt.Sprintf("%032x", 2)}) }); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l.ID() != fmt.Sprintf("%032x", 2) || l.Bounded() {
		t.Errorf("the log has the id %s", l.ID())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
