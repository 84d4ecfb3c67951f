package chat_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
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
	for what, name := range map[string]string{
		"a Braille blank": "A\u2800nn", "a replaced object": "Ann\ufffc", "a note without a head": "Ann\U0001d159",
	} {
		code, reason := s.refused("hall", hello(name, newDevice()))
		wantClose(t, what, code, reason, shared.CloseBadHello, "invisible")
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

// A name under which something was said is held for 30 days, another one for 12
// hours, and the API's for ever.
func TestHoldOfSpokenNames(t *testing.T) {
	var c clock
	c.add(1e6 * time.Second)
	s := start(t, withClock(&c), func(cfg *chat.Config) { cfg.Token = token })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	ann.say("1", "hi")
	bob.next(shared.TypeChat)
	if status, body := s.do("POST", "/api/rooms/r/messages", `{"message":"hi","user":"Nas"}`, "Authorization", "Bearer "+token); status != http.StatusCreated {
		t.Fatal(status, body)
	}
	s.until("the word counts", func() bool {
		owner, err := s.log.Owner(t.Context(), "r", "ann")
		return err == nil && owner.Spoken
	})
	if owner, err := s.log.Owner(t.Context(), "r", "bob"); err != nil || owner.Spoken {
		t.Errorf("Bob's name: %+v, %v", owner, err)
	}
	ann.leave()
	bob.leave()
	s.stop()
	s.open(withClock(&c))
	check := func(name string, free bool) {
		t.Helper()
		if free {
			eve, _ := s.join("r", hello(name, newDevice()))
			eve.leave()
			return
		}
		code, reason := s.refused("r", hello(name, newDevice()))
		wantClose(t, name, code, reason, shared.CloseNameTaken, " (2)")
	}
	c.add(11 * time.Hour)
	check("Bob", false)
	c.add(time.Hour)
	check("Bob", true)
	check("Ann", false)
	c.add(29 * 24 * time.Hour)
	check("Ann", false)
	c.add(24 * time.Hour)
	check("Ann", true)
	c.add(1000 * 24 * time.Hour)
	check("Nas", false)
}

// A device owns five names in a room and uses others, which anybody may use after it.
func TestNamesOfADevice(t *testing.T) {
	s := start(t)
	hoarder := newDevice()
	for i := range 6 {
		c, welcome := s.join("r", hello(fmt.Sprint("Name ", i), hoarder))
		if want := fmt.Sprint("Name ", i); welcome.User != want {
			t.Errorf("he is %q, not %q", welcome.User, want)
		}
		if i == 5 {
			code, reason := s.refused("r", hello("Name 5", newDevice())) // while he is there
			wantClose(t, "a name in use", code, reason, shared.CloseNameTaken, " (2)")
		}
		c.leave()
	}
	code, reason := s.refused("r", hello("Name 4", newDevice()))
	wantClose(t, "a name that he owns", code, reason, shared.CloseNameTaken, " (2)")
	s.until("his sixth name is free", func() bool { return len(s.hub.Rooms()) == 0 })
	c, _ := s.join("r", hello("Name 5", newDevice()))
	c.leave()
	c, _ = s.join("other", hello("Name 5", hoarder)) // another room
	c.leave()
	if owner, err := s.log.Owner(t.Context(), "other", "name 5"); err != nil || owner.Device == "" {
		t.Errorf("in another room he owns %+v, %v", owner, err)
	}
}

// An address owns 1,024 names, however many devices it says it has.
func TestNamesOfAnAddress(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxPerAddress = 64 })
	var work sync.WaitGroup
	for n := range 1024 {
		work.Go(func() {
			name := fmt.Sprint("name ", n)
			c := chat.Claim{Room: fmt.Sprint("room ", n%10), Name: name, Device: name, Address: "127.0.0.1", Seen: time.Now()}
			if got, err := s.log.Claim(t.Context(), c, chat.NameRules{Hold: time.Hour}); err != nil || !got.Owned {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		})
	}
	work.Wait()
	c, welcome := s.join("r", hello("Eve", newDevice()))
	if c.leave(); welcome.User != "Eve" {
		t.Errorf("she is %q", welcome.User)
	}
	if owner, err := s.log.Owner(t.Context(), "r", "eve"); err != nil || owner.Device != "" {
		t.Errorf("she owns her name: %+v, %v", owner, err)
	}
}
