package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

// did are the notices that a viewer shows, and its texts, in their order.
func (v *viewer) did() (rows []string) {
	for _, r := range v.rows {
		switch {
		case r.Kind == session.KindGap:
			rows = append(rows, "-")
		case r.Kind == session.KindNotice:
			rows = append(rows, strings.TrimSpace("*"+r.Notice.Do+" "+r.Notice.About))
		case r.Deleted:
			rows = append(rows, "x")
		default:
			rows = append(rows, r.Text)
		}
	}
	return rows
}

// showsDid waits until the log, loaded to its beginning, reads like this.
func (v *viewer) showsDid(want ...string) {
	v.t.Helper()
	v.until(fmt.Sprintf("%q", want), func() bool {
		if v.more {
			v.room.LoadOlder()
		}
		return slices.Equal(v.did(), want) && v.settled()
	})
}

// hosted is a room of a real server with its host, Ann, and one of its people, Bob.
func hosted(t *testing.T) (ann, bob *viewer, base string) {
	t.Helper()
	t.Parallel()
	s := startServer(t, "--rate", "0")
	ann = enter(t, session.Config{Server: s.base, Room: "Class", User: "Ann", Host: true})
	ann.until("that she hosts", func() bool { return ann.hosting.Host })
	bob = enter(t, session.Config{Server: s.base, Room: "Class", User: "Bob"})
	bob.until("to be in", func() bool { return bob.hosting.Can })
	return ann, bob, s.base
}

// rowOf is the row with a text.
func (v *viewer) rowOf(text string) session.Item {
	v.t.Helper()
	v.take()
	for _, r := range v.rows {
		if r.Text == text {
			return r
		}
	}
	v.t.Fatalf("%s has no row %q:\n%s", v.user, text, v.transcript())
	panic("unreachable")
}

// A host opens a room, sets who writes, and everyone hears of it where it happened: those
// who are there, and those who come later.
func TestHostOpensARoom(t *testing.T) {
	ann, bob, base := hosted(t)
	bob.send("before")
	ann.showsDid("*open", "before")
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown}})
	bob.until("the silence", func() bool {
		return !bob.hosting.MayWrite() && bob.hosting.MayReact() && bob.hosting.Settings.Door == shared.DoorKnown && bob.hosting.SetBy == "Ann"
	})
	if !ann.hosting.MayWrite() {
		t.Error("the host may not write")
	}
	ann.send("after")
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoAll, Door: shared.DoorOpen}})
	bob.until("the end of it", func() bool { return bob.hosting.MayWrite() })
	want := []string{"*open", "before", "*set", "after", "*set"}
	cleo := enter(t, session.Config{Server: base, Room: "Class", User: "Cleo"})
	for _, v := range []*viewer{ann, bob, cleo} {
		v.showsDid(want...)
	}
	late := enter(t, session.Config{Server: base, Room: "Class", User: "Dan", Host: true})
	late.until("to be told", func() bool { return late.hosting.Late && !late.hosting.Host })
	other := enter(t, session.Config{Server: base, Room: "Cl\u0430ss", User: "Dan"}) // with a Cyrillic a
	other.until("to be told of the other room", func() bool { return other.hosting.Like == "Class" })
}

// What hosts did stands between the messages of older history, and survives a restart.
func TestNoticesInHistory(t *testing.T) {
	ann, bob, base := hosted(t)
	want := []string{"*open"}
	for i := range 70 {
		text := fmt.Sprint("m", i)
		bob.send(text)
		want = append(want, text)
		if i%10 == 5 {
			ann.until(text, func() bool { return slices.Contains(ann.texts(), text) })
			ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(0)}})
			want = append(want, "*set")
			ann.until("it", func() bool { return ann.did()[len(ann.rows)-1] == "*set" })
		}
		bob.until(text, func() bool { return slices.Contains(bob.texts(), text) && bob.settled() })
	}
	path := filepath.Join(t.TempDir(), "store")
	config := session.Config{Server: base, Room: "Class", User: "Cleo", Store: keepingStore(t, path)}
	cleo := enter(t, config)
	cleo.showsDid(want...)
	cleo.room.Close()
	if err := config.Store.(*store.Store).Close(); err != nil {
		t.Fatal(err)
	}
	config.Store = keepingStore(t, path)
	config.Server, config.Paused = base, true
	again := enter(t, config)
	again.showsDid(want...)
	again.room.Resume()
	again.connected()
	bob.send("last")
	again.showsDid(append(want, "last")...)
	again.room.Close()
}

