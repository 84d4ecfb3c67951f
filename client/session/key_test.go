package session_test

import (
	"path/filepath"
	"testing"

	"parley/client/session"
)

func (v *viewer) closedBy(cause session.Cause) {
	v.t.Helper()
	v.until(string(cause), func() bool { return v.status.State == session.Closed && v.status.Cause == cause })
}

// One person locks a room; another one gets in with its passphrase alone, and is
// not asked for it again on this device.
func TestLockedRoom(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "Attic", User: "Ann", Key: "correct horse"})
	ann.send("a secret")
	ann.shows("a secret")

	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	config := session.Config{Server: s.base, Room: "attic", User: "Bob", Store: store}
	bob := enter(t, config)
	bob.closedBy(session.CauseNeedsKey)
	bob.room.Unlock("wrong horse")
	bob.closedBy(session.CauseWrongKey)
	if key := bob.room.Key(); key != "" {
		t.Errorf("Bob has the passphrase %q, which does not let in", key)
	}
	if len(bob.rows) != 0 {
		t.Errorf("Bob sees %+v", bob.rows)
	}
	bob.room.Unlock("correct horse") // tries until the wrong one is forgiven
	bob.shows("a secret")
	if key := bob.room.Key(); key != "correct horse" {
		t.Errorf("Bob came in with %q", key)
	}
	bob.room.Close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = openStore(t, path)
	config.Store = store
	bob = enter(t, config)
	bob.connected()
	if key := bob.room.Key(); key != "correct horse" {
		t.Errorf("a later run has the passphrase %q", key)
	}
	bob.send("again")
	ann.shows("a secret", "again")
	bob.room.Close()
	if err := store.Forget(s.base, "Attic"); err != nil {
		t.Fatal(err)
	}
	bob = enter(t, config)
	bob.closedBy(session.CauseNeedsKey)
}

// A passphrase that does not let in is not kept.
func TestWrongKeyIsForgotten(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Key: "old horse", Hidden: true, Store: openStore(t, filepath.Join(t.TempDir(), "store"))})
	p, hello := s.welcomed("e", 0, false)
	if hello.Key != "old horse" || !hello.Hidden {
		t.Errorf("the hello is %+v", hello)
	}
	v.connected()
	_ = p.ws.Close(4502, "")
	v.closedBy(session.CauseWrongKey)
	v.room.Reconnect()
	if _, hello = s.next(); hello.Key != "" || hello.Hidden {
		t.Errorf("after a refusal the hello is %+v", hello)
	}
}

// Whoever comes to an open room with a passphrase is told so, and enters without.
func TestOpenRoom(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "Hall", User: "Ann"})
	ann.connected()
	bob := enter(t, session.Config{Server: s.base, Room: "hall", User: "Bob", Key: "correct horse"})
	bob.closedBy(session.CauseOpenRoom)
	bob.room.Reconnect()
	bob.connected()
}
