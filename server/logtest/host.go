package logtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

// act is a notice of what device does about another one.
func act(id, device, do, about string) chat.Entry {
	e := entry(id)
	e.Kind, e.Device, e.User, e.Text = chat.KindNotice, device, "User of "+device, ""
	e.Own().Act = &chat.Act{Do: do}
	if about != "" {
		e.Extra.Act.Device, e.Extra.Act.About = about, "User of "+about
	}
	return e
}

// says is a message of a device.
func says(id, device string) chat.Entry {
	e := entry(id)
	e.Device, e.User = device, "User of "+device
	return e
}

// setting is a notice of what device sets.
func setting(id, device string, s shared.Settings) chat.Entry {
	e := act(id, device, shared.DoSet, "")
	e.Extra.Act.Settings = &s
	return e
}

// to makes an act one about the message at an offset.
func to(e chat.Entry, target int64, of string) chat.Entry {
	e.Target, e.Own().Of = target, of
	return e
}

// ruled tells all that rules say, with the times that a log keeps.
func ruled(r chat.Rules) string {
	var b strings.Builder
	settings, _ := json.Marshal(r.Settings)
	fmt.Fprintf(&b, "%v %s %q %d", r.Used, settings, r.SetBy, r.Pinned)
	for _, device := range slices.Sorted(keys(r.Hosts)) {
		h := r.Hosts[device]
		fmt.Fprintf(&b, "\nhost %s %q %d %d", device, h.Name, h.Offset, h.Since.UnixMilli())
	}
	for _, device := range slices.Sorted(keys(r.Barred)) {
		v := r.Barred[device]
		fmt.Fprintf(&b, "\nbarred %s %q %d", device, v.Name, v.Offset)
		for _, s := range []chat.Stamp{v.Removed, v.Silenced} {
			fmt.Fprintf(&b, " %v by %q", s.At.UTC(), s.By)
		}
	}
	return b.String()
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// rules returns those of the lobby. They are the same after the log was closed.
func (f *fixture[L]) rules(t *testing.T) chat.Rules {
	t.Helper()
	var all []chat.Rules
	for range 2 {
		s, stop, err := f.log.Open(t.Context(), lobby, nobody)
		must(t, err)
		stop()
		all = append(all, s.Rules)
		must(t, f.log.Close())
		f.log = f.reopen()
	}
	if ruled(all[0]) != ruled(all[1]) {
		t.Errorf("the rules were\n%s\nand are\n%s", ruled(all[0]), ruled(all[1]))
	}
	return all[0]
}

// hosts makes some, and unmakes them.
func hosts(t *testing.T, f *fixture[chat.Log]) {
	if got := ruled(f.rules(t)); got != ruled(chat.Rules{}) {
		t.Errorf("a room that nobody was in has the rules %s", got)
	}
	f.refused(t, "before there is a host", act("a", "ann", shared.DoHost, "bob"), shared.CodeNotAllowed)
	open := act("open", "ann", shared.DoOpen, "")
	if r := f.add(t, lobby, open); r.Offset != 1 {
		t.Errorf("the room begins with %+v", r)
	}
	if r := f.add(t, lobby, open); r.Offset != 1 || !r.Duplicate {
		t.Errorf("it was opened again: %+v", r)
	}
	f.add(t, lobby, says("b", "bob"))
	f.refused(t, "opening what is open", act("c", "bob", shared.DoOpen, ""), shared.CodeNotAllowed)
	f.refused(t, "no such message", to(act("d", "ann", shared.DoHost, ""), 3, "b"), shared.CodeNotFound)
	f.refused(t, "a message of another id", to(act("d", "ann", shared.DoHost, ""), 2, "a"), shared.CodeNotFound)
	// It is about the message's author, whatever the act says.
	f.add(t, lobby, to(act("e", "ann", shared.DoHost, "eve"), 2, "b"))
	f.add(t, lobby, setting("f", "bob", shared.Settings{Door: shared.DoorKnown}))
	f.add(t, lobby, setting("g", "bob", shared.Settings{Slow: new(30)}))
	rules := f.rules(t)
	if rules.Hosts["bob"].Name != "User of bob" || rules.Hosts["bob"].Offset != 3 || len(rules.Hosts) != 2 {
		t.Errorf("the hosts are %+v", rules.Hosts)
	}
	if want := (shared.Settings{Door: shared.DoorKnown, Slow: new(30)}); !reflect.DeepEqual(rules.Settings, want) || rules.SetBy != "User of bob" {
		t.Errorf("set is %+v by %s", rules.Settings, rules.SetBy)
	}
	operator := act("h", chat.OperatorDevice, shared.DoUnhost, "ann")
	f.refused(t, "without the operator's key", operator, shared.CodeNotAllowed)
	operator.Extra.Act.Operator = true
	f.add(t, lobby, operator)
	f.refused(t, "the last host", act("i", "bob", shared.DoUnhost, "bob"), shared.CodeNotAllowed)
	operator = act("j", "eve", shared.DoOpen, "")
	operator.Extra.Act.Operator = true
	f.add(t, lobby, operator)
	f.add(t, lobby, act("k", "bob", shared.DoUnhost, "bob"))
	if rules := f.rules(t); len(rules.Hosts) != 1 || rules.Hosts["eve"].Name != "User of eve" {
		t.Errorf("the hosts are %+v", rules.Hosts)
	}
}

// barred keeps people out of the log, in the order of its entries.
func barred(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, act("1", "ann", shared.DoOpen, ""))
	f.add(t, lobby, says("2", "bob"))
	f.add(t, lobby, says("3", "eve"))
	quiet := shared.Settings{Write: shared.WhoHosts}
	// All that is on its way together: what came before the act is there, and nothing after it.
	var codes []shared.ErrorCode
	batch := []chat.Entry{says("4", "bob"), to(act("5", "ann", shared.DoSilence, ""), 2, "2"), says("6", "bob"), says("7", "eve"),
		setting("8", "ann", quiet), says("9", "eve"), says("7", "eve"), says("4", "bob"), says("10", "ann"), says("11", "api")}
	done := make(chan struct{})
	for i, e := range batch {
		f.log.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) {
			codes = append(codes, codeOf(t, err))
			if i == len(batch)-1 {
				close(done)
			}
		})
	}
	<-done
	const no = shared.CodeNotAllowed
	equal(t, "the answers", codes, []shared.ErrorCode{"", "", no, "", "", no, "", "", "", ""})
	f.refused(t, "an edit", func() chat.Entry { e := edit("12", 3, "3", "x"); e.Device = "eve"; return e }(), no)
	f.refused(t, "an act of another", act("13", "eve", shared.DoUnsilence, "bob"), no)
	f.add(t, lobby, react("14", "eve", 2, "2", "👍"))
	f.refused(t, "a reaction", react("15", "bob", 3, "3", "👍"), no)
	f.add(t, lobby, act("16", "ann", shared.DoRemove, "eve"))
	f.refused(t, "a reaction of one who was removed", react("17", "eve", 2, "2", ""), no)
	f.add(t, lobby, setting("18", "ann", shared.OpenSettings()))
	rules := f.rules(t)
	bob, eve := rules.Barred["bob"], rules.Barred["eve"]
	if len(rules.Barred) != 2 || bob.Silenced.By != "User of ann" || !bob.Silenced.At.Equal(entry("").Time) || bob.Removed != (chat.Stamp{}) ||
		eve.Removed.By != "User of ann" || eve.Silenced != (chat.Stamp{}) || bob.Name != "User of bob" {
		t.Errorf("barred are %+v", rules.Barred)
	}
	f.refused(t, "one who was removed", says("19", "eve"), no)
	f.refused(t, "one who was silenced", says("20", "bob"), no)
	f.add(t, lobby, act("21", "ann", shared.DoUnsilence, "bob"))
	f.add(t, lobby, act("22", "ann", shared.DoAdmit, "eve"))
	f.refused(t, "one who was let in before", act("23", "ann", shared.DoAdmit, "eve"), shared.CodeNotFound)
	f.add(t, lobby, says("20", "bob"))
	f.add(t, lobby, says("19", "eve"))
	if rules := f.rules(t); len(rules.Barred) != 0 {
		t.Errorf("barred are %+v", rules.Barred)
	}

	for i := range chat.MaxBarred + 1 {
		f.log.Append(t.Context(), lobby, act(fmt.Sprint("many ", i), "ann", shared.DoRemove, fmt.Sprintf("device %04d", i)), func(_ chat.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	f.add(t, lobby, act("many", "ann", shared.DoRemove, fmt.Sprintf("device %04d", chat.MaxBarred+1)))
	if rules := f.rules(t); len(rules.Barred) != chat.MaxBarred || rules.Barred["device 0001"] != (chat.Bar{}) || rules.Barred["device 0002"] == (chat.Bar{}) {
		t.Errorf("%d are barred", len(rules.Barred))
	}
}

// hostsDelete deletes what others wrote: one message, and all that a device wrote.
func hostsDelete(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, act("open", "ann", shared.DoOpen, ""))
	told := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, told.follower())
	must(t, err)
	defer stop()
	for i := range 250 {
		f.log.Append(t.Context(), lobby, says(fmt.Sprint("bob ", i), "bob"), func(chat.Receipt, error) {})
	}
	f.add(t, lobby, says("eve", "eve"))
	late := remove("a", 2, "bob 0")
	late.Device, late.Own().Since = "ann", entry("").Time.AddDate(1, 0, 0)
	f.add(t, lobby, late)
	other := edit("b", 3, "bob 1", "x")
	other.Device = "ann"
	f.refused(t, "an edit by a host", other, shared.CodeNotAllowed)
	f.refused(t, "who is no host", to(act("c", "eve", shared.DoDeleteAll, ""), 3, "bob 1"), shared.CodeNotAllowed)
	f.refused(t, "after its message is gone", to(act("c", "ann", shared.DoDeleteAll, ""), 2, "bob 0"), shared.CodeNotFound)
	all := to(act("d", "ann", shared.DoDeleteAll, ""), 3, "bob 1")
	before := f.head(t)
	if r := f.add(t, lobby, all); r.Offset != before+1 || r.Duplicate {
		t.Errorf("all are deleted by %+v", r)
	}
	if r := f.add(t, lobby, all); r.Offset != before+1 || !r.Duplicate {
		t.Errorf("and once more: %+v", r)
	}
	entries, err := f.log.Read(t.Context(), lobby.Key, before, shared.MaxOffset, chat.Most{Entries: 100})
	must(t, err)
	var gone []int64
	for i, e := range entries {
		if i == 0 && (e.Kind != chat.KindNotice || e.Extra.Act.Device != "bob" || e.Extra.Act.About != "User of bob") ||
			i > 0 && (e.Kind != chat.KindDelete || e.Device != "ann" || e.User != "User of ann" || e.Target != e.Gone()[0] || len(e.ID) > shared.MaxID) {
			t.Errorf("entry %d is %+v", i, e)
		}
		if i > 0 {
			gone = append(gone, e.Gone()...)
		}
	}
	if len(entries) != 4 || len(gone) != 249 || !slices.IsSorted(gone) || gone[0] != 3 || gone[248] != 251 {
		t.Errorf("%d entries, which delete %v", len(entries), gone)
	}
	equal(t, "what was handed on", lines(told.wait(int(before-1) + 4)[before-1:]), lines(entries))
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 1000})
	must(t, err)
	for _, e := range history {
		if e.Deleted != (e.Device == "bob") || e.Deleted && (e.Text != "" || e.Changed == 0) {
			t.Errorf("there is %s", line(e))
		}
	}
	changed, err := f.log.Changes(t.Context(), lobby.Key, before, shared.MaxOffset, chat.Most{Entries: 120}, 0)
	if err != nil || !changed.More || len(changed.Messages) != 200 { // what one entry has changed is in one answer
		t.Errorf("%d were changed, %v, %v", len(changed.Messages), changed.More, err)
	}
	held, err := f.log.Held(t.Context(), lobby.Key)
	must(t, err)
	for _, e := range entries {
		held["ann"] -= e.Size()
	}
	if want := act("open", "ann", shared.DoOpen, "").Size() + late.Size(); held["ann"] != want {
		t.Errorf("the host holds %d bytes more than its entries take", held["ann"]-want)
	}
}