// An app that was away while the room was quiet learns it as it comes back: what it wrote
// stands as failed, with whose doing it is, and goes out once when it is retried.
func TestOfflineAcrossQuiet(t *testing.T) {
	ann, bob, base := hosted(t)
	bob.send("hello")
	bob.showsDid("*open", "hello")
	bob.room.Pause()
	bob.until("to be away", func() bool { return bob.status.Cause == session.CausePaused })
	bob.send("too late")
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	ann.showsDid("*open", "hello", "*set")
	bob.room.Resume()
	failed := func() session.Item { return bob.rowOf("too late") }
	bob.until("the refusal", func() bool { return failed().Delivery == session.Failed })
	if i := failed(); i.Code != shared.CodeNotAllowed || !strings.Contains(i.Reason, "Ann") || bob.hosting.MayWrite() {
		t.Errorf("the row is %+v, and Bob may write: %v", i, bob.hosting.MayWrite())
	}
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoAll}})
	bob.until("to be allowed", func() bool { return bob.hosting.MayWrite() })
	bob.room.Retry(failed().ID)
	want := []string{"*open", "hello", "*set", "*set", "too late"}
	bob.showsDid(want...)
	ann.showsDid(want...)
	cleo := enter(t, session.Config{Server: base, Room: "Class", User: "Cleo"})
	cleo.showsDid(want...)
}

// A host silences, removes, deletes and admits; whoever it is about learns it, and the
// list of roles says it.
func TestHostActs(t *testing.T) {
	ann, bob, _ := hosted(t)
	bob.send("one", "two")
	ann.until("them", func() bool { return slices.Contains(ann.texts(), "two") })
	by := ann.rowOf("one").By

	ann.room.Host(session.Act{Do: shared.DoSilence, Row: ann.rowOf("one").ID})
	bob.until("silence", func() bool {
		return bob.hosting.Silenced == "Ann" && !bob.hosting.MayWrite() && !bob.hosting.MayReact()
	})
	ann.room.Host(session.Act{Do: shared.DoUnsilence, Whom: by})
	bob.until("speech", func() bool { return bob.hosting.Silenced == "" })

	ann.room.Delete(ann.rowOf("one").ID)
	bob.until("a deletion", func() bool { return slices.Contains(bob.did(), "x") })
	ann.room.Host(session.Act{Do: shared.DoDeleteAll, Row: ann.rowOf("two").ID})
	bob.showsDid("*open", "x", "x", "*silence Bob", "*unsilence Bob", "*delete_all Bob")

	ann.room.Host(session.Act{Do: shared.DoRemove, User: "Bob"})
	bob.until("the door", func() bool { return bob.status.State == session.Closed })
	if bob.status.Cause != session.CauseRemoved || !strings.Contains(bob.status.Detail, "Ann") {
		t.Errorf("Bob is told %+v", bob.status)
	}
	roles := func() (list []string) {
		ann.roles = nil
		ann.room.Roles()
		ann.until("the roles", func() bool { return ann.roles != nil })
		for _, r := range ann.roles.List {
			list = append(list, r.Do+" "+r.Name)
			if r.Name == "Bob" && r.Whom != by {
				t.Errorf("Bob is %q, not %q", r.Whom, by)
			}
		}
		return list
	}
	if got := roles(); !slices.Equal(got, []string{"remove Bob", "host Ann"}) {
		t.Errorf("the roles are %q", got)
	}
	ann.room.Host(session.Act{Do: shared.DoAdmit, Whom: by})
	ann.until("the notice", func() bool { return slices.Contains(ann.did(), "*admit Bob") })
	bob.room.Reconnect()
	bob.until("to be in", func() bool { return bob.status.State == session.Connected })

	ann.room.Host(session.Act{Do: shared.DoHost, User: "Bob"})
	bob.until("to host", func() bool { return bob.hosting.Host })
	ann.room.Host(session.Act{Do: shared.DoRemove, User: "Bob"})
	ann.until("the refusal", func() bool { return ann.undone != nil })
	if u := ann.undone; u.Did != session.DidHost || u.Do != shared.DoRemove || u.Code != shared.CodeNotAllowed || !strings.Contains(u.Reason, "Bob is a host") {
		t.Errorf("undone is %+v", u)
	}
	ann.room.Host(session.Act{Do: shared.DoUnhost, User: "Bob"})
	bob.until("to host no more", func() bool { return !bob.hosting.Host })
	bob.room.Host(session.Act{Do: shared.DoPin, Row: ""})
	bob.until("the refusal", func() bool { return bob.undone != nil && bob.undone.Code == shared.CodeNotAllowed })
}

