package chat_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

func name(t *testing.T, text string) shared.Name {
	t.Helper()
	n, err := shared.RoomName(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kept is what the log has of a room.
func (s *server) kept(room string) (texts []string) {
	s.t.Helper()
	entries, err := s.log.Read(s.t.Context(), room, 0, shared.MaxOffset, chat.Most{Entries: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		texts = append(texts, e.Text)
	}
	return texts
}

// listed is the list of rooms, as /api/rooms has it.
func (s *server) listed() (names []string) {
	s.t.Helper()
	rooms, err := s.hub.AllRooms(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rooms {
		names = append(names, fmt.Sprint(r.Name, " ", r.Count, " ", r.Locked))
	}
	return names
}

// Everyone in a room that is deleted is told, nothing of it is left, and none of what
// is on its way comes into the room that follows.
func TestDeleteRoom(t *testing.T) {
	s := start(t)
	ann, before := s.join("Attic", hello("Ann", newDevice()))
	tom := s.tutorial("attic/Tom")
	ann.say("1", "a secret")
	ann.next(shared.TypeChat)
	var talking sync.WaitGroup
	said := make(chan bool, 1)
	talking.Go(func() {
		for i := range 1000 {
			if ann.write(1, shared.Encode(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("more", i), Text: "more"})) != nil {
				return
			}
			if i == 20 {
				said <- true
			}
		}
	})
	<-said
	if err := s.hub.Delete(t.Context(), name(t, "ATTIC")); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]*client{"Ann": ann, "Tom": tom} {
		closed := c.closed()
		wantClose(t, who, int(closed.Code), closed.Reason, shared.CloseRemoved, "deleted")
	}
	talking.Wait()
	head := s.head("attic")
	if got := s.kept("attic"); len(got) > 0 || head == 0 {
		t.Errorf("of %d, kept are %q", head, got)
	}
	if got := s.listed(); len(got) > 0 {
		t.Errorf("listed are %q", got)
	}
	bob, welcome := s.join("attic", withKey("Ann", passphrase)) // a new room, with her name free
	if welcome.Offset != head || welcome.User != "Ann" || welcome.Epoch != before.Epoch {
		t.Errorf("Bob is welcomed with %+v", welcome)
	}
	bob.say("1", "hello")
	if m := bob.next(shared.TypeChat); m.Offset != head+1 {
		t.Errorf("the first message of the new room is %+v", m)
	}
	if err := s.hub.Delete(t.Context(), name(t, "nowhere")); !errors.Is(err, chat.ErrNoRoom) {
		t.Errorf("a room that is not there: %v", err)
	}
	_, _ = s.join("silent", hello("Ann", newDevice()))
	if err := s.hub.Delete(t.Context(), name(t, "silent")); err != nil {
		t.Errorf("a room in which nothing was said: %v", err)
	}
}

func (s *server) head(room string) int64 {
	s.t.Helper()
	state, stop, err := s.log.Open(s.t.Context(), name(s.t, room), chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
	if err != nil {
		s.t.Fatal(err)
	}
	stop()
	return state.Head
}

// Those in a room that gets another name are told which, and find everything there.
func TestRenameRoom(t *testing.T) {
	s := start(t)
	device := newDevice()
	ann, _ := s.join("Attic", hello("Ann", device))
	ann.say("1", "words")
	own := ann.next(shared.TypeChat)
	bob, _ := s.join("Cellar", hello("Bob", newDevice()))
	if err := s.hub.Rename(t.Context(), name(t, "attic"), name(t, "cellar")); !errors.Is(err, chat.ErrRoomTaken) {
		t.Errorf("to a room that somebody is in: %v", err)
	}
	if err := s.hub.Rename(t.Context(), name(t, "attic"), name(t, "Lab")); err != nil {
		t.Fatal(err)
	}
	closed := ann.closed()
	wantClose(t, "Ann", int(closed.Code), closed.Reason, shared.CloseRemoved, `now called "Lab"`)
	s.until("Ann has left", func() bool { return strings.Join(s.listed(), ",") == "Cellar 1 false,Lab 0 false" })
	again, welcome := s.join("lab", hello("Ann", device))
	if m := again.next(shared.TypeChat); welcome.Room != "Lab" || m.Text != "words" || m.By != welcome.By || m.By == own.By {
		t.Errorf("in the room Lab, %+v is welcomed with %+v", m, welcome)
	}
	if err := s.hub.Rename(t.Context(), name(t, "lab"), name(t, "LAB")); err != nil {
		t.Fatal(err)
	}
	closed = again.closed()
	wantClose(t, "Ann, of another spelling", int(closed.Code), closed.Reason, shared.CloseRestart, `now called "LAB"`)
	if _, welcome := s.join("lab", hello("Ann", device)); welcome.Room != "LAB" {
		t.Errorf("she is welcomed with %+v", welcome)
	}
	bob.say("1", "still here")
	bob.next(shared.TypeChat)
}

// waiting returns how many goroutines wait in a function of the hub, for its lock or
// for the end of a retirement.
func waiting(function string) (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for one := range strings.SplitSeq(string(stacks), "\n\n") {
		state, calls, _ := strings.Cut(one, "\n")
		if (strings.Contains(state, "[sync.Mutex.Lock") || strings.Contains(state, "[chan receive")) &&
			strings.Contains(calls, "chat.(*Hub)."+function+"(") {
			n++
		}
	}
	return n
}

// entering is a registry that calls during before it gives a room another name.
type entering struct {
	chat.Registry
	during func(from, to string)
}

func (r entering) Rename(ctx context.Context, room string, to shared.Name) error {
	r.during(room, to.Key)
	return r.Registry.Rename(ctx, room, to)
}

// Whoever comes for a name at the moment in which a room gets it finds that room, or has
// the name for a room of their own if they were first.
func TestEnterAsARoomIsRenamed(t *testing.T) {
	for first, second := range map[string]string{"Rename": "enter", "enter": "Rename"} {
		t.Run(first+" first", func(t *testing.T) {
			renamed, entered := make(chan error, 1), make(chan func(), 1)
			var s *server
			s = start(t, func(cfg *chat.Config) {
				cfg.Registry = entering{cfg.Registry, func(string, string) {
					s.until("they wait, or are in", func() bool { return len(entered)+waiting("enter") == 1 })
				}}
			})
			attic, lab := name(t, "attic"), name(t, "lab")
			s.said("attic", hello("Ann", newDevice()), "words")
			s.until("Ann has left", func() bool { rooms, _ := s.hub.Places(); return rooms == 0 })
			begin := map[string]func(){
				"Rename": func() { renamed <- s.hub.Rename(t.Context(), attic, lab) },
				"enter":  func() { entered <- s.hub.Enter(lab) },
			}
			inOrder, release := s.hub.Hold()
			for _, what := range []string{first, second} {
				go begin[what]()
				s.until(what+" waits", func() bool { return waiting(what) == 1 })
			}
			inOrder()
			release()
			err, leave := <-renamed, <-entered
			defer leave()
			in := lab
			if first == "enter" {
				in = attic
				if !errors.Is(err, chat.ErrRoomTaken) {
					t.Errorf("it is renamed: %v", err)
				}
			} else if err != nil {
				t.Errorf("it is not renamed: %v", err)
			}
			bob, welcome := s.join(in.Text, hello("Bob", newDevice()))
			if head := s.head(in.Text); welcome.Offset != head {
				t.Errorf("the room is at %d, its log at %d", welcome.Offset, head)
			}
			bob.say("2", "found it")
			equal(t, "Bob finds", bob.texts(2), "words", "found it")
		})
	}
}

// Whoever comes while the log gives a room another name waits, and then finds the room
// under the new name, and a new one under the old.
func TestEnterWhileARoomIsRenamed(t *testing.T) {
	var s *server
	entered := make(chan func(), 2)
	s = start(t, func(cfg *chat.Config) {
		cfg.Registry = entering{cfg.Registry, func(from, to string) {
			for _, room := range []string{from, to} {
				go func() { entered <- s.hub.Enter(name(t, room)) }()
			}
			s.until("both wait, or are in", func() bool { return len(entered)+waiting("enter") == 2 })
		}}
	})
	s.said("attic", hello("Ann", newDevice()), "words")
	if err := s.hub.Rename(t.Context(), name(t, "attic"), name(t, "lab")); err != nil {
		t.Errorf("it is not renamed: %v", err)
	}
	for range 2 {
		defer (<-entered)()
	}
	for room, want := range map[string][]string{"lab": {"words", "found it"}, "attic": {"found it"}} {
		bob, welcome := s.join(room, hello("Bob", newDevice()))
		if head := s.head(room); welcome.Offset != head {
			t.Errorf("the %s is at %d, its log at %d", room, welcome.Offset, head)
		}
		bob.say("2", "found it")
		equal(t, "in the "+room+", Bob finds", bob.texts(len(want)), want...)
	}
}

// Those in a room that can't be renamed or deleted hear no farewell: they come back
// at once, and find everything.
func TestManageFails(t *testing.T) {
	s := start(t)
	s.said("Cellar", hello("Bob", newDevice()), "quiet")
	s.until("nobody is in the cellar", func() bool { return strings.Join(s.listed(), ",") == "Cellar 0 false" })
	device := newDevice()
	for i, c := range []struct {
		what, room string
		change     func() error
		want       error
	}{
		{"onto a quiet room", "attic", func() error { return s.hub.Rename(t.Context(), name(t, "attic"), name(t, "cellar")) }, chat.ErrRoomTaken},
		{"in which nothing was said", "silent", func() error { return s.hub.Rename(t.Context(), name(t, "silent"), name(t, "lab")) }, chat.ErrNoRoom},
		{"while the log can't be written", "attic", func() error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return s.hub.Delete(ctx, name(t, "attic"))
		}, chat.ErrUnavailable},
	} {
		ann, _ := s.join(c.room, hello("Ann", device))
		if c.room != "silent" {
			id := fmt.Sprint("words", i) // the room has the others' when she comes again
			ann.say(id, "words")
			for ann.next(shared.TypeChat).ID != id {
			}
		}
		if err := c.change(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
		closed := ann.closed()
		wantClose(t, c.what, int(closed.Code), closed.Reason, shared.CloseRestart, "stays as it was")
		again, _ := s.join(c.room, hello("Ann", device))
		if c.room != "silent" {
			equal(t, c.what+", she finds", again.texts(1), "words")
		}
		id := fmt.Sprint("more", i)
		again.say(id, "more "+c.what)
		for again.next(shared.TypeChat).ID != id {
		}
		again.leave()
	}
}

// Those in a room that is unlocked are told before they say anything else; then the
// room is like any other.
func TestUnlockRoom(t *testing.T) {
	s := start(t)
	h := withKey("Ann", passphrase)
	h.Hidden = true
	ann, _ := s.join("Attic", h)
	ann.say("1", "words")
	ann.next(shared.TypeChat)
	if err := s.hub.Unlock(t.Context(), name(t, "attic")); err != nil {
		t.Fatal(err)
	}
	closed := ann.closed()
	wantClose(t, "Ann", int(closed.Code), closed.Reason, shared.CloseOpenRoom, "opened this room to everyone")
	eve, _ := s.join("attic", hello("Eve", newDevice()))
	equal(t, "Eve reads", eve.texts(1), "words")
	s.until("it is listed", func() bool { return strings.Join(s.listed(), ",") == "Attic 1 false" })
	code, reason := s.refused("attic", withKey("Bob", passphrase))
	wantClose(t, "with the old passphrase", code, reason, shared.CloseOpenRoom, "open to everyone")
	if err := s.hub.Unlock(t.Context(), name(t, "attic")); !errors.Is(err, chat.ErrNotLocked) {
		t.Errorf("again: %v", err)
	}
}

// A lock that nobody has said anything behind lapses after a day; others stay.
func TestLockLapses(t *testing.T) {
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c))
	for _, room := range []string{"silent", "used"} {
		ann, _ := s.join(room, withKey("Ann", passphrase))
		if room == "used" {
			ann.say("1", "words")
			ann.next(shared.TypeChat)
		}
		c.add(24*time.Hour - time.Millisecond)
		code, reason := s.refused(room, hello("Eve", newDevice()))
		wantClose(t, "in time", code, reason, shared.CloseWrongKey, "has a passphrase")
		ann.leave()
		s.until("everyone has left", func() bool { return s.metric("parley_rooms") == "0" })
		c.add(time.Millisecond)
		if room == "silent" {
			eve, _ := s.join(room, hello("Eve", newDevice()))
			eve.leave()
			continue
		}
		code, reason = s.refused(room, hello("Eve", newDevice()))
		wantClose(t, "behind which something was said", code, reason, shared.CloseWrongKey, "has a passphrase")
	}
}

// speaking is a registry in whose log something is said just before a lock lapses.
type speaking struct {
	chat.Registry
	log chat.Log
}

func (r speaking) Unlock(ctx context.Context, room string) error {
	said := make(chan error, 1)
	r.log.Append(ctx, shared.Name{Text: room, Key: room}, chat.Entry{ID: "1", Device: "d", User: "Tom", Text: "just now"},
		func(_ chat.Receipt, err error) { said <- err })
	return errors.Join(<-said, r.Registry.Unlock(ctx, room))
}

// Whoever opens a room whose lock lapses does not hold up the log, which may tell the
// room of a message at the same time.
func TestLockLapsesWhileTold(t *testing.T) {
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c), func(cfg *chat.Config) { cfg.Registry = speaking{cfg.Registry, cfg.Log} })
	ann, _ := s.join("silent", withKey("Ann", passphrase))
	ann.leave()
	s.until("she has left", func() bool { return s.metric("parley_rooms") == "0" })
	c.add(24 * time.Hour)
	eve, _ := s.join("silent", hello("Eve", newDevice()))
	equal(t, "Eve reads", eve.texts(1), "just now")
}

// Rooms that the host reserves are listed before anyone has come, and nobody locks
// them.
func TestReservedRooms(t *testing.T) {
	s := start(t, func(cfg *chat.Config) { cfg.Rooms = []shared.Name{name(t, "Lobby"), name(t, "Class 4b")} })
	if got := strings.Join(s.listed(), ","); got != "Lobby 0 false,Class 4b 0 false" {
		t.Errorf("listed are %s", got)
	}
	code, reason := s.refused("class 4B", withKey("Eve", passphrase))
	wantClose(t, "with a passphrase", code, reason, shared.CloseOpenRoom, "open to everyone")
	s.until("she has left", func() bool { return s.metric("parley_rooms") == "0" }) // and her spelling
	ann, _ := s.join("Class 4b", hello("Ann", newDevice()))
	ann.say("1", "words")
	ann.next(shared.TypeChat)
	if got := strings.Join(s.listed(), ","); got != "Class 4b 1 false,Lobby 0 false" {
		t.Errorf("listed are %s", got)
	}
}
