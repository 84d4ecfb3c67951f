package logtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Store is a chat.Registry together with the log that it belongs to.
type Store interface {
	chat.Log
	chat.Registry
}

// Registry checks a chat.Registry. Open is as for Log.
func Registry(t *testing.T, open func(t *testing.T, name string) Store) {
	body[Store]{
		"names have owners":         claims,
		"names are held":            holds,
		"owners have so many names": shares,
		"names that look alike":     looks,
		"who is known":              known,
		"from where one is removed": removedFrom,
		"locks":                     locks,
		"the operator's key":        hostKey,
		"a room's rules go with it": movingRules,
		"rooms":                     rooms,
		"unlocking a room":          unlocking,
		"renaming a room":           renaming,
		"deleting a room":           deleting,
	}.run(t, open)
}

// rules for the tests of names.
var rules = chat.NameRules{Hold: time.Hour, HoldSpoken: 30 * time.Hour, PerDevice: 3, PerAddress: 6}

var (
	taken   = chat.Standing{Taken: true}
	used    = chat.Standing{}
	owned   = chat.Standing{Owned: true}
	spoken  = chat.Standing{Owned: true, Spoken: true}
	dayZero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// step is a claim in the lobby, some time after dayZero, and its answer.
type step struct {
	what  string
	after time.Duration
	chat.Claim
	want chat.Standing
}

func (f *fixture[L]) claim(t *testing.T, steps []step) {
	t.Helper()
	store := any(f.log).(Store)
	for _, s := range steps {
		s.Seen = dayZero.Add(s.after)
		if s.Room == "" {
			s.Room = lobby.Key
		}
		got, err := store.Claim(t.Context(), s.Claim, rules)
		must(t, err)
		if got != s.want {
			t.Errorf("%s: the answer is %+v, want %+v", s.what, got, s.want)
		}
	}
}

func claims(t *testing.T, f *fixture[Store]) {
	f.claim(t, []step{
		{"a free name", 0, chat.Claim{Name: "ann", Device: "d1"}, owned},
		{"the owner again", time.Minute, chat.Claim{Name: "ann", Device: "d1"}, owned},
		{"another device in time", time.Hour, chat.Claim{Name: "ann", Device: "d2"}, taken},
		{"another name", time.Hour, chat.Claim{Name: "bob", Device: "d2"}, owned},
		{"another device after the hold", time.Minute + time.Hour, chat.Claim{Name: "ann", Device: "d2"}, owned},
		{"the former owner", time.Minute + time.Hour, chat.Claim{Name: "ann", Device: "d1"}, taken},
	})
	at := dayZero.Add(time.Minute + time.Hour)
	owner, err := f.log.Owner(t.Context(), "lobby", "ann")
	must(t, err)
	if owner.Device != "d2" || owner.Name != "ann" || !owner.Seen.Equal(at) || !rules.Held(owner, at) || rules.Held(owner, at.Add(time.Hour)) {
		t.Errorf("the owner is %+v", owner)
	}
	if owner, err = f.log.Owner(t.Context(), "attic", "ann"); err != nil || owner != (chat.Claim{}) || rules.Held(owner, at) {
		t.Errorf("the owner in another room is %+v, %v", owner, err)
	}
}

// A name under which something was said is held longer, over a restart too, and the
// API's name for ever.
func holds(t *testing.T, f *fixture[Store]) {
	const day = 24 * time.Hour
	f.claim(t, []step{
		{"before a word", 0, chat.Claim{Name: "ann", Device: "d1"}, owned},
		{"a word", time.Minute, chat.Claim{Name: "ann", Device: "d1", Spoken: true}, spoken},
		{"later", 2 * time.Minute, chat.Claim{Name: "ann", Device: "d1"}, spoken},
		{"the API", 0, chat.Claim{Name: "bot", Device: chat.APIDevice}, owned},
		{"not a word", 0, chat.Claim{Name: "cleo", Device: "d1"}, owned},
	})
	must(t, f.log.Close())
	f.log = f.reopen()
	f.claim(t, []step{
		{"the quiet name after its hold", time.Hour, chat.Claim{Name: "cleo", Device: "d2"}, owned},
		{"the next day", day, chat.Claim{Name: "ann", Device: "d2"}, taken},
		{"after the longer hold", 2*time.Minute + 30*time.Hour, chat.Claim{Name: "ann", Device: "d2"}, owned},
		{"the new owner is quiet", 2*time.Minute + 31*time.Hour, chat.Claim{Name: "ann", Device: "d1"}, owned},
		{"the API's a year later", 365 * day, chat.Claim{Name: "bot", Device: "d2"}, taken},
	})
}

// A device and an address own a limited number of names, and can use others. A name
// that has lapsed makes room for another. The API has no limit.
func shares(t *testing.T, f *fixture[Store]) {
	var steps []step
	of := func(device, address string, n int, want chat.Standing) {
		name := fmt.Sprint(device, " ", n)
		steps = append(steps, step{name, time.Duration(n) * time.Minute, chat.Claim{Name: name, Device: device, Address: address}, want})
	}
	for n := range 3 {
		of("d1", "a", n, owned)
	}
	of("d1", "a", 3, used)
	of("d1", "a", 0, owned) // its own, still
	steps = append(steps,
		step{"somebody else has what is used", 4 * time.Minute, chat.Claim{Name: "d1 3", Device: "d2", Address: "b"}, owned},
		step{"its owner is back", 4 * time.Minute, chat.Claim{Name: "d1 3", Device: "d1", Address: "a"}, taken},
		step{"another room", 4 * time.Minute, chat.Claim{Room: "attic", Name: "d1", Device: "d1", Address: "a"}, owned})
	of("d3", "a", 4, owned)
	of("d3", "a", 5, owned)
	of("d3", "a", 6, used) // six of the address
	of("d3", "c", 6, owned)
	of("d4", "", 6, owned)
	for n := range 9 {
		of(chat.APIDevice, "", n, owned)
	}
	steps = append(steps,
		step{"a quiet name lapses", time.Hour + time.Minute, chat.Claim{Name: "new", Device: "d1", Address: "a"}, owned})
	f.claim(t, steps)
}

// Of names that look alike the first has the look, for as long as it has an owner.
func looks(t *testing.T, f *fixture[Store]) {
	first := chat.Standing{Owned: true, First: true}
	like := func(name string) chat.Standing { return chat.Standing{Owned: true, Like: name} }
	f.claim(t, []step{
		{"the first", 0, chat.Claim{Name: "max", Device: "d1", Look: "rnax"}, first},
		{"the second", time.Minute, chat.Claim{Name: "мах", Device: "d2", Look: "rnax"}, like("max")},
		{"the third", time.Minute, chat.Claim{Name: "μαχ", Device: "d3", Look: "rnax"}, like("max")},
		{"the first again", 2 * time.Minute, chat.Claim{Name: "max", Device: "d1", Look: "rnax"}, first},
		{"without a word on its look", 2 * time.Minute, chat.Claim{Name: "max", Device: "d1"}, owned},
		{"the second again", 3 * time.Minute, chat.Claim{Name: "мах", Device: "d2", Look: "rnax"}, like("max")},
		{"in another room", 3 * time.Minute, chat.Claim{Room: "attic", Name: "мах", Device: "d2", Look: "rnax"}, first},
		{"a name that is taken", 3 * time.Minute, chat.Claim{Name: "max", Device: "d3", Look: "rnax"}, taken},
		{"a shy one", 3 * time.Minute, chat.Claim{Name: "bob", Device: "d2", Look: "bob", Shy: true}, owned},
		{"a bold one", 3 * time.Minute, chat.Claim{Name: "воб", Device: "d3", Look: "bob"}, first},
		{"which is shy now", 3 * time.Minute, chat.Claim{Name: "воб", Device: "d3", Look: "bob", Shy: true}, first},
	})
	must(t, f.log.Close())
	f.log = f.reopen()
	for look, want := range map[string]string{"rnax": "max", "bob": "воб", "ann": ""} {
		owner, err := f.log.LookOwner(t.Context(), lobby.Key, look)
		if err != nil || owner.Name != want {
			t.Errorf("the look %q is of %+v, %v", look, owner, err)
		}
	}
	f.claim(t, []step{
		{"the second after a restart", 4 * time.Minute, chat.Claim{Name: "мах", Device: "d2", Look: "rnax"}, like("max")},
		{"another spelling gives its look up", 5 * time.Minute, chat.Claim{Name: "max", Device: "d1", Look: "max"}, first},
		{"which the second gets", 5 * time.Minute, chat.Claim{Name: "мах", Device: "d2", Look: "rnax"}, first},
		{"the first comes back to it", 6 * time.Minute, chat.Claim{Name: "max", Device: "d1", Look: "rnax"}, like("мах")},
		{"a look whose owner has gone", 2 * time.Hour, chat.Claim{Name: "max", Device: "d1", Look: "rnax"}, first},
		{"its former owner", 2 * time.Hour, chat.Claim{Name: "мах", Device: "d2", Look: "rnax"}, like("max")},
	})
}

// locks are given once, to rooms that nothing was said in, and stay.
func locks(t *testing.T, f *fixture[Store]) {
	set := func(room string, l chat.Lock, want bool) {
		t.Helper()
		if ok, err := f.log.SetLock(t.Context(), room, l); ok != want || err != nil {
			t.Errorf("setting a lock of %q: %v, %v", room, ok, err)
		}
	}
	check := func(room string, want chat.Lock) {
		t.Helper()
		if got, err := f.log.Lock(t.Context(), room); got != want || err != nil {
			t.Errorf("the lock of %q is %+v, %v; want %+v", room, got, err, want)
		}
	}
	first := chat.Lock{Hash: "first", Hidden: true}
	check("attic", chat.Lock{})
	set("attic", first, true)
	set("attic", chat.Lock{Hash: "second"}, false)
	f.add(t, lobby, entry("a"))
	set(lobby.Key, first, false)
	f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("a"))
	must(t, f.log.Close())
	f.log = f.reopen()
	check("attic", first)
	check(lobby.Key, chat.Lock{})
}