// What is pinned shows to all, follows edits, and goes with its message; one who comes
// later and has only the newest messages asks for it.
func TestPinned(t *testing.T) {
	ann, bob, base := hosted(t)
	pinned := func(v *viewer) string {
		if v.hosting.Pin == nil {
			return ""
		}
		return v.hosting.Pin.Text
	}
	shows := func(v *viewer, want string) {
		t.Helper()
		v.until("pinned: "+want, func() bool { return pinned(v) == want })
	}
	bob.send("the plan")
	ann.until("it", func() bool { return slices.Contains(ann.texts(), "the plan") })
	ann.room.Host(session.Act{Do: shared.DoPin, Row: ann.rowOf("the plan").ID})
	shows(ann, "the plan")
	shows(bob, "the plan")
	for i := range 60 {
		bob.send(fmt.Sprint(i))
	}
	bob.until("them", func() bool { return slices.Contains(bob.texts(), "59") && bob.settled() })
	cleo := enter(t, session.Config{Server: base, Room: "Class", User: "Cleo"})
	shows(cleo, "the plan")
	if slices.Contains(cleo.texts(), "the plan") {
		t.Fatal("everything is loaded")
	}
	if err := bob.room.Edit(bob.rowOf("the plan").ID, "the new plan"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*viewer{ann, bob, cleo} {
		shows(v, "the new plan")
	}
	bob.room.Delete(bob.rowOf("the new plan").ID)
	for _, v := range []*viewer{ann, bob, cleo} {
		shows(v, "")
		v.until("none", func() bool { return v.hosting.Pinned == 0 })
	}
}

// The key of a link makes a host of who is in the room, and is not kept; a wrong one is
// said to be wrong, and the room goes on without it.
func TestOperatorsKey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	key := operatorsKey(t, s.Data)
	first := enter(t, session.Config{Server: s.base, Room: "Lobby", User: "Bob"})
	first.connected()
	path := filepath.Join(t.TempDir(), "store")
	config := session.Config{Server: s.base, Room: "Lobby", User: "Ann", Store: keepingStore(t, path), HostKey: strings.Repeat("A", 26)}
	ann := enter(t, config)
	ann.cause(session.CauseHostKey)
	if ann.status.State != session.Closed {
		t.Errorf("after a wrong key: %+v", ann.status)
	}
	ann.room.Reconnect()
	ann.until("to be in without it", func() bool { return ann.status.State == session.Connected && ann.hosting.Can })
	ann.room.Claim(key)
	ann.until("to host", func() bool { return ann.hosting.Host })
	ann.room.Close()
	if kept := readAll(t, path); strings.Contains(kept, key) {
		t.Error("the key is in the store")
	}
	config.HostKey = ""
	again := enter(t, config)
	again.until("to host still", func() bool { return again.hosting.Host })
	again.room.Close()
}

// In slow mode the next message waits, and says until when; what is no message overtakes
// it. It goes out as soon as slow mode lets it.
func TestSlowModeWaits(t *testing.T) {
	ann, bob, base := hosted(t)
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(shared.MaxSlow)}})
	bob.until("slow mode", func() bool { return *bob.hosting.Settings.Slow == shared.MaxSlow })
	if !bob.hosting.Next.IsZero() {
		t.Errorf("before a message the next waits until %v", bob.hosting.Next)
	}
	bob.send("one")
	bob.until("it, and the wait", func() bool { return bob.settled() && time.Until(bob.hosting.Next) > 50*time.Minute })
	if wait := time.Until(bob.hosting.Next); wait > shared.MaxSlow*time.Second {
		t.Errorf("the next one waits for %v", wait)
	}
	bob.send("two")
	bob.room.React(bob.rowOf("one").ID, shared.Emojis[0])
	if err := bob.room.Edit(bob.rowOf("one").ID, "1"); err != nil {
		t.Fatal(err)
	}
	ann.until("the edit and the reaction", func() bool {
		return slices.Contains(ann.texts(), "1") && len(ann.rowOf("1").Reactions) == 1
	})
	if slices.Contains(ann.texts(), "two") || bob.rowOf("two").Delivery != session.Pending {
		t.Error("the next message did not wait")
	}
	ann.send("hosts do not wait", "at all")
	ann.until("them", func() bool {
		return slices.Contains(ann.texts(), "at all") && ann.settled() && ann.hosting.Next.IsZero()
	})

	// Whoever comes back asks the server, which says how long.
	bob.room.Close()
	config := session.Config{Server: base, Room: "Class", User: "Cleo", Store: keepingStore(t, filepath.Join(t.TempDir(), "store"))}
	cleo := enter(t, config)
	cleo.send("a")
	cleo.until("it", func() bool { return cleo.settled() && !cleo.hosting.Next.IsZero() })
	cleo.room.Close()
	cleo = enter(t, config)
	cleo.send("b")
	cleo.until("the wait", func() bool { return time.Until(cleo.hosting.Next) > 50*time.Minute && !cleo.settled() })
	ann.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(1)}})
	cleo.until("it to go out", cleo.settled)
	ann.until("it", func() bool { return slices.Contains(ann.texts(), "b") })
	cleo.room.Close()
}

