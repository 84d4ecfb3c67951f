//go:build linux

package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/servertest"
)

// onSmallDisk starts a server whose data is on a disk of 64 MB, and returns the disk's
// folder. It skips the test if no disk can be mounted; instead names the package that has
// the same test without one.
func onSmallDisk(t *testing.T, instead string, flags ...string) (s *servertest.Server, disk string) {
	t.Helper()
	disk = t.TempDir()
	switch err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); {
	case errors.Is(err, unix.EPERM):
		t.Skipf("only root may mount a small disk; %s has the same test without one", instead)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	s = servertest.New(t)
	s.Data = filepath.Join(disk, "data")
	s.Flags = flags
	s.MustStart()
	t.Cleanup(s.Kill) // before the disk goes
	return s, disk
}

// freeOn returns how many bytes are free on a disk.
func freeOn(t *testing.T, disk string) int64 {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(disk, &stat); err != nil {
		t.Fatal(err)
	}
	return int64(stat.Bavail) * stat.Bsize
}

// A disk that fills up is left with what --disk-free keeps, which is 5 % of a small
// one. Who writes is told why, and a message goes through when there is room again.
func TestAlmostFullDisk(t *testing.T) {
	s, disk := onSmallDisk(t, "sqlitelog")
	ann := s.Join("hall", "Ann")
	ann.Say("before")
	ann.Hear("before")

	other := filepath.Join(disk, "other")
	if err := os.WriteFile(other, make([]byte, freeOn(t, disk)-2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ann.Send(shared.Message{Type: shared.TypeChat, ID: "1", Text: "in between"})
	if e := ann.Next(shared.TypeError, shared.TypeChat); e.Code != shared.CodeUnavailable || e.ID != "1" || !strings.Contains(e.Text, "disk is almost full") {
		t.Errorf("she gets %+v", e)
	}
	if status, _ := s.Get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", status)
	}
	bob := s.Join("hall", "Bob") // people still come in and read
	bob.Hear("before")
	ann.Send(shared.Message{Type: shared.TypeChat, ID: "1", Text: "in between"})
	ann.Next(shared.TypeError)
	if text := s.Output.String(); strings.Count(text, "--disk-free") != 1 || strings.Contains(text, "message not stored") {
		t.Errorf("it logged:\n%s", text)
	}

	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	ann.Send(shared.Message{Type: shared.TypeChat, ID: "1", Text: "in between"})
	ann.Hear("in between")
	late := time.After(time.Minute)
	for { // what is known of the disk may be a second old
		status, body := s.Get("/readyz")
		if status == http.StatusOK {
			break
		}
		select {
		case <-late:
			t.Fatalf("ready with room again: %d %s", status, body)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.Stop()
}

// Files leave more free than texts do: when a disk is full of them, texts are stored.
func TestDiskFullOfFiles(t *testing.T) {
	s, disk := onSmallDisk(t, "files", "--api-token-file", tokenFile(t))
	ann := newSender(s)
	defer ann.close()
	id, data := newFileID(), make([]byte, 2<<20)
	up, err := ann.begin(t.Context(), id, "a.bin", len(data))
	if err != nil || up.Type != shared.TypeUpload {
		t.Fatalf("%+v, %v", up, err)
	}
	if status, _, err := ann.patch(t.Context(), id, up.Key, 0, data[:1<<20]); status != http.StatusNoContent {
		t.Fatalf("a part: %d, %v", status, err)
	}
	other := filepath.Join(disk, "other")
	if err := os.WriteFile(other, make([]byte, freeOn(t, disk)-5<<20), 0o600); err != nil { // of 64 MiB, 6.4 are for texts
		t.Fatal(err)
	}
	if status, _, err := ann.patch(t.Context(), id, up.Key, 1<<20, data[1<<20:]); status != http.StatusInsufficientStorage {
		t.Errorf("a part on a full disk: %d, %v", status, err)
	}
	if m, err := ann.begin(t.Context(), newFileID(), "b.bin", 1000); err != nil || m.Code != shared.CodeUnavailable || !strings.Contains(m.Text, "disk is almost full") {
		t.Errorf("begun on a full disk: %+v, %v", m, err)
	}
	if status, detail := postFile(t, s, data[:1000]); status != http.StatusInsufficientStorage || !strings.Contains(detail, "disk is almost full") {
		t.Errorf("a form on a full disk: %d, %s", status, detail)
	}
	bob := s.Join("hall", "Bob")
	bob.Say("a text")
	bob.Hear("a text")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if status, at, err := ann.patch(t.Context(), id, up.Key, 1<<20, data[1<<20:]); status != http.StatusNoContent || at != int64(len(data)) {
		t.Errorf("with room again: %d, %v", status, err)
	}
	if status, detail := postFile(t, s, data); status != http.StatusCreated {
		t.Errorf("a form with room again: %d, %s", status, detail)
	}
}

// A new folder has a bound; one from before there was any has none, and the log says
// so, until its operator gives one.
func TestLogBytesOfOlderFolders(t *testing.T) {
	const says = "nothing bounds its size"
	s := servertest.Start(t)
	s.Stop()
	if strings.Contains(s.Output.String(), says) {
		t.Errorf("of a new folder it logged:\n%s", s.Output)
	}
	older, err := os.ReadFile("sqlitelog/testdata/schema4.db")
	if err != nil {
		t.Fatal(err)
	}
	s = servertest.New(t)
	if err := errors.Join(os.Mkdir(s.Data, 0o700), os.WriteFile(filepath.Join(s.Data, "parley.db"), older, 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.MustStart()
		s.Stop()
	}
	if n := strings.Count(s.Output.String(), says); n != 2 {
		t.Errorf("it said %d times that the older folder has no bound:\n%s", n, s.Output)
	}
	fill(t, s.Data, 2*leastKept/chat.EntryOverhead)
	s.Flags = []string{"--log-bytes", "100KB"}
	s.MustStart()
	for s.Metric("parley_messages_expired_total") == "0" {
	}
	s.Stop()
	if n := strings.Count(s.Output.String(), says); n != 2 {
		t.Errorf("with --log-bytes it logged:\n%s", s.Output)
	}
}