// hostsDeleteAmid deletes all that a device wrote while more of it is on its way, and
// some of it is deleted.
func hostsDeleteAmid(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, act("open", "ann", shared.DoOpen, ""))
	nothing := func(chat.Receipt, error) {}
	for i := range int64(40) {
		f.log.Append(t.Context(), lobby, says(fmt.Sprint("a", i), "bob"), nothing)
		f.log.Append(t.Context(), lobby, says(fmt.Sprint("b", i), "eve"), nothing)
		if i%10 == 9 {
			e := remove(fmt.Sprint("c", i), 2, "a0")
			e.Device = "bob"
			f.log.Append(t.Context(), lobby, e, nothing)
			f.log.Append(t.Context(), lobby, act(fmt.Sprint("d", i), "ann", shared.DoDeleteAll, "bob"), nothing)
		}
	}
	f.add(t, lobby, says("last", "bob"))
	entries, err := f.log.Read(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
	must(t, err)
	times := make(map[int64]int)
	notices := 0
	for _, e := range entries {
		switch {
		case e.Kind == chat.KindNotice:
			notices++
		case e.Kind == chat.KindDelete:
			for _, target := range e.Gone() {
				times[target]++
			}
		case e.Kind == chat.KindMessage && e.Deleted != (e.Device == "bob" && e.ID != "last"):
			t.Errorf("there is %s", line(e))
		}
	}
	if notices != 5 || len(times) != 40 {
		t.Errorf("%d notices, and %d messages deleted", notices, len(times))
	}
	for target, n := range times {
		if n != 1 {
			t.Errorf("%d was deleted %d times", target, n)
		}
	}
	var sum int64
	held, err := f.log.Held(t.Context(), lobby.Key)
	must(t, err)
	for _, e := range entries {
		sum += e.Size()
	}
	if got := held["ann"] + held["bob"] + held["eve"]; got != sum {
		t.Errorf("the room holds %d bytes, its entries %d", got, sum)
	}
}

