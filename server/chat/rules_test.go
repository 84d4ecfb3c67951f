package chat_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

var ruleTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// classroom has the hosts ann and hal, sid who is silenced, and rem who is removed.
func classroom(set ...shared.Settings) *chat.Rules {
	stamp := chat.Stamp{By: "Ann", At: ruleTime}
	r := &chat.Rules{
		Used:   true,
		Hosts:  map[string]chat.Host{"ann": {Name: "Ann", Offset: 1, Since: ruleTime}, "hal": {Name: "Hal", Offset: 2, Since: ruleTime}},
		Barred: map[string]chat.Bar{"sid": {Name: "Sid", Silenced: stamp, Offset: 3}, "rem": {Name: "Rem", Removed: stamp, Offset: 4}},
		Pinned: 7,
	}
	for _, s := range set {
		r.Settings, r.SetBy = r.Settings.With(s), "Ann"
	}
	return r
}

// says is why something is refused: its code and its sentence; "" if it is not.
func says(t *testing.T, err error) string {
	t.Helper()
	var refusal *chat.Refusal
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &refusal) || !errors.Is(err, chat.ErrRefused) || !strings.HasSuffix(refusal.Reason, "."):
		t.Errorf("%v is no refusal with a sentence", err)
		return ""
	}
	return string(refusal.Code) + ": " + refusal.Reason
}

// told reports whether a refusal is the one that is wanted: "" stands for none.
func told(got, want string) bool { return (got == "") == (want == "") && strings.Contains(got, want) }

