package pglog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/server/pglog/pgtest"
	"parley/server/transfer"
)

// TestCopyBrokenOff fills a database, and never comes to an end.
func TestCopyBrokenOff(t *testing.T) {
	t.Parallel()
	at := pgtest.Address(server.Create(t), server)
	_, opt := listening()
	broken := errors.New("broken off")
	if err := CopyTo(t.Context(), at, opt, func(put transfer.Put) error {
		if err := put(transfer.Log{ID: fmt.Sprintf("%032x", 1)}); err != nil {
			return err
		}
		refused(t, at, "another program copies this log, or changes its tables: wait", opt)
		return broken
	}); err != broken {
		t.Errorf("got %v", err)
	}
	if n := server.QueryAt(t, at, "SELECT count(*) FROM pg_namespace WHERE nspname = 'parley'"); n != "0" {
		t.Error("something of a copy is left")
	}
	row := transfer.Name{Room: "hall", Name: "a\x00b"}
	if err := CopyTo(t.Context(), at, opt, func(put transfer.Put) error { return put(row) }); err == nil || !strings.Contains(err.Error(), "the database can't be used") {
		t.Errorf("a name that PostgreSQL can't keep: %v", err)
	}
}
