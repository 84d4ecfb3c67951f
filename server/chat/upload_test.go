package chat_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/files"
	"parley/shared"
)

const maxFile = 5000

// withFiles has a server take files.
func withFiles(t *testing.T, s **server) func(*chat.Config) {
	return func(c *chat.Config) {
		store, err := files.Open(context.Background(), filepath.Join((*s).dir), c.Log.(chat.FileRows), files.Options{Max: maxFile, Charge: chat.ChargeSyncs})
		if err != nil {
			t.Fatal(err)
		}
		c.Files, c.EditFor = store, time.Hour
		c.FileURL = func() string { return (*s).http.URL }
	}
}

// startFiles starts a server that takes files.
func startFiles(t *testing.T, change ...func(*chat.Config)) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	s.open(append([]func(*chat.Config){withFiles(t, &s)}, change...)...)
	t.Cleanup(s.stop)
	return s
}

// fileID is an id of a file, by its first letters.
func fileID(name string) string { return name + strings.Repeat("7", 26-len(name)) }

func upload(id string, size int64) shared.Message {
	return shared.Message{Type: shared.TypeUpload, ID: id, Name: "Gate 3.txt", Size: size}
}

func sayFile(id, caption, file string) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: id, Text: caption, File: &shared.File{ID: file}}
}

// put sends a file.
func (c *client) put(s *server, id string, data []byte) {
	c.t.Helper()
	c.sendBytes(s, id, data)
	if answer := c.ask(upload(id, int64(len(data)))); answer.At != int64(len(data)) {
		c.t.Fatalf("once it is whole, the upload is answered with %+v", answer)
	}
}

// sendBytes sends the bytes of a file, of which none are there.
func (c *client) sendBytes(s *server, id string, data []byte) {
	c.t.Helper()
	c.send(upload(id, int64(len(data))))
	answer := c.until(shared.TypeUpload)
	if answer.ID != id || answer.Key == "" || answer.At != 0 {
		c.t.Fatalf("the upload is answered with %+v", answer)
	}
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, s.http.URL+"/files/"+id, bytes.NewReader(data))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+answer.Key)
	req.Header.Set("Upload-Offset", "0")
	resp, err := s.http.Client().Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		c.t.Fatalf("its bytes are answered with %s %s", resp.Status, body)
	}
}

// One file goes everywhere that a message goes: to members of both dialects, to those
// who come later, come back or look for it, and to programs.
func TestFileOfMessage(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	device := newDevice()
	ann, welcome := s.join("r", hello("Ann", device))
	if !slices.Contains(welcome.Can, shared.CanFiles) || welcome.Limits.File != maxFile {
		t.Errorf("the welcome is %+v", welcome)
	}
	bobs := hello("Bob", newDevice())
	bob, _ := s.join("r", bobs)
	page := s.tutorial("r")
	id, data := fileID("first"), []byte("what is in the file")
	ann.put(s, id, data)
	if status, _, _ := s.get("/files/" + id); status != http.StatusNotFound {
		t.Errorf("before a message has it: %d", status)
	}
	ann.send(sayFile("a", "Look\nthere", id))
	want := shared.File{ID: id, Name: "Gate 3.txt", Type: "application/octet-stream", Size: int64(len(data)), Caption: "Look\nthere"}
	link := s.http.URL + "/files/" + id
	check := func(who string, m shared.Message) {
		t.Helper()
		if m.Text != "Look\nthere\n"+link || m.File == nil || *m.File != want || m.Offset != 1 {
			t.Errorf("%s is told %+v of %+v", who, m.File, m)
		}
	}
	check("Ann", ann.next(shared.TypeChat))
	check("Bob", bob.next(shared.TypeChat))
	got := page.next(shared.TypeChat)
	check("the tutorial's page", got)
	if status, body, header := s.get("/files/" + id); status != http.StatusOK || body != string(data) || header.Get("Content-Disposition") == "" {
		t.Errorf("its link leads to %d %q %v", status, body, header)
	}
	later, _ := s.join("r", hello("Eve", newDevice()))
	check("who comes later", later.next(shared.TypeChat))
	back := hello("Ann", device)
	back.Epoch = welcome.Epoch
	again, _ := s.join("r", back)
	check("who comes back", again.next(shared.TypeChat))
	check("who asks for history", bob.ask(shared.Message{Type: shared.TypeHistory, Limit: 9}).Messages[0])
	check("who looks for it", bob.ask(shared.Message{Type: shared.TypeSearch, Text: "there"}).Messages[0])
	check("who looks for its name", bob.ask(shared.Message{Type: shared.TypeSearch, Text: "gate 3"}).Messages[0])
	if m := bob.ask(shared.Message{Type: shared.TypeSearch, Text: id[:8]}); len(m.Messages) != 0 {
		t.Errorf("by the link of the file is found %+v", m.Messages)
	}
	_, body, _ := s.get("/api/rooms/r/messages")
	m, err := shared.Decode([]byte(strings.TrimSpace(body)))
	if err != nil || len(m.Messages) != 1 {
		t.Fatal(body, err)
	}
	check("a program", m.Messages[0])

	// After a restart, the log alone knows of it.
	for _, c := range []*client{ann, bob, page, later, again} {
		c.leave()
	}
	s.stop()
	s.open(withFiles(t, &s))
	link = s.http.URL + "/files/" + id // at another port
	bob, _ = s.join("r", bobs)
	check("Bob, after a restart", bob.next(shared.TypeChat))
	if status, body, _ := s.get("/files/" + id); status != http.StatusOK || body != string(data) {
		t.Errorf("after a restart, its link leads to %d %q", status, body)
	}
}