func TestMay(t *testing.T) {
	whats := []chat.What{chat.ToEnter, chat.ToWrite, chat.ToEdit, chat.ToDelete, chat.ToReact, chat.ToUpload, chat.ToHost}
	const (
		yes      = ""
		removed  = "not_allowed: Ann has removed you"
		silenced = "not_allowed: Ann has silenced you"
		noHost   = "not_allowed: Only a host"
		quiet    = "not_allowed: Ann has set that only hosts write"
		noFiles  = "not_allowed: Ann has set that nobody sends files"
		hostsOf  = "not_allowed: Ann has set that only hosts send files"
		known    = "not_allowed: Ann lets in only those who"
		closed   = "not_allowed: Ann has closed this room"
		beside   = "not_allowed: Somebody was removed from this room. For 10 minutes"
		slow     = "rate_limited: Ann lets everyone write once in 30 s"
	)
	bob, ann := chat.Who{Device: "bob"}, chat.Who{Device: "ann"}
	api, sid, rem := chat.Who{Device: chat.APIDevice}, chat.Who{Device: "sid", Known: true}, chat.Who{Device: "rem", Known: true, Here: true}
	at := func(w chat.Who, change func(*chat.Who)) chat.Who { change(&w); return w }
	bobKnown := at(bob, func(w *chat.Who) { w.Known = true })
	bobHere := at(bob, func(w *chat.Who) { w.Here = true })
	bobBeside := at(bob, func(w *chat.Who) { w.Beside = true })
	bobSpoke := at(bob, func(w *chat.Who) { w.Spoke = ruleTime.Add(-29 * time.Second) })
	bobLong := at(bob, func(w *chat.Who) { w.Spoke = ruleTime.Add(-30 * time.Second) })
	for _, row := range []struct {
		what string
		set  shared.Settings
		who  chat.Who
		want [7]string // in the order of whats
	}{
		{"a member", shared.Settings{}, bob, [7]string{6: noHost}},
		{"a host", shared.Settings{}, ann, [7]string{}},
		{"the tutorial's", shared.Settings{}, chat.Who{}, [7]string{6: noHost}},
		{"the API", shared.Settings{}, api, [7]string{6: noHost}},
		{"who is silenced", shared.Settings{}, sid, [7]string{yes, silenced, silenced, yes, silenced, silenced, noHost}},
		{"who is removed", shared.Settings{}, rem, [7]string{removed, removed, removed, removed, removed, removed, removed}},

		{"hosts write, a member", shared.Settings{Write: shared.WhoHosts}, bob, [7]string{yes, quiet, quiet, yes, yes, quiet, noHost}},
		{"hosts write, the tutorial's", shared.Settings{Write: shared.WhoHosts}, chat.Who{}, [7]string{yes, quiet, quiet, yes, yes, quiet, noHost}},
		{"hosts write, a host", shared.Settings{Write: shared.WhoHosts}, ann, [7]string{}},
		{"hosts write, the API", shared.Settings{Write: shared.WhoHosts}, api, [7]string{6: noHost}},
		{"hosts send files, the API", shared.Settings{Files: shared.WhoHosts}, api, [7]string{6: noHost}},
		{"no files, the API", shared.Settings{Files: shared.WhoNone}, api, [7]string{5: noFiles, 6: noHost}},
		{"hosts write, who is silenced", shared.Settings{Write: shared.WhoHosts}, sid, [7]string{yes, silenced, silenced, yes, silenced, silenced, noHost}},

		{"hosts send files, a member", shared.Settings{Files: shared.WhoHosts}, bob, [7]string{5: hostsOf, 6: noHost}},
		{"hosts send files, a host", shared.Settings{Files: shared.WhoHosts}, ann, [7]string{}},
		{"no files, a member", shared.Settings{Files: shared.WhoNone}, bob, [7]string{5: noFiles, 6: noHost}},
		{"no files, a host", shared.Settings{Files: shared.WhoNone}, ann, [7]string{5: noFiles}},

		{"known come in, a stranger", shared.Settings{Door: shared.DoorKnown}, bob, [7]string{0: known, 6: noHost}},
		{"known come in, the tutorial's", shared.Settings{Door: shared.DoorKnown}, chat.Who{}, [7]string{0: known, 6: noHost}},
		{"known come in, one", shared.Settings{Door: shared.DoorKnown}, bobKnown, [7]string{6: noHost}},
		{"known come in, who is here", shared.Settings{Door: shared.DoorKnown}, bobHere, [7]string{6: noHost}},
		{"known come in, a host", shared.Settings{Door: shared.DoorKnown}, ann, [7]string{}},
		{"known come in, who is removed", shared.Settings{Door: shared.DoorKnown}, rem, [7]string{removed, removed, removed, removed, removed, removed, removed}},
		{"closed, who is known", shared.Settings{Door: shared.DoorClosed}, bobKnown, [7]string{0: closed, 6: noHost}},
		{"closed, who is here", shared.Settings{Door: shared.DoorClosed}, bobHere, [7]string{6: noHost}},
		{"closed, a host", shared.Settings{Door: shared.DoorClosed}, ann, [7]string{}},
		{"closed, the API", shared.Settings{Door: shared.DoorClosed}, api, [7]string{0: closed, 6: noHost}},

		{"beside one who was removed", shared.Settings{}, bobBeside, [7]string{0: beside, 6: noHost}},
		{"beside, but known", shared.Settings{}, at(bobBeside, func(w *chat.Who) { w.Known = true }), [7]string{6: noHost}},
		{"beside, a host", shared.Settings{}, at(ann, func(w *chat.Who) { w.Beside = true }), [7]string{}},

		{"slow, the first", shared.Settings{Slow: new(30)}, bob, [7]string{6: noHost}},
		{"slow, the next", shared.Settings{Slow: new(30)}, bobSpoke, [7]string{1: slow, 6: noHost}},
		{"slow, in time", shared.Settings{Slow: new(30)}, bobLong, [7]string{6: noHost}},
		{"slow, a host", shared.Settings{Slow: new(30)}, at(ann, func(w *chat.Who) { w.Spoke = ruleTime }), [7]string{}},
		{"slow, the API", shared.Settings{Slow: new(30)}, at(api, func(w *chat.Who) { w.Spoke = ruleTime }), [7]string{6: noHost}},
		{"not slow", shared.Settings{Slow: new(0)}, at(bob, func(w *chat.Who) { w.Spoke = ruleTime }), [7]string{6: noHost}},
	} {
		r := classroom(row.set)
		if row.set == (shared.Settings{}) {
			r = classroom()
		}
		for i, what := range whats {
			if got := says(t, r.May(row.who, what, ruleTime)); !told(got, row.want[i]) {
				t.Errorf("%s, %d: %q, want %q", row.what, what, got, row.want[i])
			}
		}
	}

	err := classroom(shared.Settings{Slow: new(30)}).May(bobSpoke, chat.ToWrite, ruleTime)
	var refusal *chat.Refusal
	if !errors.As(err, &refusal) || refusal.Retry != time.Second {
		t.Errorf("who is to wait for a second is told %+v", refusal)
	}
	// The clock of a message that came in was wrong.
	err = classroom(shared.Settings{Slow: new(30)}).May(chat.Who{Device: "bob", Spoke: ruleTime.Add(time.Hour)}, chat.ToWrite, ruleTime)
	if !errors.As(err, &refusal) || refusal.Retry != 30*time.Second {
		t.Errorf("who wrote in the future is told %+v", refusal)
	}
}

