package chat_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestImpersonation has Eve try to be taken for Ann, who owns her name.
func TestImpersonation(t *testing.T) {
	s := start(t)
	ann, _ := s.join("hall", hello("Ann", newDevice()))
	bob, _ := s.join("hall", hello("Bob", newDevice()))
	taken := func(what, name string) {
		t.Helper()
		code, reason := s.refused("hall", hello(name, newDevice()))
		wantClose(t, what, code, reason, shared.CloseNameTaken, " (")
	}
	taken("another device", "Ann")
	taken("the same comparison key", " aNN ")
	taken("full-width letters", "\uff21\uff4e\uff4e")
	for what, name := range map[string]string{
		"a zero-width space": "A\u200bnn", "a zero-width joiner": "A\u200dnn", "a soft hyphen": "A\u00adnn",
		"a direction mark": "\u202eAnn", "a tag": "Ann\U000e0041", "a word joiner": "Ann\u2060", "a byte order mark": "\ufeffAnn",
	} {
		code, reason := s.refused("hall", hello(name, newDevice()))
		wantClose(t, what, code, reason, shared.CloseBadHello, "invisible")
	}
	joined := func(what, name, want string) {
		t.Helper()
		c, welcome := s.join("hall", hello(name, newDevice()))
		if welcome.User != want {
			t.Errorf("%s: she is %q, want %q", what, welcome.User, want)
		}
		c.say("x", "it is me")
		if m := bob.next(shared.TypeChat); m.User != want {
			t.Errorf("%s: Bob sees %q, want %q", what, m.User, want)
		}
		c.leave()
	}
	joined("a letter of another script", "\u0410nn", "\u0410nn (Cyrillic)")
	joined("another one", "Αnn", "Αnn (Greek)")
	joined("a number that was offered", "Ann (2)", "Ann (2)")

	eve := s.tutorial("hall/Ann")
	eve.sendRaw(`{"message":"as in the path"}`)
	if m := bob.next(shared.TypeChat); m.User == "Ann" {
		t.Errorf("in the tutorial's dialect she is %q", m.User)
	}
	eve = s.tutorial("hall")
	eve.sendRaw(`{"message":"as in the frame","user":"ann"}`)
	if m := bob.next(shared.TypeChat); m.User == "ann" {
		t.Errorf("in a frame of the tutorial's dialect she is %q", m.User)
	}
	other, _ := s.join("hall", hello("Eve", newDevice()))
	other.sendRaw(`{"type":"chat_message","id":"1","message":"hi","user":"Ann","time":"2020-01-01T00:00:00Z","offset":1}`)
	if m := bob.next(shared.TypeChat); m.User != "Eve" || m.Time.Year() == 2020 || m.Offset == 1 {
		t.Errorf("with fields of the server's she is %+v", m)
	}
	ann.leave()
	taken("while Ann is away", "ann")
	joined("with another script while Ann is away", "a\u0578n", "a\u0578n (Armenian)")
}

// Two scripts can spell one look whole. Who comes second is marked, whichever
// it is, over a restart too.
func TestWholeLookalikes(t *testing.T) {
	for _, names := range [][2]string{{"MAX", "\u041c\u0410\u0425"}, {"\u041c\u0410\u0425", "MAX"}} {
		s := start(t)
		ann, eve := hello(names[0], newDevice()), hello(names[1], newDevice())
		_, first := s.join("hall", ann)
		_, second := s.join("hall", eve)
		if first.User != names[0] || second.User == names[1] {
			t.Errorf("the names %q are shown as %q and %q", names, first.User, second.User)
		}
		s.stop()
		s.open()
		_, second = s.join("hall", eve)
		_, first = s.join("hall", ann)
		if first.User == names[0] && second.User == names[1] {
			t.Errorf("after a restart the names %q are shown without a mark", names)
		}
	}
	s := start(t)
	if _, w := s.join("hall", hello("\u0421\u0430\u0440\u0430", newDevice())); w.User != "\u0421\u0430\u0440\u0430" {
		t.Errorf("a name of one script that nobody else has is shown as %q", w.User)
	}
}

// A name stays with a device that is there longer than a name is held.
func TestHoldIsRenewed(t *testing.T) {
	var now atomic.Int64
	now.Store(1e9)
	s := start(t, func(c *chat.Config) {
		c.Now = func() time.Time { return time.Unix(now.Load(), 0) }
		c.PingEvery, c.NameHold, c.SilenceLimit = time.Millisecond, 4*time.Millisecond, time.Hour
	})
	ann, _ := s.join("r", hello("Ann", newDevice()))
	defer ann.leave()
	now.Add(3600)
	s.until("Ann's name was claimed again", func() bool {
		owner, err := s.log.Owner(t.Context(), "r", "ann")
		return err == nil && owner.Seen.Unix() == now.Load()
	})
}

// A welcome has the names in order, whoever came first.
func TestWelcomeIsSorted(t *testing.T) {
	s := start(t)
	var names []string
	for i := range 20 {
		name := string(rune('a' + (i*7)%20))
		c, _ := s.join("r", hello(name, newDevice()))
		defer c.leave()
		names = append(names, name)
	}
	slices.Sort(names)
	c, welcome := s.join("r", hello("z", newDevice()))
	defer c.leave()
	equal(t, "the members", welcome.Members, append(names, "z")...)
}