// An act waits over a restart of an app that is offline, and goes out once.
func TestActWaits(t *testing.T) {
	ann, bob, base := hosted(t)
	path := filepath.Join(t.TempDir(), "store")
	bob.send("hello")
	ann.until("it", func() bool { return slices.Contains(ann.texts(), "hello") })
	config := session.Config{Server: base, Room: "Class", User: "Cleo", Store: keepingStore(t, path)}
	cleo := enter(t, config)
	cleo.showsDid("*open", "hello")
	ann.room.Host(session.Act{Do: shared.DoHost, User: "Cleo"})
	cleo.until("to host", func() bool { return cleo.hosting.Host })
	cleo.room.Pause()
	cleo.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	cleo.room.Host(session.Act{Do: shared.DoSilence, Row: cleo.rowOf("hello").ID})
	cleo.until("it to show", func() bool { return cleo.hosting.Settings.Write == shared.WhoHosts })
	cleo.room.Close()
	if err := config.Store.(*store.Store).Close(); err != nil {
		t.Fatal(err)
	}
	config.Store = keepingStore(t, path)
	cleo = enter(t, config)
	want := []string{"*open", "hello", "*host Cleo", "*set", "*silence Bob"}
	cleo.showsDid(want...)
	bob.showsDid(want...)
	cleo.room.Close()
}

// operatorsKey is the key that a server has made in its folder.
func operatorsKey(t *testing.T, data string) string {
	t.Helper()
	return strings.TrimSpace(readAll(t, filepath.Join(data, "host.key")))
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// keepingStore opens a store that is closed at the end, after the rooms that are entered
// later.
func keepingStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s := openStore(t, path)
	t.Cleanup(func() { _ = s.Close() }) // it may be closed already
	return s
}

// welcomedToHost is welcomed by a server that knows hosts, and has this client as one.
func (s *oddServer) welcomedToHost(head int64, resumed bool) (p *peer, hello shared.Message) {
	s.t.Helper()
	p, hello = s.next()
	p.send(shared.Message{
		Type: shared.TypeWelcome, Room: "Room", User: hello.User, By: "us", Epoch: "e", Offset: head, Resumed: resumed,
		Members: []string{hello.User}, Count: 1, Limits: shared.Limits{Message: 4096, Rate: 1000, Burst: 100, Resume: 100},
		Can: []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanHost}, Host: true, Settings: new(shared.OpenSettings()),
	})
	return p, hello
}

// What is done to a message and about its author goes out both, in order; and a notice
// that the welcome knew of changes nothing any more.
func TestActAndDeletion(t *testing.T) {
	t.Parallel()
	s := startOddServer(t)
	key := strings.Repeat("A", 26)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Host: true, HostKey: key})
	p, hello := s.welcomedToHost(1, false)
	if !slices.Contains(hello.Can, shared.CanHost) || !hello.Host || hello.HostKey != key {
		t.Errorf("the app says %+v", hello)
	}
	p.send(entryBy("them", 1, "1", "Bob", "boo"))
	v.until("the message", func() bool { return len(v.rows) == 1 && v.hosting.Host })
	p.expect(shared.TypeNotices)
	p.send(shared.Message{Type: shared.TypeNotices}, shared.Message{Type: shared.TypeTyping, User: "Bob"})
	v.until("that it was taken", func() bool { return len(v.typing) == 1 })
	v.room.Pause()
	p.gone()
	v.room.Host(session.Act{Do: shared.DoRemove, Row: "1"})
	v.room.Delete("1")
	v.room.Resume()
	p, hello = s.welcomedToHost(3, true)
	if hello.Host || hello.HostKey != "" {
		t.Errorf("once it is host, the app says %+v", hello)
	}
	p.send(shared.Message{Type: shared.TypeNotice, ID: "n", Offset: 3, Did: shared.DoSet, By: "them", User: "Bob",
		Settings: &shared.Settings{Write: shared.WhoHosts}, Time: entry(3, "", "", "").Time})
	act := p.expect(shared.TypeHost)
	if act.Do != shared.DoRemove || act.Target != 1 || act.Of != "1" {
		t.Errorf("the act is %+v", act)
	}
	p.send(shared.Message{Type: shared.TypeNotice, ID: act.ID, Offset: 4, Did: shared.DoRemove, By: "us", User: "Ann", About: "Bob", Whom: "them", Time: entry(4, "", "", "").Time})
	if m := p.expect(shared.TypeDelete); m.Target != 1 {
		t.Errorf("the deletion is %+v", m)
	}
	v.until("the notices", func() bool { return slices.Equal(v.did(), []string{"x", "*set", "*remove Bob"}) })
	if v.hosting.Settings.Write != shared.WhoAll {
		t.Error("a notice that the welcome knew of changes the rules")
	}
}