// Whoever does what to whom: each act by each role, about each role.
func TestCarry(t *testing.T) {
	const (
		yes     = ""
		noHost  = "not_allowed: Only a host"
		removed = "not_allowed: Ann has removed you"
		oneself = "not_allowed: You can't do that to yourself"
		onHost  = "not_allowed: User of hal is a host of this room. You can only"
		onAPI   = "not_allowed: This was not written by somebody"
		nobody  = "not_found: There is nobody"
	)
	about := []string{"ann", "hal", "bob", "sid", "rem", chat.APIDevice, ""}
	type row [7]string // in the order of about
	for do, want := range map[string]row{
		shared.DoRemove:    {oneself, onHost, yes, yes, yes, onAPI, nobody},
		shared.DoSilence:   {oneself, onHost, yes, yes, yes, onAPI, nobody},
		shared.DoDeleteAll: {oneself, onHost, yes, yes, yes, onAPI, nobody},
		shared.DoAdmit:     {oneself, onHost, "not_found: User of bob was not removed", "not_found: User of sid was not removed", yes, onAPI, nobody},
		shared.DoUnsilence: {oneself, onHost, "not_found: User of bob was not silenced", yes, "not_found: User of rem was not silenced", onAPI, nobody},
		shared.DoHost:      {oneself, onHost, yes, "not_allowed: User of sid was removed or silenced", "not_allowed: User of rem was removed or silenced", onAPI, nobody},
		shared.DoUnhost:    {yes, yes, "not_found: User of bob is no host", "not_found: User of sid is no host", "not_found: User of rem is no host", onAPI, nobody},
		"dance":            {oneself, onHost, "bad_frame", "bad_frame", "bad_frame", onAPI, nobody},
	} {
		for i, whom := range about {
			carry := func(by string, operator bool) string {
				t.Helper()
				r := classroom()
				before := fmt.Sprintf("%+v", *r)
				got := says(t, r.Carry(notice(by, do, whom, operator)))
				if after := fmt.Sprintf("%+v", *r); got != "" && after != before {
					t.Errorf("%s of %q by %s is refused (%s) and carried out: %s", do, whom, by, got, after)
				}
				return got
			}
			if got := carry("ann", false); !told(got, want[i]) {
				t.Errorf("%s of %q: %q, want %q", do, whom, got, want[i])
			}
			for by, want := range map[string]string{"bob": noHost, "sid": noHost, "rem": removed, "": noHost, chat.APIDevice: noHost, chat.OperatorDevice: noHost} {
				if got := carry(by, false); !told(got, want) {
					t.Errorf("%s of %q by %q: %q, want %q", do, whom, by, got, want)
				}
			}
			operated := want[i]
			switch {
			case operated == oneself:
				operated = "not_allowed: User of ann is a host of this room"
			case do == shared.DoHost && (whom == "sid" || whom == "rem"):
				operated = yes
			}
			if got := carry(chat.OperatorDevice, true); !told(got, operated) {
				t.Errorf("%s of %q by the operator: %q, want %q", do, whom, got, operated)
			}
		}
	}
}

// notice is what by does about another device.
func notice(by, do, whom string, operator bool) chat.Entry {
	return chat.Entry{Kind: chat.KindNotice, Device: by, User: "User of " + by, Offset: 9, Time: ruleTime,
		Extra: &chat.Extra{Act: &chat.Act{Do: do, Device: whom, About: "User of " + whom, Operator: operator}}}
}