// rooms are listed by their newest entry while they have one, and none that is
// hidden.
func rooms(t *testing.T, f *fixture[Store]) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	say := func(key string, minute int) {
		t.Helper()
		e := entry(fmt.Sprint(minute))
		e.Time = at.Add(time.Duration(minute) * time.Minute)
		f.add(t, shared.Name{Text: strings.ToUpper(key), Key: key}, e)
	}
	check := func(limit int, want ...string) {
		t.Helper()
		listed, err := f.log.Rooms(t.Context(), limit)
		must(t, err)
		var got []string
		for _, r := range listed {
			got = append(got, fmt.Sprintf("%s %s %d %v", r.Key, r.Name, r.Last.Sub(at)/time.Minute, r.Locked))
		}
		equal(t, fmt.Sprintf("up to %d rooms", limit), got, want)
	}
	check(9)
	for room, lock := range map[string]chat.Lock{"locked": {Hash: "h"}, "hidden": {Hash: "h", Hidden: true}, "silent": {Hash: "h"}} {
		_, err := f.log.SetLock(t.Context(), room, lock)
		must(t, err)
	}
	for i, room := range []string{"a", "hidden", "locked", "b", "hidden"} {
		say(room, i)
	}
	_, stop, err := f.log.Open(t.Context(), shared.Name{Text: "Opened", Key: "opened"}, nobody)
	must(t, err)
	stop()
	check(9, "b B 3 false", "locked LOCKED 2 true", "a A 0 false")
	check(2, "b B 3 false", "locked LOCKED 2 true")
	say("a", 7)
	must(t, f.log.Close())
	f.log = f.reopen()
	check(2, "a A 7 false", "b B 3 false")
	Retain(t, f.log, chat.Retention{Age: time.Minute, Now: func() time.Time { return at.Add(7 * time.Minute) }}, 5)
	check(9, "a A 7 false")
	say("b", 9)
	check(9, "b B 9 false", "a A 7 false")
}
