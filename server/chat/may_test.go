package chat_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/files"
	"parley/shared"
)

// takesFiles has a server take files.
func takesFiles(t *testing.T) func(*chat.Config) {
	return func(c *chat.Config) {
		store, err := files.Open(t.Context(), t.TempDir(), c.Log.(chat.FileRows), files.Options{Max: 1 << 20, Bytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(store.Close)
		c.Files = store
	}
}

func newFile() string { return strings.ToLower(rand.Text()) }

// answer returns the sentence with which a frame is refused, "" if it is not.
func (c *client) answer(m shared.Message) string {
	c.t.Helper()
	c.send(m)
	for {
		got, err := c.read()
		switch {
		case err != nil:
			c.t.Fatalf("waiting for the answer to %+v: %v", m, err)
		case got.Type == shared.TypeError && (got.ID == m.ID || got.ID == ""):
			return string(got.Code) + ": " + got.Text
		case m.ID != "" && got.ID == m.ID, m.ID == "" && got.Type == m.Type && (m.Type != shared.TypeChat || got.Text == m.Text):
			return ""
		}
	}
}

// loggedDevice is a device as the log knows it.
func loggedDevice(device string) string {
	hash := sha256.Sum256([]byte(device))
	return hex.EncodeToString(hash[:16])
}

// whole has the log know a file of a device that came whole, and returns its id.
func (s *server) whole(room shared.Name, device string) string {
	s.t.Helper()
	id := newFile()
	_, err := s.log.BeginFile(s.t.Context(), chat.FileRow{
		File: chat.File{ID: id, Name: "a.txt", Size: 1}, Room: room.Key, Device: loggedDevice(device), Made: time.Now()})
	if err = errors.Join(err, s.log.WholeFile(s.t.Context(), id, "text/plain")); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// TestWhoMay has everyone do everything over a connection, under each setting.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	s := start(t, takesFiles(t), func(c *chat.Config) { c.EditFor = time.Hour })
	const (
		noHost   = "not_allowed: Only a host"
		silenced = "not_allowed: Ann has silenced you"
		quiet    = "not_allowed: Ann has set that only hosts write"
		noFiles  = "not_allowed: Ann has set that nobody sends files"
		hostsOf  = "not_allowed: Ann has set that only hosts send files"
		slow     = "rate_limited: Ann lets everyone write once in 3600 s"
	)
	frames := []string{"message", "again", "edit", "file", "upload", "react", "delete", "history", "search", "reactions", "notices", "roles", "act"}
	type want map[string]string // by frame, how it is refused
	no := func(reason string, also want, frames ...string) want {
		w := want{"roles": noHost, "act": noHost}
		for _, f := range frames {
			w[f] = reason
		}
		maps.Copy(w, also)
		return w
	}
	hosts, none := shared.Settings{Write: shared.WhoHosts}, shared.Settings{Files: shared.WhoNone}
	sends, slowly := shared.Settings{Files: shared.WhoHosts}, shared.Settings{Slow: new(3600)}
	open, closed := shared.OpenSettings(), shared.Settings{Door: shared.DoorClosed}
	mute := no(silenced, nil, "message", "again", "edit", "file", "upload", "react")
	listen := no(quiet, nil, "message", "again", "edit", "file", "upload")
	refused := make(map[string]int) // how often, by sentence
	for i, row := range []struct {
		what string
		set  shared.Settings
		who  string
		want want
	}{
		{"open", open, "member", no("", nil)},
		{"open", open, "silenced", mute},
		{"open", open, "host", want{}},
		{"open", open, "page", want{}},
		{"open", open, "silenced page", mute},
		{"hosts write", hosts, "member", listen},
		{"hosts write", hosts, "silenced", mute},
		{"hosts write", hosts, "host", want{}},
		{"hosts write", hosts, "page", listen},
		{"hosts send files", sends, "member", no(hostsOf, nil, "file", "upload")},
		{"hosts send files", sends, "silenced", mute},
		{"hosts send files", sends, "host", want{}},
		{"no files", none, "member", no(noFiles, nil, "file", "upload")},
		{"no files", none, "host", want{"file": noFiles, "upload": noFiles}},
		{"slow", slowly, "member", no(slow, nil, "again", "file")},
		{"slow", slowly, "silenced", mute},
		{"slow", slowly, "host", want{}},
		{"slow", slowly, "page", want{"again": slow}},
		{"closed", closed, "member", no("", nil)},
	} {
		room := shared.Name{Text: fmt.Sprint("Room ", i), Key: fmt.Sprint("room ", i)}
		ann, _ := s.join(room.Text, opens("Ann", newDevice()))
		device := newDevice()
		page := strings.Contains(row.who, "page")
		var c *client
		if page {
			c = s.tutorial(url.PathEscape(room.Text) + "/Bob")
		} else {
			c, _ = s.join(room.Text, hello("Bob", device))
			c.answer(shared.Message{Type: shared.TypeChat, ID: "a", Text: "hi"}) // the second entry
		}
		switch {
		case strings.Contains(row.who, "silenced"):
			ann.does(shared.Message{Do: shared.DoSilence, User: "Bob"})
		case row.who == "host":
			ann.does(shared.Message{Do: shared.DoHost, User: "Bob"})
		}
		ann.does(shared.Message{Do: shared.DoSet, Settings: &row.set})
		for _, frame := range frames {
			m := shared.Message{ID: "of-" + frame}
			switch frame {
			case "message", "again":
				m.Type, m.Text = shared.TypeChat, frame
			case "edit":
				m.Type, m.Text, m.Edits, m.Of = shared.TypeChat, frame, 2, "a"
			case "file":
				m.Type, m.File = shared.TypeChat, &shared.File{}
			case "upload":
				m.Type, m.ID, m.Name, m.Size = shared.TypeUpload, newFile(), "a.txt", 5
			case "react":
				m.Type, m.Target, m.Of, m.Emoji = shared.TypeReact, 2, "a", shared.Emojis[0]
			case "delete":
				m.Type, m.Target, m.Of = shared.TypeDelete, 2, "a"
			case "act":
				m.Type, m.Do = shared.TypeHost, shared.DoPin
			default:
				m = shared.Message{Type: shared.Type(frame), Text: "hi", Target: 2, Limit: 5}
			}
			if page && m.Text != frame || page && m.Edits != 0 {
				continue // it has only messages
			}
			if page {
				m.ID = ""
			}
			if m.File != nil {
				m.File.ID = s.whole(room, device)
			}
			if got := c.answer(m); !told(got, row.want[frame]) {
				t.Errorf("%s, %s, %s: %q, want %q", row.what, row.who, frame, got, row.want[frame])
			}
			refused[row.want[frame]]++
		}
	}
	for rule, times := range map[string]int{"host": refused[noHost], "silenced": refused[silenced], "write": refused[quiet],
		"files": refused[noFiles] + refused[hostsOf], "slow": refused[slow]} {
		s.counts(rule, times)
	}
}

// counts makes sure that the metrics count what was refused by a rule.
func (s *server) counts(rule string, times int) {
	s.t.Helper()
	if got := s.metric(fmt.Sprintf("parley_rule_refusals_total{rule=%q}", rule)); got != fmt.Sprint(times) || times == 0 {
		s.t.Errorf("refused by the rule %s: %q, not %d", rule, got, times)
	}
}

// TestHostsDeleteAlways has a host delete where nobody changes what was said.
func TestHostsDeleteAlways(t *testing.T) {
	t.Parallel()
	s := start(t) // with EditFor 0
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	bob, _ := s.join("Class", hello("Bob", newDevice()))
	bob.answer(shared.Message{Type: shared.TypeChat, ID: "a", Text: "hi"})
	ann.answer(shared.Message{Type: shared.TypeChat, ID: "b", Text: "hi"})
	remove := shared.Message{Type: shared.TypeDelete, ID: "c", Target: 2, Of: "a"}
	if got := bob.answer(remove); !strings.Contains(got, "nobody changes what was said") {
		t.Errorf("his own message: %q", got)
	}
	if got := ann.answer(remove); got != "" {
		t.Errorf("by a host: %q", got)
	}
	if got := ann.answer(shared.Message{Type: shared.TypeChat, ID: "d", Text: "hello", Edits: 3, Of: "b"}); !strings.Contains(got, "nobody changes what was said") {
		t.Errorf("an edit by a host: %q", got)
	}
}

// TestWhoMayOverTheAPI has the API post, which it always may, send files, and read.
func TestWhoMayOverTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t, takesFiles(t), func(c *chat.Config) { c.Token, c.Rate = token, 0 })
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	for what, row := range map[string]struct {
		set    shared.Settings
		status int // of reading
		file   int // of sending one
	}{
		"hosts write":      {shared.Settings{Write: shared.WhoHosts}, http.StatusOK, http.StatusCreated},
		"hosts send files": {shared.Settings{Files: shared.WhoHosts}, http.StatusOK, http.StatusCreated},
		"no files":         {shared.Settings{Files: shared.WhoNone}, http.StatusOK, http.StatusForbidden},
		"slow":             {shared.Settings{Slow: new(3600)}, http.StatusOK, http.StatusCreated},
		"known":            {shared.Settings{Door: shared.DoorKnown}, http.StatusForbidden, http.StatusCreated},
		"closed":           {shared.Settings{Door: shared.DoorClosed}, http.StatusForbidden, http.StatusCreated},
	} {
		ann.does(shared.Message{Do: shared.DoSet, Settings: new(shared.OpenSettings().With(row.set))})
		for range 2 {
			if status, answer := s.do("POST", "/api/rooms/Class/messages", `{"message":"hi"}`, "Authorization", "Bearer "+token); status != http.StatusCreated {
				t.Errorf("%s: posting is answered with %d %s", what, status, answer)
			}
		}
		if status, answer := s.do("POST", "/api/rooms/Class/messages", form(aFile("a.txt"), "x"), "Authorization", "Bearer "+token, "Content-Type", formType); status != row.file ||
			status == http.StatusForbidden && !strings.Contains(answer, "Ann has set that nobody sends files") {
			t.Errorf("%s: a file is answered with %d %s", what, status, answer)
		}
		if status, answer := s.do("GET", "/api/rooms/Class/messages", "", "Authorization", "Bearer "+token); status != row.status {
			t.Errorf("%s: reading is answered with %d %s", what, status, answer)
		}
	}
	ann.act(shared.Message{Do: shared.DoSilence, User: "Bot"})
	ann.refused(shared.CodeNotAllowed, "the server's own programs")
}