// What acts leave behind.
func TestCarried(t *testing.T) {
	now := chat.Stamp{By: "User of ann", At: ruleTime}
	before := chat.Stamp{By: "Ann", At: ruleTime}
	set := notice("ann", shared.DoSet, "", false)
	set.Extra.Act.Settings = &shared.Settings{Door: shared.DoorKnown}
	unset := notice("ann", shared.DoSet, "", false)
	pin, unpin := notice("ann", shared.DoPin, "", false), notice("ann", shared.DoPin, "", false)
	pin.Target = 5
	for _, row := range []struct {
		what  string
		entry chat.Entry
		want  func(*chat.Rules)
	}{
		{"remove", notice("ann", shared.DoRemove, "bob", false), func(r *chat.Rules) { r.Barred["bob"] = chat.Bar{Name: "User of bob", Removed: now, Offset: 9} }},
		{"remove who is silenced", notice("ann", shared.DoRemove, "sid", false), func(r *chat.Rules) {
			r.Barred["sid"] = chat.Bar{Name: "User of sid", Removed: now, Silenced: before, Offset: 9}
		}},
		{"silence", notice("ann", shared.DoSilence, "bob", false), func(r *chat.Rules) { r.Barred["bob"] = chat.Bar{Name: "User of bob", Silenced: now, Offset: 9} }},
		{"admit", notice("ann", shared.DoAdmit, "rem", false), func(r *chat.Rules) { delete(r.Barred, "rem") }},
		{"unsilence", notice("ann", shared.DoUnsilence, "sid", false), func(r *chat.Rules) { delete(r.Barred, "sid") }},
		{"host", notice("ann", shared.DoHost, "bob", false), func(r *chat.Rules) { r.Hosts["bob"] = chat.Host{Name: "User of bob", Offset: 9, Since: ruleTime} }},
		{"unhost", notice("ann", shared.DoUnhost, "hal", false), func(r *chat.Rules) { delete(r.Hosts, "hal") }},
		{"unhost oneself", notice("ann", shared.DoUnhost, "ann", false), func(r *chat.Rules) { delete(r.Hosts, "ann") }},
		{"the operator opens", notice("bob", shared.DoOpen, "", true), func(r *chat.Rules) { r.Hosts["bob"] = chat.Host{Name: "User of bob", Offset: 9, Since: ruleTime} }},
		{"the operator, removed before", notice("rem", shared.DoOpen, "", true), func(r *chat.Rules) {
			delete(r.Barred, "rem")
			r.Hosts["rem"] = chat.Host{Name: "User of rem", Offset: 9, Since: ruleTime}
		}},
		{"delete all", notice("ann", shared.DoDeleteAll, "bob", false), func(*chat.Rules) {}},
		{"set", set, func(r *chat.Rules) { r.Settings, r.SetBy = shared.Settings{Door: shared.DoorKnown}, "User of ann" }},
		{"pin", pin, func(r *chat.Rules) { r.Pinned = 5 }},
		{"unpin", unpin, func(r *chat.Rules) { r.Pinned = 0 }},
		{"delete what is pinned", chat.Entry{Kind: chat.KindDelete, Device: "bob", Target: 7}, func(r *chat.Rules) { r.Pinned = 0 }},
		{"delete many", chat.Entry{Kind: chat.KindDelete, Device: "ann", Target: 5, Extra: &chat.Extra{Targets: []int64{5, 7}}}, func(r *chat.Rules) { r.Pinned = 0 }},
		{"delete another", chat.Entry{Kind: chat.KindDelete, Device: "bob", Target: 6}, func(*chat.Rules) {}},
		{"say", chat.Entry{Device: "bob"}, func(*chat.Rules) {}},
	} {
		got, want := classroom(), classroom()
		kept := got.Clone()
		row.want(want)
		if err := got.Carry(row.entry); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%+v\nand not\n%+v", row.what, err, got, want)
		}
		if !reflect.DeepEqual(&kept, classroom()) {
			t.Errorf("%s: a copy was changed", row.what)
		}
	}
	for what, e := range map[string]chat.Entry{
		"no settings": unset, "no act": {Kind: chat.KindNotice, Device: "ann"},
		"open what is open": notice("bob", shared.DoOpen, "", false), "open it as a host": notice("ann", shared.DoOpen, "", true),
		"write": {Device: "sid"}, "edit": {Kind: chat.KindEdit, Device: "sid"}, "react": {Kind: chat.KindReact, Device: "sid"}, "delete": {Kind: chat.KindDelete, Device: "rem", Target: 7},
	} {
		r := classroom()
		if got := says(t, r.Carry(e)); got == "" || !reflect.DeepEqual(r, classroom()) {
			t.Errorf("%s: %q, %+v", what, got, r)
		}
	}

	// A room begins with whoever opens it, or with anything else.
	var fresh chat.Rules
	if err := fresh.Carry(notice("ann", shared.DoOpen, "", false)); err != nil || len(fresh.Hosts) != 1 || !fresh.Used {
		t.Errorf("%v, %+v", err, fresh)
	}
	if got := says(t, fresh.Carry(notice("ann", shared.DoUnhost, "ann", false))); !strings.Contains(got, "last host") {
		t.Errorf("the last host: %q", got)
	}
	if err := fresh.Carry(notice(chat.OperatorDevice, shared.DoUnhost, "ann", true)); err != nil || len(fresh.Hosts) != 0 {
		t.Errorf("the last host, by the operator: %v, %+v", err, fresh)
	}
	silence := notice("ann", shared.DoSilence, "bob", true)
	silence.User = ""
	if err := fresh.Carry(silence); err != nil || !strings.Contains(says(t, fresh.Carry(chat.Entry{Device: "bob"})), "The server's operator has silenced you") {
		t.Errorf("%v, %+v", err, fresh)
	}
	var used chat.Rules
	if err := used.Carry(chat.Entry{Device: "bob"}); err != nil || says(t, used.Carry(notice("ann", shared.DoOpen, "", false))) == "" {
		t.Errorf("%v, %+v", err, used)
	}
}