// head is the offset of the lobby's newest entry.
func (f *fixture[L]) head(t *testing.T) int64 {
	t.Helper()
	s, stop, err := f.log.Open(t.Context(), lobby, nobody)
	must(t, err)
	stop()
	return s.Head
}

// pinned pins messages, which go.
func pinned(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, act("open", "ann", shared.DoOpen, ""))
	for _, id := range []string{"2", "3", "4", "5"} {
		f.add(t, lobby, says(id, "bob"))
	}
	check := func(what string, want int64) {
		t.Helper()
		if got := f.rules(t).Pinned; got != want {
			t.Errorf("%s: pinned is %d, not %d", what, got, want)
		}
	}
	f.refused(t, "no such message", to(act("a", "ann", shared.DoPin, ""), 9, "9"), shared.CodeNotFound)
	f.add(t, lobby, to(act("a", "ann", shared.DoPin, ""), 2, "2"))
	check("a message", 2)
	f.add(t, lobby, to(act("b", "ann", shared.DoPin, ""), 3, "3"))
	check("another one", 3)
	f.add(t, lobby, act("c", "ann", shared.DoPin, ""))
	check("none", 0)
	f.add(t, lobby, to(act("d", "ann", shared.DoPin, ""), 4, "4"))
	own := remove("e", 4, "4")
	own.Device = "bob"
	f.add(t, lobby, own)
	check("one that its author has deleted", 0)
	f.add(t, lobby, to(act("f", "ann", shared.DoPin, ""), 5, "5"))
	f.add(t, lobby, to(act("g", "ann", shared.DoDeleteAll, ""), 5, "5"))
	check("one that a host has deleted", 0)
}

