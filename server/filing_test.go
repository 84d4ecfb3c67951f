package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/sqlitelog"
	"parley/shared"
	"parley/shared/servertest"
)

// sender sends files over a connection of its own, and goes on over another one.
type sender struct {
	url    string // of the server
	device string
	http   *http.Client
	conn   *websocket.Conn
	sent   *atomic.Int64 // bytes, of all senders; nil counts none
}

func newSender(s *servertest.Server) *sender {
	return &sender{url: s.URL(""), device: servertest.NewDevice(), http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}}
}

// ask sends a frame and returns the next one that is the answer, as is says, or an error.
func (c *sender) ask(ctx context.Context, frame shared.Message, is func(shared.Message) bool) (shared.Message, error) {
	if c.conn == nil {
		conn, _, err := websocket.Dial(ctx, c.url+"/ws/chat/hall", &websocket.DialOptions{Subprotocols: []string{shared.Protocol}, HTTPClient: c.http})
		if err != nil {
			return frame, err
		}
		conn.SetReadLimit(shared.ReadLimit)
		if err := conn.Write(ctx, websocket.MessageText, shared.Encode(shared.Message{Type: shared.TypeHello, User: "user " + c.device[:8], Device: c.device})); err != nil {
			conn.CloseNow()
			return frame, err
		}
		c.conn = conn
	}
	err := c.conn.Write(ctx, websocket.MessageText, shared.Encode(frame))
	for err == nil {
		var data []byte
		if _, data, err = c.conn.Read(ctx); err == nil {
			var m shared.Message
			if m, err = shared.Decode(data); err == nil && is(m) {
				return m, nil
			}
		}
	}
	c.close()
	return frame, err
}

func (c *sender) close() {
	if c.conn != nil {
		c.conn.CloseNow()
		c.conn = nil
	}
}

// begin asks where an upload stands.
func (c *sender) begin(ctx context.Context, id, name string, size int) (shared.Message, error) {
	return c.ask(ctx, shared.Message{Type: shared.TypeUpload, ID: id, Name: name, Size: int64(size)},
		func(m shared.Message) bool {
			return m.ID == id && (m.Type == shared.TypeUpload || m.Type == shared.TypeError)
		})
}

// patch sends a part, and returns the status and where the file stands.
func (c *sender) patch(ctx context.Context, id, key string, at int64, part []byte) (status int, now int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, c.url+"/files/"+id, io.TeeReader(bytes.NewReader(part), counted{c.sent}))
	if err != nil {
		return 0, 0, err
	}
	req.ContentLength = int64(len(part))
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	now, _ = strconv.ParseInt(resp.Header.Get("Upload-Offset"), 10, 64)
	return resp.StatusCode, now, nil
}

type counted struct{ n *atomic.Int64 }

func (c counted) Write(p []byte) (int, error) {
	if c.n != nil {
		c.n.Add(int64(len(p)))
	}
	return len(p), nil
}

// send sends a file with a message, as often as that takes, until the message is back.
func (c *sender) send(ctx context.Context, id, name, caption string, data []byte, part int) (shared.Message, error) {
	for ctx.Err() == nil {
		up, err := c.begin(ctx, id, name, len(data))
		if err == nil && up.Type == shared.TypeError {
			return up, fmt.Errorf("the upload is refused: %s %s", up.Code, up.Text)
		}
		at := up.At
		for err == nil && at < int64(len(data)) {
			var status int
			if status, at, err = c.patch(ctx, id, up.Key, at, data[at:min(at+int64(part), int64(len(data)))]); err == nil && status != http.StatusNoContent {
				err = fmt.Errorf("a part: %d", status)
			}
		}
		if err != nil {
			continue
		}
		message := shared.Message{Type: shared.TypeChat, ID: "m" + id, Text: caption, File: &shared.File{ID: id}}
		m, err := c.ask(ctx, message, func(m shared.Message) bool { return m.ID == message.ID && (m.Type != shared.TypeChat || m.File != nil) })
		if err == nil && m.Type == shared.TypeError {
			return m, fmt.Errorf("the message is refused: %s %s", m.Code, m.Text)
		}
		if err == nil {
			return m, nil
		}
	}
	return shared.Message{}, ctx.Err()
}

func newFileID() string { return strings.ToLower(rand.Text()) }