// A file without a caption shows its name in quotes, and its link alone elsewhere.
func TestCaptions(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	page := s.tutorial("r")
	id := fileID("a")
	ann.put(s, id, []byte("x"))
	ann.send(sayFile("a", " \u200b", id))
	ann.next(shared.TypeChat)
	if m := page.next(shared.TypeChat); m.Text != s.http.URL+"/files/"+id || m.File.Caption != "" {
		t.Errorf("without a caption, it is %+v", m)
	}
	ann.send(reply("b", 1, "a", "fine"))
	if m := ann.next(shared.TypeChat); m.Quote == nil || m.Quote.Text != "Gate 3.txt" {
		t.Errorf("the reply is %+v", m.Quote)
	}
	long := strings.Repeat("\U0001F600", shared.MaxCaption)
	ann.send(edit("c", 1, "a", long+"x"))
	if m := ann.next(shared.TypeError); m.Code != shared.CodeTooLong || m.ID != "c" || !strings.Contains(m.Text, "1024") {
		t.Errorf("a caption that is too long: %+v", m)
	}
	ann.send(edit("d", 1, "a", long))
	for _, c := range []*client{ann, page} {
		m := c.next(shared.TypeChat)
		if c == page && m.Text == "fine" {
			m = c.next(shared.TypeChat)
		}
		if m.Text != long+"\n"+s.http.URL+"/files/"+id || m.Edits != 1 || m.File == nil || m.File.Caption != long {
			t.Errorf("the edit is %+v", m)
		}
	}
	ann.send(del("e", 1, "a"))
	ann.next(shared.TypeDelete)
	if m := ann.ask(shared.Message{Type: shared.TypeHistory, Limit: 1, Before: 2}).Messages[0]; m.File != nil || m.Text != shared.TextDeleted {
		t.Errorf("a deleted one is %+v", m)
	}
	s.until("its bytes are gone", func() bool {
		status, _, _ := s.get("/files/" + id)
		return status == http.StatusGone || status == http.StatusNotFound
	})
}

