package logtest

import (
	"testing"
	"time"

	"parley/server/chat"
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