// filesOnDisk are the names in a data folder's files.
func filesOnDisk(t *testing.T, data string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(data, files.FolderName, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// A file goes to everyone: those who know files, and as a link those who don't. It is in
// the history, in an export, in a backup, and goes with its message.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, "--max-file", "2MB", "--base-path", "/parley")
	data := make([]byte, 1500000)
	_, _ = rand.Read(data)
	ann, bob, old := newSender(s), s.Join("hall", "Bob"), s.Tutorial("hall", "Carl")
	defer ann.close()
	if !slices.Contains(bob.Welcome.Can, shared.CanFiles) || bob.Welcome.Limits.File != 2e6 {
		t.Errorf("the welcome: %+v", bob.Welcome)
	}
	if m, err := ann.begin(t.Context(), newFileID(), "a.bin", 2000001); err != nil || m.Code != shared.CodeNotAllowed {
		t.Errorf("too large: %+v, %v", m, err)
	}
	id := newFileID()
	m, err := ann.send(t.Context(), id, "C:\\photos\\Gate 4?.bin", "the gate", data, shared.MaxUploadPart)
	if err != nil {
		t.Fatal(err)
	}
	link := s.URL("/parley/files/" + id)
	heard, seen := bob.Next(shared.TypeChat), old.Next(shared.TypeChat)
	if f := heard.File; f == nil || *f != (shared.File{ID: id, Name: "Gate 4?.bin", Type: files.Other, Size: int64(len(data)), Caption: "the gate"}) ||
		heard.Text != "the gate\n"+link || seen.Text != heard.Text || *m.File != *f {
		t.Errorf("Bob hears %+v, %+v; Carl %q", heard, heard.File, seen.Text)
	}
	get := func(address string) (int, string) {
		resp, err := ann.http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, address := range []string{link, s.URL("/files/" + id)} {
		if status, body := get(address); status != 200 || body != string(data) {
			t.Errorf("%s: %d, %d bytes", address, status, len(body))
		}
	}
	req, _ := http.NewRequest(http.MethodGet, s.URL("/files/"+id), nil)
	req.Host = "evil.example"
	resp, err := ann.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusForbidden {
		t.Errorf("under another name: %d", resp.StatusCode)
	}
	if got := s.Messages("hall", 0); len(got) != 1 || got[0].File == nil || *got[0].File != *heard.File {
		t.Errorf("the history: %+v", got)
	}
	if got := s.Metric("parley_files_bytes"); got != fmt.Sprint(1.5e6+chat.FileOverhead) {
		t.Errorf("the metrics have %q bytes", got)
	}

	if out := s.Run("check"); !strings.Contains(out, "It has 1 file. None is missing.") {
		t.Errorf("check: %s", out)
	}
	folder := filepath.Join(t.TempDir(), "files")
	if out := s.Run("export", "--room", "hall", "--to-files", folder); !strings.Contains(out, ` (file "Gate 4?.bin", 1500000 bytes): the gate`) {
		t.Errorf("export: %s", out)
	}
	if out := s.Run("export", "--room", "hall", "--format", "jsonl", "--to-files", folder); !strings.Contains(out, `"file":{"id":"`+id) {
		t.Errorf("export: %s", out)
	}
	if got, err := os.ReadFile(filepath.Join(folder, "1 Gate 4_.bin")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the exported file: %d bytes, %v", len(got), err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if out := s.Run("backup", backup); !strings.Contains(out, "It has 1 file, in "+backup+".files") {
		t.Errorf("backup: %s", out)
	}
	ofBackup := filepath.Join(backup+files.BackupEnd, id[:2], id)
	if a, b := stat(t, ofBackup), stat(t, filepath.Join(s.Data, files.FolderName, id[:2], id)); !os.SameFile(a, b) {
		t.Error("the backup has a copy")
	}

	if _, err := ann.ask(t.Context(), shared.Message{Type: shared.TypeDelete, ID: "d", Target: heard.Offset, Of: heard.ID},
		func(m shared.Message) bool { return m.Type == shared.TypeDelete }); err != nil {
		t.Fatal(err)
	}
	for late := time.After(time.Minute); len(filesOnDisk(t, s.Data)) > 0; {
		select {
		case <-late:
			t.Fatalf("left: %q", filesOnDisk(t, s.Data))
		case <-time.After(time.Millisecond):
		}
	}
	if status, _ := get(link); status != http.StatusNotFound {
		t.Errorf("after its message it is served with %d", status)
	}
	later := newFileID()
	if _, err := ann.send(t.Context(), later, "later.bin", "", data[:100], 1000); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*websocket.Conn{bob.Conn, old.Conn} {
		c.CloseNow()
	}
	ann.close()
	s.Stop()
	if out := s.Run("restore", backup, "--replace"); !strings.Contains(out, "It has 1 file.") {
		t.Errorf("restore: %s", out)
	}
	if aside, _ := filepath.Glob(filepath.Join(s.Data, "files.replaced-*", later[:2], later)); len(aside) != 1 {
		t.Error("the files of the log that was replaced are not set aside")
	}
	if got, err := os.ReadFile(filepath.Join(s.Data, files.FolderName, id[:2], id)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the restored file: %d bytes, %v", len(got), err)
	}
	s.Flags = append(s.Flags, "--url", "https://chat.example.org/x/")
	s.MustStart()
	if status, _ := get(link); status != http.StatusOK {
		t.Errorf("restored, it is served with %d", status)
	}
	old = s.Tutorial("hall", "Dora")
	if _, err := ann.send(t.Context(), newFileID(), "b.bin", "", data[:100], 1000); err != nil {
		t.Fatal(err)
	}
	for m := (shared.Message{}); !strings.HasPrefix(m.Text, "https://chat.example.org/x/files/"); m = old.Next(shared.TypeChat) {
	}
	// A backup without a file takes the one that is there.
	old.Conn.CloseNow()
	ann.close()
	s.Stop()
	if err := os.Remove(ofBackup); err != nil {
		t.Fatal(err)
	}
	if out, err := do(t, "restore", backup, "--replace", "--data", s.Data); err != nil || !strings.Contains(out, "It has 1 file.") {
		t.Errorf("restore without its file: %s, %v", out, err)
	}
	if err := os.Remove(filepath.Join(s.Data, files.FolderName, id[:2], id)); err != nil {
		t.Fatal(err)
	}
	if out, err := do(t, "check", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "of 1 file, 1 is missing") || !strings.Contains(out, `"Gate 4?.bin"`) {
		t.Errorf("check without the file: %s, %v", out, err)
	}
}

// A room's files go with it, whether a server runs or not.
func TestDeletedRoomsFiles(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	for _, runs := range []bool{true, false} {
		ann := newSender(s)
		if _, err := ann.send(t.Context(), newFileID(), "a.txt", "", []byte("hello"), 10); err != nil {
			t.Fatal(err)
		}
		ann.close()
		if n := len(filesOnDisk(t, s.Data)); n != 1 {
			t.Fatalf("%d files are on the disk", n)
		}
		if !runs {
			s.Stop()
		}
		s.Run("delete", "--room", "hall", "--yes")
		for late := time.After(time.Minute); len(filesOnDisk(t, s.Data)) > 0 && runs; {
			select {
			case <-late:
				t.Fatalf("left: %q", filesOnDisk(t, s.Data))
			case <-time.After(time.Millisecond):
			}
		}
	}
	if left := filesOnDisk(t, s.Data); len(left) > 0 {
		t.Errorf("without a server there are left: %q", left)
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// A server that takes no files says so, and serves those that it has.
func TestNoFiles(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	ann, id := newSender(s), newFileID()
	defer ann.close()
	if _, err := ann.send(t.Context(), id, "a.txt", "", []byte("hello"), 10); err != nil {
		t.Fatal(err)
	}
	ann.close()
	s.Stop()
	s.Flags = []string{"--max-file", "0"}
	s.MustStart()
	if bob := s.Join("hall", "Bob"); slices.Contains(bob.Welcome.Can, shared.CanFiles) || bob.Welcome.Limits.File != 0 {
		t.Errorf("the welcome: %+v", bob.Welcome)
	}
	if m, err := ann.begin(t.Context(), newFileID(), "a.txt", 1); err != nil || m.Code != shared.CodeNotAllowed {
		t.Errorf("an upload: %+v, %v", m, err)
	}
	if status, body := s.Get("/files/" + id); status != 200 || body != "hello" {
		t.Errorf("a file of before: %d %q", status, body)
	}
}

// A server that is stopped waits for nobody who takes a file.
func TestStopWhileServing(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, "--rate", "0")
	ann, id := newSender(s), newFileID()
	defer ann.close()
	if _, err := ann.send(t.Context(), id, "a.bin", "", make([]byte, 20<<20), shared.MaxUploadPart); err != nil {
		t.Fatal(err)
	}
	resp, err := ann.http.Get(s.URL("/files/" + id))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	half, feed := io.Pipe()
	defer feed.Close()
	other := newFileID()
	up, err := ann.begin(t.Context(), other, "b.bin", 1000)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPatch, s.URL("/files/"+other), half)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+up.Key)
	req.Header.Set("Upload-Offset", "0")
	uploading := make(chan struct{})
	go func() {
		defer close(uploading)
		if resp, err := ann.http.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := feed.Write(make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	for up.At != 500 {
		if up, err = ann.begin(t.Context(), other, "b.bin", 1000); err != nil {
			t.Fatal(err)
		}
	}
	ann.close()
	s.Stop()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("it was waited for: %d bytes came", n)
	}
	<-uploading
	if text := s.Output.String(); strings.Contains(text, "cut off") {
		t.Errorf("it said:\n%s", text)
	}
}

func TestFileFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"--files-bytes takes at least as much": {"--files-bytes", "50MB"},
		"--max-file takes at most":             {"--max-file", "2TB", "--files-bytes", "0"},
		"at least 100KB":                       {"--max-file", "100"},
		"--url takes an address":               {"--url", "chat.example.org"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, nil, &out, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, u := range []string{"ftp://a", "https://", "https://a?b", "https://a#b", "https://user@a", "javascript:alert(1)"} {
		if _, err := parseURL(u); err == nil {
			t.Errorf("%s is taken", u)
		}
	}
	for _, test := range []struct {
		args []string
		want int64
	}{
		{[]string{"--disk-free", "1GB", "--files-free", "3GB"}, 3e9},
		{[]string{"--disk-free", "3GB", "--files-free", "2GB"}, 33e8},
		{[]string{"--disk-free", "0", "--files-free", "0"}, 0},
	} {
		o, err := parseOptions(test.args, nil, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		o.data = t.TempDir()
		if got, err := o.freeOfFiles(); got != test.want || err != nil {
			t.Errorf("%q: %d, %v", test.args, got, err)
		}
	}
}

// The server is killed at random bytes of 200 uploads, while messages with files are
// deleted. Each message is there once, each file is what it was, and nothing else is left.
func TestKilledWhileUploading(t *testing.T) {
	t.Parallel()
	const senders = 10
	each, kills := 20, 6
	if servertest.Race() { // a start takes a second
		each, kills = 5, 2
	}
	s := servertest.Start(t, "--rate", "0", "--max-per-address", "0", "--sync", "normal")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var sent atomic.Int64
	var mu sync.Mutex
	want := make(map[string][]byte) // by id
	sending := make(chan error, senders)
	for range senders {
		go func() {
			c := newSender(s)
			c.sent = &sent
			defer c.close()
			for i := range each {
				data := make([]byte, 1+mathrand.IntN(100<<10))
				_, _ = rand.Read(data)
				id := newFileID()
				m, err := c.send(ctx, id, "a.bin", "", data, 1+mathrand.IntN(100<<10))
				if err != nil {
					sending <- err
					return
				}
				if i%5 != 0 {
					mu.Lock()
					want[id] = data
					mu.Unlock()
					continue
				}
				// A delete may be in the log, although no answer came: then it is not found.
				for del := (shared.Message{Type: shared.TypeDelete, ID: "d" + id, Target: m.Offset, Of: m.ID}); ctx.Err() == nil; {
					if _, err := c.ask(ctx, del, func(a shared.Message) bool { return a.ID == del.ID || slices.Contains(a.Targets, m.Offset) }); err == nil {
						break
					}
				}
			}
			sending <- nil
		}()
	}
	done := make(chan struct{})
	go func() { // every some bytes, until all have come
		defer close(done)
		for range senders {
			if err := <-sending; err != nil {
				t.Error(err)
				cancel()
			}
		}
	}()
	killed := 0
	for next := int64(0); killed < kills; {
		next += 200<<10 + mathrand.Int64N(1<<20)
		for sent.Load() < next {
			select {
			case <-done:
			case <-time.After(100 * time.Microsecond):
				continue
			}
			break
		}
		select {
		case <-done:
		default:
			s.Kill()
			s.MustStart()
			killed++
			continue
		}
		break
	}
	<-done
	if killed < kills/2 {
		t.Errorf("it was killed %d times only", killed)
	}
	s.Kill() // perhaps between a commit and what is to be unlinked
	s.MustStart()
	seen := make(map[string]bool)
	for _, m := range s.Messages("hall", 0) {
		switch {
		case m.File == nil:
		case seen[m.File.ID]:
			t.Errorf("the message of %s is there twice", m.File.ID)
		case want[m.File.ID] == nil:
			t.Errorf("the message of %s was deleted", m.File.ID)
		default:
			seen[m.File.ID] = true
			if _, body := s.Get("/files/" + m.File.ID); body != string(want[m.File.ID]) {
				t.Errorf("%s has other bytes: %d, not %d", m.File.ID, len(body), len(want[m.File.ID]))
			}
		}
	}
	for id := range want {
		if !seen[id] {
			t.Errorf("the message of %s is missing", id)
		}
	}
	s.Stop()
	referred := make(map[string]bool)
	err := sqlitelog.FilesIn(t.Context(), filepath.Join(s.Data, sqlitelog.FileName), func(row chat.FileRow) error {
		referred[row.ID] = true
		return nil
	})
	if got := filesOnDisk(t, s.Data); err != nil || !slices.Equal(got, slices.Sorted(maps.Keys(referred))) || len(got) != len(want) {
		t.Errorf("%d files are on the disk, %d in the log, of %d: %v", len(got), len(referred), len(want), err)
	}
	if out := s.Run("check"); !strings.Contains(out, fmt.Sprintf("It has %d files. None is missing.", len(want))) {
		t.Errorf("check: %s", out)
	}
}
