package logtest

import (
	"errors"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

var (
	attic  = shared.Name{Text: "Attic", Key: "attic"}
	cellar = shared.Name{Text: "Cellar", Key: "cellar"}
)

// furnish gives a room a lock, an owner of a name, and two entries.
func furnish(t *testing.T, f *fixture[Store], room shared.Name) chat.Lock {
	t.Helper()
	lock := chat.Lock{Hash: "h", Hidden: true, Made: entry("").Time}
	set, err := f.log.SetLock(t.Context(), room.Key, lock)
	if err != nil || !set {
		t.Fatalf("setting the lock of %s: %v, %v", room.Text, set, err)
	}
	_, err = f.log.Claim(t.Context(), chat.Claim{Room: room.Key, Name: "ann", Device: "d", Seen: entry("").Time}, chat.NameRules{Hold: time.Hour})
	must(t, err)
	f.add(t, room, entry("a"))
	f.add(t, room, entry("b"))
	return lock
}

// is checks what there is of a room.
func is(t *testing.T, log Store, room shared.Name, name string, head int64, lock chat.Lock, owner string, want ...string) {
	t.Helper()
	s, stop, err := log.Open(t.Context(), room, nobody)
	must(t, err)
	stop()
	if s.Name != name || s.Head != head {
		t.Errorf("%s is called %q and ends with %d, not %q and %d", room.Text, s.Name, s.Head, name, head)
	}
	if got, err := log.Lock(t.Context(), room.Key); err != nil || got != lock {
		t.Errorf("%s has the lock %+v, %v", room.Text, got, err)
	}
	if got, err := log.Owner(t.Context(), room.Key, "ann"); err != nil || got.Device != owner {
		t.Errorf("in %s, ann is %+v, %v", room.Text, got, err)
	}
	entries, err := log.Read(t.Context(), room.Key, 0, shared.MaxOffset, chat.Most{Entries: 100})
	must(t, err)
	equal(t, "what is in "+room.Text, ids(entries), want)
}

func fails(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v", what, err)
	}
}

func unlocking(t *testing.T, f *fixture[Store]) {
	furnish(t, f, attic)
	for range 2 {
		must(t, f.log.Unlock(t.Context(), attic.Key))
	}
	must(t, f.log.Close())
	f.log = f.reopen()
	is(t, f.log, attic, "Attic", 2, chat.Lock{}, "d", "a", "b")
	if rooms, err := f.log.Rooms(t.Context(), 9); err != nil || len(rooms) != 1 || rooms[0].Locked {
		t.Errorf("listed are %+v, %v", rooms, err)
	}
}

func renaming(t *testing.T, f *fixture[Store]) {
	lock := furnish(t, f, attic)
	f.add(t, lobby, entry("x"))
	fails(t, "to a name that is taken", f.log.Rename(t.Context(), attic.Key, lobby), chat.ErrRoomTaken)
	fails(t, "a room that is not there", f.log.Rename(t.Context(), cellar.Key, shared.Name{Text: "New", Key: "new"}), chat.ErrNoRoom)
	fails(t, "the spelling of one", f.log.Rename(t.Context(), cellar.Key, cellar), chat.ErrNoRoom)
	must(t, f.log.Rename(t.Context(), attic.Key, cellar))
	must(t, f.log.Close())
	f.log = f.reopen()
	is(t, f.log, cellar, "Cellar", 2, lock, "d", "a", "b")
	is(t, f.log, attic, "", 2, chat.Lock{}, "")
	must(t, f.log.Rename(t.Context(), cellar.Key, shared.Name{Text: "CELLAR", Key: cellar.Key}))
	is(t, f.log, cellar, "CELLAR", 2, lock, "d", "a", "b")
	must(t, f.log.Rename(t.Context(), cellar.Key, attic)) // back
	is(t, f.log, attic, "Attic", 2, lock, "d", "a", "b")

	// A client may remember an offset of the room that was there.
	if r := f.add(t, cellar, entry("c")); r.Offset != 3 {
		t.Errorf("another room of the name begins with %+v", r)
	}
	must(t, f.log.Delete(t.Context(), cellar.Key))
	fails(t, "to the name of a room that was deleted", f.log.Rename(t.Context(), attic.Key, cellar), chat.ErrRoomTaken)
	is(t, f.log, attic, "Attic", 2, lock, "d", "a", "b")

	// One that was renamed before it was deleted has left two names behind.
	old, loft, next := shared.Name{Text: "Old", Key: "old"}, shared.Name{Text: "Loft", Key: "loft"}, shared.Name{Text: "Next", Key: "next"}
	f.add(t, old, entry("o"))
	must(t, f.log.Rename(t.Context(), old.Key, loft))
	must(t, f.log.Delete(t.Context(), loft.Key))
	f.add(t, next, entry("n"))
	fails(t, "another room to its first name", f.log.Rename(t.Context(), next.Key, old), chat.ErrRoomTaken)
}

func deleting(t *testing.T, f *fixture[Store]) {
	furnish(t, f, attic)
	f.add(t, lobby, entry("x"))
	told := newRecorder()
	_, stop, err := f.log.Open(t.Context(), attic, told.follower())
	must(t, err)
	must(t, f.log.Delete(t.Context(), attic.Key))
	stop()
	equal(t, "what was told", told.begins, []int64{3})
	fails(t, "again", f.log.Delete(t.Context(), attic.Key), chat.ErrNoRoom)
	must(t, f.log.Close())
	f.log = f.reopen()
	is(t, f.log, attic, "", 2, chat.Lock{}, "")
	is(t, f.log, lobby, "Lobby", 1, chat.Lock{}, "", "x")

	// It can be locked like a new one, and uses no offset again.
	if set, err := f.log.SetLock(t.Context(), attic.Key, chat.Lock{Hash: "h"}); err != nil || !set {
		t.Errorf("locking it anew: %v, %v", set, err)
	}
	again := shared.Name{Text: "ATTIC", Key: attic.Key}
	if r := f.add(t, again, entry("a")); r != (chat.Receipt{Offset: 3}) {
		t.Errorf("its first entry gets %+v", r)
	}
	is(t, f.log, attic, "ATTIC", 3, chat.Lock{Hash: "h"}, "", "a")
	must(t, f.log.Delete(t.Context(), attic.Key))
	if r := f.add(t, attic, entry("a")); r != (chat.Receipt{Offset: 4}) {
		t.Errorf("the first entry of the third gets %+v", r)
	}

	// One that was only locked.
	_, err = f.log.SetLock(t.Context(), cellar.Key, chat.Lock{Hash: "h"})
	must(t, err)
	must(t, f.log.Delete(t.Context(), cellar.Key))
	is(t, f.log, cellar, "", 0, chat.Lock{}, "")
}
