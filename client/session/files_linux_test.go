package session_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"parley/client/session"
)

// A phone whose disk is full says so, keeps what it has, and goes on with what fits.
func TestSendFileWithAFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	switch err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("only root mounts a small disk")
	case err != nil:
		t.Fatal(err)
	}
	defer func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }() // the machine's end does it, too
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