// What is wrong with a file is told to whoever sends it. Their connection and their
// texts go on.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	eve, _ := s.join("r", hello("Eve", newDevice()))
	hers, taken, begun := fileID("hers"), fileID("taken"), fileID("begun")
	ann.put(s, hers, []byte("x"))
	eve.put(s, taken, []byte("x"))
	eve.send(sayFile("t", "", taken))
	eve.next(shared.TypeChat)
	ann.next(shared.TypeChat)
	eve.ask(upload(begun, 7))
	page := s.tutorial("r")
	n := 0
	for _, c := range []struct {
		what   string
		m      shared.Message
		code   shared.ErrorCode
		reason string
	}{
		{"another device's upload", upload(hers, 1), shared.CodeNotAllowed, "Send it again"},
		{"a size that grew", upload(begun, 8), shared.CodeNotAllowed, "Send it again"},
		{"too large a file", upload(fileID("large"), maxFile+1), shared.CodeNotAllowed, "5000 bytes"},
		{"no bytes", upload(fileID("none"), 0), shared.CodeBadFrame, "empty"},
		{"no id", upload("", 1), shared.CodeBadFrame, "26"},
		{"an id of another form", upload(strings.ToUpper(begun), 1), shared.CodeBadFrame, "26"},
		{"an id that climbs", upload("../../../../etc/passwd", 1), shared.CodeBadFrame, "26"},
		{"a message with another device's file", sayFile("m1", "x", hers), shared.CodeNotAllowed, "no such file"},
		{"one with none that there is", sayFile("m2", "x", fileID("nothing")), shared.CodeNotAllowed, "no such file"},
		{"one that is not whole", sayFile("m3", "x", begun), shared.CodeNotAllowed, "whole"},
		{"one that another message has", sayFile("m4", "x", taken), shared.CodeNotAllowed, "Another message"},
		{"too long a caption", sayFile("m5", strings.Repeat("x", shared.MaxCaption+1), taken), shared.CodeTooLong, "1024"},
		{"an edit with a file", shared.Message{Type: shared.TypeChat, ID: "m6", Text: "x", Edits: 1, Of: "t", File: &shared.File{ID: taken}}, shared.CodeBadFrame, "keeps the file"},
	} {
		eve.send(c.m)
		if m := eve.next(shared.TypeError); m.Code != c.code || m.ID != c.m.ID || !strings.Contains(m.Text, c.reason) {
			t.Errorf("%s: %+v", c.what, m)
		}
		n++
		eve.say(fmt.Sprint("text-", n), "still there")
		if m := eve.next(shared.TypeChat); m.Text != "still there" {
			t.Errorf("after %s: %+v", c.what, m)
		}
	}
	for frame, want := range map[string]shared.ErrorCode{
		`{"type":"chat_message","id":"f1","message":"x","file":{"id":"../x"}}`:                     shared.CodeBadFrame,
		`{"type":"chat_message","id":"f2","message":"x","file":{}}`:                                shared.CodeBadFrame,
		`{"type":"chat_message","id":"f3","message":"x","file":"` + hers + `"}`:                    shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","name":"x","size":-1}`:                               shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","name":"x","size":1e99}`:                             shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","name":"x","size":1.5}`:                              shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","name":"x","size":1,"width":3}`:                      shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","size":1,"width":99999,"height":1}`:                  shared.CodeBadFrame,
		`{"type":"upload","id":"` + hers + `","name":"` + strings.Repeat("x", 257) + `","size":1}`: shared.CodeTooLong,
	} {
		eve.sendRaw(frame)
		if m := eve.next(shared.TypeError); m.Code != want || m.Text == "" || m.ID == "" {
			t.Errorf("%s: %+v", frame, m)
		}
	}
	page.sendRaw(`{"type":"upload","id":"` + fileID("page") + `","name":"x","size":1}`)
	if m := page.until(shared.TypeError); m.Code != shared.CodeNotAllowed {
		t.Errorf("the tutorial's dialect: %+v", m)
	}
	page.sendRaw(`{"message":" ","file":{"id":"` + hers + `"}}`)
	if m := page.until(shared.TypeError); m.Code != shared.CodeEmpty {
		t.Errorf("nothing but a file from the tutorial's dialect: %+v", m)
	}
	page.sendRaw(`{"message":"from the page","file":{"id":"` + hers + `"}}`)
	if m := page.until(shared.TypeChat); m.File != nil || m.Text != "from the page" {
		t.Errorf("a file from the tutorial's dialect: %+v", m)
	}
	ann.send(sayFile("m", "at last", hers))
	if m := ann.until(shared.TypeChat); m.Text == "" {
		t.Error("her own file is refused")
	}
}

func TestFewUnfinishedFiles(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	for i := range chat.MaxUnfinished {
		ann.ask(upload(fileID(string(rune('a'+i))), 10))
	}
	ann.send(upload(fileID("over"), 10))
	if m := ann.next(shared.TypeError); m.Code != shared.CodeRateLimited || m.RetryMS < 1000 || m.ID != fileID("over") || !strings.Contains(m.Text, "4") {
		t.Errorf("one more: %+v", m)
	}
	ann.say("a", "text")
	ann.next(shared.TypeChat)
	bob.next(shared.TypeChat)
	if m := bob.ask(upload(fileID("bob"), 10)); m.Key == "" {
		t.Errorf("another device's: %+v", m)
	}
}

// Tiny parts cost their address what the disk does for them.
func TestPartsArePaid(t *testing.T) {
	t.Parallel()
	s := startFiles(t, func(c *chat.Config) { c.MaxPerAddress = 9 })
	s.hub.StopMeters()
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.send(upload(fileID("a"), 100))
	key := ann.until(shared.TypeUpload).Key
	before := s.hub.Used("127.0.0.1")
	for at := range 10 {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.http.URL+"/files/"+fileID("a"), strings.NewReader("x"))
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Upload-Offset", fmt.Sprint(at))
		resp, err := s.http.Client().Do(req)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	if used := s.hub.Used("127.0.0.1") - before; used < 10*chat.CostSync {
		t.Errorf("10 parts cost %v", used)
	}
}

// However many devices somebody makes, only so many files from one address wait for
// their messages.
func TestFewFilesFromOneAddress(t *testing.T) {
	t.Parallel()
	s := startForms(t, behindProxy)
	n := 0
	name := func(n int) string { return fileID(strings.Repeat("a", n/26) + string(rune('a'+n%26))) }
	var last *client
	for range 20 {
		c := s.joinFrom("192.0.2.1", "r", hello(fmt.Sprint("User ", n), newDevice()))
		for range chat.MaxUnfinished {
			n++
			c.send(upload(name(n), 1))
			if m := c.until(shared.TypeUpload); m.Key == "" {
				t.Fatalf("file %d: %+v", n, m)
			}
		}
		if last != nil {
			last.leave()
		}
		last = c
	}
	ann := s.joinFrom("192.0.2.1", "r", hello("Ann", newDevice()))
	ann.send(upload(fileID("over"), 1))
	if m := ann.refused(shared.CodeRateLimited, "from your address"); m.RetryMS < 1000 || m.ID != fileID("over") {
		t.Errorf("got %+v", m)
	}
	form := func(address string) (int, string) {
		return s.postForm(form(aFile("a.txt"), "x"), "X-Forwarded-For", address)
	}
	if status, answer := form("192.0.2.1"); status != http.StatusTooManyRequests || !strings.Contains(answer, "from your address") {
		t.Errorf("a form is answered with %d %s", status, answer)
	}
	last.sendBytes(s, name(n), []byte("x"))
	last.send(sayFile("m", "", name(n)))
	last.until(shared.TypeChat)
	ann.send(upload(fileID("over"), 1))
	if m := ann.until(shared.TypeUpload); m.Key == "" {
		t.Errorf("once a message has one of them: %+v", m)
	}
	bob := s.joinFrom("192.0.2.2", "r", hello("Bob", newDevice()))
	bob.send(upload(fileID("bob"), 1))
	if m := bob.until(shared.TypeUpload); m.Key == "" {
		t.Errorf("from another address: %+v", m)
	}
	if status, answer := form("192.0.2.2"); status != http.StatusCreated {
		t.Errorf("a form from there is answered with %d %s", status, answer)
	}
	renew := func(address, file string) bool {
		req, _ := http.NewRequest(http.MethodPatch, "/", nil)
		req.RemoteAddr = address + ":1"
		return s.hub.RenewUpload(req, fileID(file))
	}
	if !renew("192.0.2.1", "over") || renew("192.0.2.1", "another") || !renew("192.0.2.2", "another") {
		t.Error("an upload that takes long does not count like a new one")
	}
	source := func(file string) int64 {
		row, err := s.log.File(t.Context(), fileID(file))
		if err != nil || row.Source == 0 {
			t.Errorf("%s is of %+v, %v", file, row, err)
		}
		return row.Source
	}
	if source("b") != source("over") || source("b") == source("bob") {
		t.Error("what comes from one address, and from another, is not told apart")
	}
}

// What hosts have set holds for files when they are begun, and when a message takes them.
func TestHostsOfFiles(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	ann, _ := s.join("r", opens("Ann", newDevice()))
	device := newDevice()
	bob, _ := s.join("r", hello("Bob", device))
	bob.until(shared.TypeNotice) // Ann opened the room
	bob.put(s, fileID("before"), []byte("x"))
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Files: shared.WhoHosts}})
	for n := bob.until(shared.TypeNotice); n.Did != shared.DoSet; n = bob.until(shared.TypeNotice) {
	}
	bob.send(upload(fileID("after"), 1))
	bob.refused(shared.CodeNotAllowed, "only hosts send files")
	bob.send(sayFile("a", "", fileID("before")))
	bob.refused(shared.CodeNotAllowed, "only hosts send files")
	ann.put(s, fileID("host"), []byte("x"))
	ann.send(sayFile("h", "", fileID("host")))
	ann.until(shared.TypeChat)
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Files: shared.WhoNone}})
	ann.send(upload(fileID("hosts"), 1))
	ann.refused(shared.CodeNotAllowed, "nobody sends files")
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Files: shared.WhoAll}})
	bob.say("b", "hi")
	bob.until(shared.TypeChat)
	ann.does(shared.Message{Do: shared.DoSilence, User: "Bob"})
	bob.send(upload(fileID("after"), 1))
	bob.refused(shared.CodeNotAllowed, "silenced you")
	bob.send(sayFile("a", "", fileID("before")))
	bob.refused(shared.CodeNotAllowed, "silenced you")
	ann.does(shared.Message{Do: shared.DoUnsilence, User: "Bob"})
	bob.send(sayFile("a", "", fileID("before")))
	for m := bob.until(shared.TypeChat); m.ID != "a"; m = bob.until(shared.TypeChat) {
	}
}

func TestServerWithoutFiles(t *testing.T) {
	t.Parallel()
	s := start(t)
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	if slices.Contains(welcome.Can, shared.CanFiles) || welcome.Limits.File != 0 {
		t.Errorf("the welcome is %+v", welcome)
	}
	ann.send(upload(fileID("a"), 1))
	ann.refused(shared.CodeNotAllowed, "takes no files")
	ann.send(sayFile("a", "x", fileID("a")))
	ann.refused(shared.CodeNotAllowed, "no such file")
	ann.say("b", "x")
	ann.next(shared.TypeChat)
}

// Files that are not taken any more are still known, also to whoever did not hear that
// theirs came.
func TestFilesThatAreTakenNoMore(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	device := newDevice()
	ann, welcome := s.join("r", hello("Ann", device))
	ann.put(s, fileID("a"), []byte("x"))
	ann.send(sayFile("a", "", fileID("a")))
	ann.next(shared.TypeChat)
	ann.leave()
	s.stop()
	s.open()
	back := hello("Ann", device)
	back.Epoch, back.After = welcome.Epoch, 1
	ann, _ = s.join("r", back)
	ann.send(sayFile("a", "", fileID("a")))
	if m := ann.next(shared.TypeAck); m.Offset != 1 || m.ID != "a" {
		t.Errorf("sent again, it is answered with %+v", m)
	}
	if m := ann.ask(shared.Message{Type: shared.TypeHistory, Limit: 9}); len(m.Messages) != 1 || m.Messages[0].File == nil {
		t.Errorf("the history is %+v", m.Messages)
	}
}

// A log that can't be written now is no reason to give up a file. What the server's own
// log says of it has nothing that somebody on the network has made up.
func TestFilesWhileTheLogIsLocked(t *testing.T) {
	t.Parallel()
	var logged lockedBuffer
	s := startFiles(t, func(c *chat.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	ann, _ := s.join("r", hello("Ann", newDevice()))
	unlock := s.lockDatabase()
	named := upload(fileID("a"), 1)
	named.Name = "secret\u202e\x1b[31m\nname.jpg"
	ann.send(named)
	if m := ann.next(shared.TypeError); m.Code != shared.CodeUnavailable || m.ID != fileID("a") || m.Text == "" {
		t.Errorf("got %+v", m)
	}
	unlock()
	ann.put(s, fileID("a"), []byte("x"))
	ann.send(sayFile("a", "x", fileID("a")))
	ann.next(shared.TypeChat)
	if text := logged.String(); strings.Contains(text, "secret") || !strings.Contains(text, "not stored") {
		t.Errorf("it logs %s", text)
	}
}

// A pending upload of a room that was deleted, or has another name, is a new one.
func TestFilesOfARoomThatGoes(t *testing.T) {
	t.Parallel()
	s := startFiles(t)
	device := newDevice()
	ann, _ := s.join("r", hello("Ann", device))
	ann.say("a", "x")
	ann.next(shared.TypeChat)
	ann.put(s, fileID("a"), []byte("x"))
	if err := s.hub.Delete(t.Context(), shared.Name{Text: "r", Key: "r"}); err != nil {
		t.Fatal(err)
	}
	ann.closed()
	ann, _ = s.join("r", hello("Ann", device))
	ann.send(sayFile("m", "x", fileID("a")))
	ann.refused(shared.CodeNotAllowed, "no such file")
	s.until("its bytes are gone", func() bool {
		m := ann.ask(upload(fileID("a"), 1))
		return m.At == 0
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