// notices are read apart from the rest.
func notices(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, act("1", "ann", shared.DoOpen, ""))
	f.add(t, lobby, says("2", "bob"))
	f.add(t, lobby, to(act("3", "ann", shared.DoSilence, ""), 2, "2"))
	f.add(t, lobby, says("4", "ann"))
	f.add(t, lobby, setting("5", "ann", shared.Settings{Files: shared.WhoNone}))
	f.add(t, attic, act("1", "ann", shared.DoOpen, ""))
	want := []string{`1 does 0 "" {"do":"open"}`, `3 does 2 "" {"do":"silence","device":"bob","about":"User of bob"}`, `5 does 0 "" {"do":"set","settings":{"files":"none"}}`}
	for _, page := range []struct {
		before int64
		most   int
		want   []string
	}{{0, 9, want}, {0, 2, want[1:]}, {3, 9, want[:1]}, {4, 1, want[1:2]}, {1, 9, nil}, {shared.MaxOffset, 9, want}} {
		got, err := f.log.Notices(t.Context(), lobby.Key, page.before, chat.Most{Entries: page.most})
		must(t, err)
		equal(t, fmt.Sprint("before ", page.before), lines(got), page.want)
	}
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 9})
	must(t, err)
	equal(t, "the history", ids(history), []string{"2", "4"})
	equal(t, "what is read", f.all(t), []string{want[0], `2 says "text of 2"`, want[1], `4 says "text of 4"`, want[2]})
}

