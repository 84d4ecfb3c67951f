package session_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
)

// smallDisk is a folder on a disk of 2 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	disk := t.TempDir()
	switch err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("only root mounts a small disk")
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }) // the machine's end does it, too
	return disk
}

// A phone whose disk is full says so, keeps what it has, and goes on with what fits.
func TestSendFileWithAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	s := startServer(t)
	kept := openStore(t, filepath.Join(disk, "store"))
	defer kept.Close()
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: kept})
	defer ann.room.Close()
	ann.until("files", func() bool { return ann.status.MaxFile > 0 })
	large := session.Attachment{Name: "a", From: bytes.NewReader(content(1, 4<<20))}
	if _, err := ann.room.SendFile(context.Background(), large, "", ""); !errors.Is(err, session.ErrNoSpace) {
		t.Errorf("a full disk: %v", err)
	}
	ann.attach("small", content(2, 1000), "fits")
	ann.shows("fits")
	if ann.failure != nil || ann.rows[0].File == nil {
		t.Errorf("the row is %+v, the store says %v", ann.rows[0], ann.failure)
	}
}

// While the disk is full, all that is written stays in memory, and the person hears of it
// once. When there is room again, they hear that, and all of it is on the disk: the draft,
// what it is for, and the outbox.
func TestWritingWithAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	path := filepath.Join(disk, "store")
	clock := newClock()
	kept := openStore(t, path)
	config := session.Config{Server: deadServer, Room: "r", User: "Ann", Store: kept, Clock: clock, Paused: true}
	ann := enter(t, config)
	ann.send("before")
	ann.until("a row", func() bool { return len(ann.rows) == 1 })
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	draft := strings.Repeat("draft ", 30_000)
	ann.room.SetTask(session.Task{Row: ann.rows[0].ID})
	ann.send("one", "two")
	ann.room.SetDraft(draft)
	clock.advance(time.Second)
	ann.until("a full disk", func() bool { return ann.failure != nil })
	if !errors.Is(ann.failure, session.ErrNoSpace) {
		t.Errorf("the device says %v", ann.failure)
	}
	for range 3 {
		clock.advance(time.Minute)
	}
	ann.send("three")
	ann.room.SetDraft(draft + "goes on")
	ann.until("the rows", func() bool { return len(ann.rows) == 4 })
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Minute)
	ann.until("room", func() bool { return ann.failure == nil })
	told := 0
	for _, c := range ann.changes {
		if c.Kind == session.StoreFailed {
			told++
		}
	}
	if told != 2 {
		t.Errorf("told %d times, once each of no room and of room again", told)
	}
	defer kept.Close()
	data, err := os.ReadFile(path) // as a killed app leaves it
	if err != nil {
		t.Fatal(err)
	}
	found := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(found, data, 0o600); err != nil {
		t.Fatal(err)
	}
	config.Store = openStore(t, found)
	defer config.Store.(*store.Store).Close()
	again := enter(t, config)
	again.until("the rows", func() bool { return len(again.rows) == 4 })
	if got := again.texts(); strings.Join(got, " ") != "before one two three" {
		t.Errorf("the outbox has %q", got)
	}
	if d, task := again.room.Draft(), again.room.Task(); d != draft+"goes on" || task.Row != again.rows[0].ID {
		t.Errorf("the draft has %d bytes, the task is %+v", len(d), task)
	}
	again.room.Close()
}
