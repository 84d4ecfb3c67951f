package sqlitelog_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// TestDeleteAllInALargeRoom deletes what a device wrote that lies far apart, and counts
// what the room takes then.
func TestDeleteAllInALargeRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
	append := func(e chat.Entry) {
		t.Helper()
		done := make(chan error, 1)
		e.User = "User of " + e.Device
		l.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	act := func(id string, a chat.Act) {
		t.Helper()
		append(chat.Entry{ID: id, Kind: chat.KindNotice, Device: "ann", Extra: &chat.Extra{Act: &a}})
	}
	act("open", chat.Act{Do: shared.DoOpen})
	for _, head := range []int{1, 1 << 16, 1<<16 + 100, 1 << 18} {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", filepath.Join(dir, sqlitelog.FileName))
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.Exec("UPDATE rooms SET head = ?", head)
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		l = open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
		for i := range 3 {
			append(chat.Entry{ID: fmt.Sprint(head, "-", i), Device: "bob", Text: "boo"})
		}
		append(chat.Entry{ID: fmt.Sprint(head), Device: "eve", Text: "hi"})
	}
	act("all", chat.Act{Do: shared.DoDeleteAll, Device: "bob", About: "Bob"})
	messages, err := l.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 100})
	if err != nil || len(messages) != 16 {
		t.Fatalf("there are %d messages, %v", len(messages), err)
	}
	for _, m := range messages {
		if m.Deleted != (m.Device == "bob") {
			t.Errorf("%d of %s is deleted: %v", m.Offset, m.Device, m.Deleted)
		}
	}
	held, err := l.Held(t.Context(), lobby.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	rooms, err := sqlitelog.AllRooms(t.Context(), dir)
	if err != nil || len(rooms) != 1 || rooms[0].Bytes != held["ann"]+held["bob"]+held["eve"] {
		t.Errorf("the rooms are %+v, their entries take %v, %v", rooms, held, err)
	}
}
