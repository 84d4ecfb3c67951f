package chat_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/chat/lookalike"
	"parley/shared"
)

const (
	cyrillicMax = "\u041c\u0410\u0425"
	greekMax    = "\u039c\u0391\u03a7"
)

// shownAs joins, leaves and returns the name that a person is shown under.
func (s *server) shownAs(h shared.Message) string {
	s.t.Helper()
	c, welcome := s.join("hall", h)
	c.leave()
	return welcome.User
}

// Names that mix letters of scripts that look alike are marked, whoever else is there.
func TestMixedNames(t *testing.T) {
	s := start(t)
	for name, want := range map[string]string{
		"B\u03c3b":                 "Greek",      // sigma
		"\ua4d0ob":                 "Lisu",       //
		"\ua4d0\ua4f3\ua4d0":       "Lisu",       // each letter
		"B\u2c9fb":                 "Coptic",     //
		"\u2ca3\u2c9f\u2ca3":       "Coptic",     // each letter
		"B\u1d0fb":                 "look-alike", // a small capital
		"\u0391nn":                 "Greek",
		"Дима Smith":               "Cyrillic",
		"Ann":                      "",
		"田中さん":                     "",
		"Ali علي":                  "",
		"\u0421\u0430\u0440\u0430": "", // one script, and nobody has the name that it looks like
	} {
		if want != "" {
			want = " (" + want + ")"
		}
		if got := s.shownAs(hello(name, newDevice())); got != name+want {
			t.Errorf("%q is shown as %q", name, got)
		}
	}
}

// Of names that look alike the later one is marked, never the victim's: also when the
// victim is away, when the other comes back first, and after a restart.
func TestLookalikes(t *testing.T) {
	for _, c := range []struct{ first, second, mark string }{
		{"MAX", cyrillicMax, " (Cyrillic)"}, {cyrillicMax, "MAX", " (Latin)"}, {"Max", greekMax, " (Greek)"},
		{"Bill", "BiII", " (look-alike)"}, {"Bob", "B0b", " (look-alike)"},
	} {
		s := start(t)
		victim, other := hello(c.first, newDevice()), hello(c.second, newDevice())
		check := func(what string, h shared.Message, want string) {
			t.Helper()
			if got := s.shownAs(h); got != want {
				t.Errorf("%s: %q is shown as %q, want %q", what, h.User, got, want)
			}
		}
		check("the first", victim, c.first)
		check("the second", other, c.second+c.mark)
		check("the first again", victim, c.first)
		s.stop()
		s.open()
		check("the second after a restart", other, c.second+c.mark)
		s.join("hall", other)
		check("the first, with the second there", victim, c.first)
	}
}

// A stranger whose name is marked in any case does not have the victim's name marked,
// however early he comes.
func TestMixedNameComesFirst(t *testing.T) {
	s := start(t)
	for _, early := range []string{"\u0410nn", "\u0391nn", "\ua4eenn"} {
		c, _ := s.join("hall", hello(early, newDevice()))
		c.say("1", "I am Ann")
	}
	if got := s.shownAs(hello("Ann", newDevice())); got != "Ann" {
		t.Errorf("Ann is shown as %q", got)
	}
}

// The tutorial's dialect owns no names. Its people are marked all the same, and mark
// those who come after them.
func TestLookalikesOfTheTutorial(t *testing.T) {
	s := start(t)
	bob, _ := s.join("hall", hello("Bob", newDevice()))
	say := func(c *client, want string) {
		t.Helper()
		c.sendRaw(`{"message":"hi"}`)
		if m := bob.next(shared.TypeChat); m.User != want {
			t.Errorf("Bob sees %q, want %q", m.User, want)
		}
	}
	max := hello("MAX", newDevice())
	s.shownAs(max)
	say(s.tutorial("hall/"+cyrillicMax), cyrillicMax+" (Cyrillic)")
	if got := s.shownAs(max); got != "MAX" {
		t.Errorf("the one who was there before is shown as %q", got)
	}
	say(s.tutorial("hall/TOM"), "TOM")
	tom := hello("\u0422\u041e\u041c", newDevice())
	for range 2 {
		if got := s.shownAs(tom); got != tom.User+" (Cyrillic)" {
			t.Errorf("a name that looks like one of the tutorial's is shown as %q", got)
		}
	}
	say(s.tutorial("hall/\u03a4\u039f\u039c"), "\u03a4\u039f\u039c (Greek)")
}

// The check does not depend on how many names there are.
func TestHoardedNames(t *testing.T) {
	s := start(t)
	max := hello("MAX", newDevice())
	s.shownAs(max)
	now := time.Now()
	var work sync.WaitGroup
	for part := range 200 {
		work.Go(func() {
			for n := range 50 {
				name := fmt.Sprint("hoard ", part, " ", n)
				claim := chat.Claim{Room: "hall", Name: name, Device: name, Seen: now.Add(time.Minute), Look: lookalike.Of(name).Skeleton}
				if got, err := s.log.Claim(t.Context(), claim, chat.NameRules{Hold: time.Hour}); err != nil || !got.Owned {
					t.Errorf("%s: %+v, %v", name, got, err)
					return
				}
			}
		})
	}
	work.Wait()
	if got := s.shownAs(hello("\ua4eenn", newDevice())); got != "\ua4eenn (Lisu)" {
		t.Errorf("a mixed name is shown as %q", got)
	}
	other := hello(cyrillicMax, newDevice())
	for range 2 {
		if got := s.shownAs(other); got != cyrillicMax+" (Cyrillic)" {
			t.Errorf("the name that looks like MAX is shown as %q", got)
		}
		if got := s.shownAs(max); got != "MAX" {
			t.Errorf("MAX is shown as %q", got)
		}
		s.stop()
		s.open()
	}
}

// The API's names are marked and mark others like everybody's.
func TestLookalikesOfTheAPI(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Token = token })
	post := func(user string) {
		t.Helper()
		status, body := s.do("POST", "/api/rooms/hall/messages", `{"message":"hi","user":"`+user+`"}`, "Authorization", "Bearer "+token)
		if status != http.StatusCreated {
			t.Errorf("posting: %d %s", status, body)
		}
	}
	bob, _ := s.join("hall", hello("TOM", newDevice()))
	for user, want := range map[string]string{"MAX": "MAX", "\u0422\u041e\u041c": "\u0422\u041e\u041c (Cyrillic)", "B\u03c3t": "B\u03c3t (Greek)"} {
		post(user)
		if m := bob.next(shared.TypeChat); m.User != want {
			t.Errorf("%q posts as %q", user, m.User)
		}
	}
	bo := s.tutorial("hall/BO")
	post("\u0412\u041e")
	if m := bob.next(shared.TypeChat); m.User != "\u0412\u041e (Cyrillic)" {
		t.Errorf("a name like one of the tutorial's posts as %q", m.User)
	}
	if status, body := s.do("POST", "/api/rooms/hall/messages", `{"message":"hi","user":"BO"}`, "Authorization", "Bearer "+token); status != http.StatusConflict {
		t.Errorf("under a name in use: %d %s", status, body)
	}
	bo.leave()
	s.until("BO's name is free, and not the API's", func() bool {
		owner, err := s.log.Owner(t.Context(), "hall", "bo")
		return err == nil && owner.Device == "" && s.hub.Rooms()[0].Count == 1
	})
	if got := s.shownAs(hello(cyrillicMax, newDevice())); got != cyrillicMax+" (Cyrillic)" {
		t.Errorf("a name that looks like the API's is shown as %q", got)
	}
}
