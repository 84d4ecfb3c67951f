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
		"names have owners": claims,
		"names":             names,
		"locks":             locks,
		"rooms":             rooms,
	}.run(t, open)
}

func claims(t *testing.T, f *fixture[Store]) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what, name, device string
		after              time.Duration
		want               bool
	}{
		{"a free name", "ann", "d1", 0, true},
		{"the owner again", "ann", "d1", time.Minute, true},
		{"another device in time", "ann", "d2", time.Hour, false},
		{"another name", "bob", "d2", time.Hour, true},
		{"another device after the hold", "ann", "d2", time.Minute + time.Hour, true},
		{"the former owner", "ann", "d1", time.Minute + time.Hour, false},
	} {
		got, err := f.log.Claim(t.Context(), chat.Claim{Room: "lobby", Name: c.name, Device: c.device, Seen: at.Add(c.after)}, time.Hour)
		must(t, err)
		if got != c.want {
			t.Errorf("%s: owned is %v", c.what, got)
		}
	}
	owner, err := f.log.Owner(t.Context(), "lobby", "ann")
	must(t, err)
	if owner.Device != "d2" || !owner.Seen.Equal(at.Add(time.Minute+time.Hour)) {
		t.Errorf("the owner is %+v", owner)
	}
	if owner, err = f.log.Owner(t.Context(), "attic", "ann"); err != nil || owner != (chat.Claim{}) {
		t.Errorf("the owner in another room is %+v, %v", owner, err)
	}
}

func names(t *testing.T, f *fixture[Store]) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, name := range []string{"ann", "bob", "cleo"} {
		_, err := f.log.Claim(t.Context(), chat.Claim{Room: lobby.Key, Name: name, Device: "d", Seen: at.Add(time.Duration(i) * time.Minute)}, time.Hour)
		must(t, err)
	}
	for room, want := range map[string][]string{lobby.Key: {"cleo", "bob"}, "empty": nil} {
		got, err := f.log.Names(t.Context(), room, 2)
		must(t, err)
		equal(t, "the names in "+room, got, want)
	}
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
	retain(t, f.log, chat.Retention{Age: time.Minute, Now: func() time.Time { return at.Add(7 * time.Minute) }}, 5)
	check(9, "a A 7 false")
	say("b", 9)
	check(9, "b B 9 false", "a A 7 false")
}