func hostKey(t *testing.T, f *fixture[Store]) {
	for i, want := range [][]byte{nil, {1, 2, 3}, {4}} {
		if want != nil {
			must(t, f.log.SetHostKey(t.Context(), want))
		}
		for range 2 {
			if got, err := f.log.HostKey(t.Context()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("key %d is %v, %v", i, got, err)
			}
			must(t, f.log.Close())
			f.log = f.reopen()
		}
	}
}

// movingRules renames a room, and deletes it.
func movingRules(t *testing.T, f *fixture[Store]) {
	f.add(t, lobby, act("1", "ann", shared.DoOpen, ""))
	f.add(t, lobby, act("2", "ann", shared.DoRemove, "bob"))
	f.add(t, lobby, setting("3", "ann", shared.Settings{Door: shared.DoorKnown}))
	rules := f.rules(t)
	of := func(room shared.Name) string {
		s, stop, err := f.log.Open(t.Context(), room, nobody)
		must(t, err)
		stop()
		return ruled(s.Rules)
	}
	must(t, f.log.Rename(t.Context(), lobby.Key, attic))
	if got := of(attic); got != ruled(rules) {
		t.Errorf("the renamed room has the rules %s", got)
	}
	if got := of(lobby); got != ruled(chat.Rules{}) {
		t.Errorf("the old name has the rules %s", got)
	}
	must(t, f.log.Delete(t.Context(), attic.Key))
	f.add(t, attic, act("4", "eve", shared.DoOpen, ""))
	want := chat.Rules{Used: true, Hosts: map[string]chat.Host{"eve": {Name: "User of eve", Offset: 4, Since: entry("").Time}}}
	if got := of(attic); got != ruled(want) {
		t.Errorf("a room after it has the rules %s", got)
	}
}
