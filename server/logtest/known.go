package logtest

import (
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// known tells whether a device was in a room under a name of its own.
func known(t *testing.T, f *fixture[Store]) {
	is := func(room, device string, want bool) {
		t.Helper()
		if got, err := f.log.Knows(t.Context(), room, device); err != nil || got != want {
			t.Errorf("%s knows %s: %v, %v", room, device, got, err)
		}
	}
	is(lobby.Key, "d", false)
	f.claim(t, []step{{"a name", 0, chat.Claim{Name: "ann", Device: "d"}, owned}})
	is(lobby.Key, "d", true)
	is(lobby.Key, "other", false)
	is(attic.Key, "d", false)
	f.claim(t, []step{{"taken later", 31 * time.Hour, chat.Claim{Name: "ann", Device: "other"}, owned}})
	is(lobby.Key, "d", false)
	is(lobby.Key, "other", true)
}

// removedFrom tells from where somebody was removed.
func removedFrom(t *testing.T, f *fixture[Store]) {
	at := entry("").Time
	is := func(what, room, address string, after time.Time, want bool) {
		t.Helper()
		if got, err := f.log.RemovedFrom(t.Context(), room, address, after); err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	f.claim(t, []step{
		{"who is removed", 0, chat.Claim{Name: "bob", Device: "bob", Address: "1.2.3.4"}, owned},
		{"who is silenced", 0, chat.Claim{Name: "eve", Device: "eve", Address: "1.2.3.5"}, owned},
		{"in another room", 0, chat.Claim{Room: attic.Key, Name: "bob", Device: "bob", Address: "1.2.3.6"}, owned},
	})
	f.add(t, lobby, act("a", "ann", shared.DoOpen, ""))
	is("before", lobby.Key, "1.2.3.4", at.Add(-time.Hour), false)
	f.add(t, lobby, act("b", "ann", shared.DoRemove, "bob"))
	f.add(t, lobby, act("c", "ann", shared.DoSilence, "eve"))
	is("his address", lobby.Key, "1.2.3.4", at.Add(-time.Millisecond), true)
	is("as long ago", lobby.Key, "1.2.3.4", at, false)
	is("no address", lobby.Key, "", at.Add(-time.Hour), false)
	is("that of one who is silenced", lobby.Key, "1.2.3.5", at.Add(-time.Hour), false)
	is("his address in another room", lobby.Key, "1.2.3.6", at.Add(-time.Hour), false)
	is("another room", attic.Key, "1.2.3.4", at.Add(-time.Hour), false)
	is("always", lobby.Key, "1.2.3.4", time.Time{}, true)
	must(t, f.log.Rename(t.Context(), lobby.Key, shared.Name{Text: "Hall", Key: "hall"}))
	is("a room with another name", "hall", "1.2.3.4", at.Add(-time.Hour), true)
	is("the name that it had", lobby.Key, "1.2.3.4", at.Add(-time.Hour), false)
	f.add(t, shared.Name{Text: "Hall", Key: "hall"}, act("d", "ann", shared.DoAdmit, "bob"))
	is("let in again", "hall", "1.2.3.4", at.Add(-time.Hour), false)
}