func TestRulesAreBounded(t *testing.T) {
	r := classroom()
	for i := range chat.MaxHosts {
		err := r.Carry(notice("ann", shared.DoHost, fmt.Sprint("host ", i), false))
		if over := i >= chat.MaxHosts-2; (says(t, err) != "") != over {
			t.Errorf("host %d: %v", i, err)
		}
	}
	if got := says(t, r.Carry(notice("bob", shared.DoOpen, "", true))); !strings.Contains(got, "at most 20") {
		t.Errorf("the operator: %q", got)
	}
	for i := range chat.MaxBarred {
		e := notice("ann", shared.DoSilence, fmt.Sprint("device ", i), false)
		e.Offset = int64(10 + i)
		if err := r.Carry(e); err != nil {
			t.Error(err)
		}
		if i == 5 { // something was done about it, so it stays longer
			e = notice("ann", shared.DoRemove, "sid", false)
			e.Offset = 5000
			if err := r.Carry(e); err != nil {
				t.Error(err)
			}
		}
	}
	_, sid := r.Barred["sid"]
	_, rem := r.Barred["rem"]
	_, first := r.Barred["device 0"]
	_, second := r.Barred["device 1"]
	if len(r.Barred) != chat.MaxBarred || !sid || rem || first || !second {
		t.Errorf("%d are barred: sid %v, rem %v, the first %v, the second %v", len(r.Barred), sid, rem, first, second)
	}
}

func TestNamed(t *testing.T) {
	r := classroom()
	r.Barred["eve"] = chat.Bar{Name: "REM", Removed: chat.Stamp{By: "Ann", At: ruleTime}, Offset: 8}
	for _, row := range []struct{ do, key, want string }{
		{shared.DoUnhost, "hal", "hal"}, {shared.DoUnhost, "sid", ""}, {shared.DoAdmit, "rem", "eve"}, {shared.DoAdmit, "sid", ""},
		{shared.DoUnsilence, "sid", "sid"}, {shared.DoUnsilence, "rem", ""}, {shared.DoRemove, "rem", ""}, {shared.DoAdmit, "hal", ""},
	} {
		if got := r.Named(row.do, row.key); got != row.want {
			t.Errorf("%s %s: %q", row.do, row.key, got)
		}
	}
	r.Begin(7)
	if r.Pinned != 7 {
		t.Error("what is pinned is gone")
	}
	if r.Begin(8); r.Pinned != 0 {
		t.Error("what is gone is pinned")
	}
}

// A notice says whom it is about without the device.
func TestNotice(t *testing.T) {
	e := notice("ann", shared.DoRemove, "00112233445566778899aabbccddeeff", false)
	e.Room, e.ID, e.User, e.Extra.Act.About = "lobby", "n1", "Ann", "Bob"
	got := string(shared.Encode(chat.Notice(e, "4zb7qkq2mr5xa")))
	want := `{"type":"notice","id":"n1","offset":9,"did":"remove","by":"4zb7qkq2mr5xa","user":"Ann","about":"Bob","whom":"` +
		shared.By("lobby", e.Extra.Act.Device) + `","time":"2026-03-01T12:00:00.000Z"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e = notice("ann", shared.DoPin, "", false)
	e.Target = 5
	if m := chat.Notice(e, ""); m.Pinned != 5 || m.Whom != "" {
		t.Errorf("got %+v", m)
	}
}
