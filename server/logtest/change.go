package logtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// attempt appends an entry and waits for what becomes of it: the receipt, or why it
// was refused.
func (f *fixture[L]) attempt(t *testing.T, room shared.Name, e chat.Entry) (chat.Receipt, shared.ErrorCode) {
	t.Helper()
	r, err := f.attemptError(t, room, e)
	return r, codeOf(t, err)
}

// codeOf is why an entry was refused; empty if it was not.
func codeOf(t testing.TB, err error) shared.ErrorCode {
	t.Helper()
	var refusal *chat.Refusal
	if errors.As(err, &refusal) && errors.Is(err, chat.ErrRefused) && !errors.Is(err, chat.ErrUnavailable) {
		return refusal.Code
	}
	if err != nil {
		t.Error(err)
	}
	return ""
}

// refused makes sure that an entry is refused and leaves no trace.
func (f *fixture[L]) refused(t *testing.T, what string, e chat.Entry, want shared.ErrorCode) {
	t.Helper()
	before := f.all(t)
	if r, code := f.attempt(t, lobby, e); code != want || r.Offset != 0 || r.Duplicate {
		t.Errorf("%s: %+v, %q", what, r, code)
	}
	if after := f.all(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%s: the log was changed: %v", what, after)
	}
}

// all tells what can be read in the lobby, one line for each entry.
func (f *fixture[L]) all(t *testing.T) (lines []string) {
	t.Helper()
	entries, err := f.log.Read(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
	must(t, err)
	for _, e := range entries {
		lines = append(lines, line(e))
	}
	return lines
}

// line tells what is to be seen of an entry.
func line(e chat.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", e.Offset, []string{"says", "edits", "deletes", "reacts to", "does"}[e.Kind])
	if e.Kind != chat.KindMessage {
		fmt.Fprint(&b, " ", e.Target)
	}
	fmt.Fprintf(&b, " %q", e.Text+e.Extras().Emoji)
	if e.Extras().Targets != nil {
		fmt.Fprint(&b, " of ", e.Extras().Targets)
	}
	if e.Extras().Act != nil {
		fmt.Fprint(&b, " ", e.Packed())
	}
	if e.Reply != 0 {
		fmt.Fprintf(&b, " to %d", e.Reply)
	}
	if e.Extras().Quote != nil {
		fmt.Fprintf(&b, " %s: %q", e.Extras().Quote.User, e.Extras().Quote.Text)
	}
	if e.Edited {
		b.WriteString(" edited")
	}
	if e.Deleted {
		b.WriteString(" deleted")
	}
	if e.Changed != 0 {
		fmt.Fprint(&b, " at ", e.Changed)
	}
	for _, r := range e.Extras().Reactions {
		fmt.Fprint(&b, " ", r.Device, r.Emoji)
	}
	if f := e.Extras().File; f != nil {
		fmt.Fprintf(&b, " with %s %q %s %d %dx%d", f.ID, f.Name, f.Type, f.Size, f.Width, f.Height)
		if f.Thumb {
			b.WriteString(" thumb")
		}
		if f.Gone {
			b.WriteString(" gone")
		}
	}
	return b.String()
}

func lines(entries []chat.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, line(e))
	}
	return all
}

func edit(id string, target int64, of, text string) chat.Entry {
	e := entry(id)
	e.Kind, e.Target, e.Text, e.Extra = chat.KindEdit, target, text, &chat.Extra{Of: of}
	return e
}

func remove(id string, target int64, of string) chat.Entry {
	e := entry(id)
	e.Kind, e.Target, e.Text, e.Extra = chat.KindDelete, target, "", &chat.Extra{Of: of}
	return e
}

func react(id, device string, target int64, of, emoji string) chat.Entry {
	e := entry(id)
	e.Device, e.User = device, "User of "+device
	e.Kind, e.Target, e.Text, e.Extra = chat.KindReact, target, "", &chat.Extra{Of: of, Emoji: emoji}
	return e
}

func reply(id string, to int64, of string) chat.Entry {
	e := entry(id)
	e.Reply, e.Extra = to, &chat.Extra{Of: of}
	return e
}

// changes carries out every kind of change. Followers and readers are told the same.
func changes(t *testing.T, f *fixture[chat.Log]) {
	told := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, told.follower())
	must(t, err)
	defer func() { stop() }()
	for i, e := range []chat.Entry{
		entry("a"), entry("b"), reply("c", 1, "a"),
		edit("d", 1, "a", "better"),
		react("e", "x", 1, "a", "👍"), react("f", "y", 1, "a", "🎉"), react("g", "x", 1, "a", "😂"), react("h", "y", 1, "a", ""),
		remove("i", 2, "b"),
		reply("j", 2, "b"),
	} {
		want := chat.Receipt{Offset: int64(i + 1), Reactions: map[string]int{"f": 1, "g": 2, "h": 2}[e.ID]}
		if r := f.add(t, lobby, e); r != want {
			t.Errorf("%s has the receipt %+v", e.ID, r)
		}
	}
	equal(t, "what was told", lines(told.wait(10)), []string{
		`1 says "text of a"`, `2 says "text of b"`, `3 says "text of c" to 1 Ann: "text of a"`,
		`4 edits 1 "better"`, `5 reacts to 1 "👍" x👍`, `6 reacts to 1 "🎉" x👍 y🎉`, `7 reacts to 1 "😂" y🎉 x😂`, `8 reacts to 1 "" x😂`,
		`9 deletes 2 ""`, `10 says "text of j"`,
	})
	want := []string{
		`1 says "better" edited at 8 x😂`, `2 says "" deleted at 9`, `3 says "text of c" to 1 Ann: "better"`,
		`4 edits 1 "better"`, `5 reacts to 1 "👍" x😂`, `6 reacts to 1 "🎉" x😂`, `7 reacts to 1 "😂" x😂`, `8 reacts to 1 "" x😂`,
		`9 deletes 2 ""`, `10 says "text of j"`,
	}
	check := func() {
		t.Helper()
		equal(t, "what is read", f.all(t), want)
		history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 3})
		must(t, err)
		equal(t, "the last three messages", lines(history), []string{want[1], want[2], want[9]})
	}
	check()
	stop()
	must(t, f.log.Close())
	f.log = f.reopen()
	check()

	// A deleted message takes its edits and quotes with it; one that was deleted is no
	// target any more.
	f.add(t, lobby, remove("k", 1, "a"))
	want[0], want[2] = `1 says "" deleted at 11`, `3 says "text of c" to 1`
	for i := 4; i < 8; i++ {
		want[i] = strings.TrimSuffix(want[i], " x😂")
	}
	want = append(slices.Delete(want, 3, 4), `11 deletes 1 ""`)
	equal(t, "what is read after a delete", f.all(t), want)
}

// refusals are told with a code, and leave no trace.
func refusals(t *testing.T, f *fixture[chat.Log]) {
	f.refused(t, "in a room without entries", edit("e1", 1, "a", "x"), shared.CodeNotFound)
	if s, stop, err := f.log.Open(t.Context(), lobby, nobody); err != nil || s.Name != "" || s.Head != 0 {
		t.Errorf("a refused entry has made a room: %+v, %v", s, err)
	} else {
		stop()
	}
	f.add(t, lobby, entry("a")) // 1
	f.add(t, lobby, entry("b"))
	f.add(t, lobby, edit("e", 2, "b", "better")) // 3
	f.add(t, lobby, entry("gone"))               // 4
	f.add(t, lobby, remove("d", 4, "gone"))      // 5
	other := func(e chat.Entry) chat.Entry { e.Device = "another"; return e }
	since := func(e chat.Entry, d time.Duration) chat.Entry { e.Own().Since = entry("").Time.Add(d); return e }
	for what, c := range map[string]struct {
		e    chat.Entry
		code shared.ErrorCode
	}{
		"no target":                       {edit("n", 0, "a", "x"), shared.CodeNotFound},
		"a target before the first":       {edit("n", -1, "a", "x"), shared.CodeNotFound},
		"a target to come":                {remove("n", 6, "n"), shared.CodeNotFound},
		"a target far away":               {remove("n", shared.MaxAsked, "a"), shared.CodeNotFound},
		"another id":                      {edit("n", 1, "b", "x"), shared.CodeNotFound},
		"no id":                           {edit("n", 1, "", "x"), shared.CodeNotFound},
		"a change as the target":          {react("n", "x", 3, "e", "👍"), shared.CodeNotFound},
		"a deleted target, edit":          {edit("n", 4, "gone", "x"), shared.CodeNotFound},
		"a deleted target, delete":        {remove("n", 4, "gone"), shared.CodeNotFound},
		"a deleted target, reaction":      {react("n", "x", 4, "gone", "👍"), shared.CodeNotFound},
		"another device, edit":            {other(edit("n", 1, "a", "x")), shared.CodeNotAllowed},
		"another device, delete":          {other(remove("n", 1, "a")), shared.CodeNotAllowed},
		"another device, deleted already": {other(remove("n", 4, "gone")), shared.CodeNotFound},
		"too old, edit":                   {since(edit("n", 1, "a", "x"), time.Millisecond), shared.CodeNotAllowed},
		"too old, delete":                 {since(remove("n", 1, "a"), time.Millisecond), shared.CodeNotAllowed},
	} {
		f.refused(t, what, c.e, c.code)
	}
	if r, code := f.attempt(t, lobby, since(edit("just in time", 1, "a", "x"), 0)); r.Offset != 6 || code != "" {
		t.Errorf("an edit of what is just not too old: %+v, %q", r, code)
	}
	for i := range int64(3) { // a reply to what is not there is kept
		to, of := []int64{4, 3, 1}[i], []string{"gone", "e", "b"}[i]
		if r, code := f.attempt(t, lobby, reply(fmt.Sprint("r", i), to, of)); r.Offset != 7+i || code != "" {
			t.Errorf("a reply to what is not there: %+v, %q", r, code)
		}
	}
	equal(t, "the replies", f.all(t)[6:], []string{`7 says "text of r0"`, `8 says "text of r1"`, `9 says "text of r2"`})
}

// repeats of a change are known, whatever became of its message.
func repeats(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, entry("a"))
	all := []chat.Entry{edit("e", 1, "a", "better"), react("r", "x", 1, "a", "👍"), reply("y", 1, "a"), remove("d", 1, "a")}
	for _, e := range all {
		f.add(t, lobby, e)
	}
	want := f.all(t)
	for i, e := range all {
		e.Text, e.Own().Emoji = "something else", "🎉"
		if r, code := f.attempt(t, lobby, e); r != (chat.Receipt{Offset: int64(i + 2), Duplicate: true}) || code != "" {
			t.Errorf("%s again: %+v, %q", e.ID, r, code)
		}
	}
	equal(t, "what is read afterwards", f.all(t), want)
}

// inOneBatch sends much at once, of which some is refused and some repeated: what
// becomes of one entry does not depend on the others.
func inOneBatch(t *testing.T, f *fixture[chat.Log]) {
	const n = 200
	told := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, told.follower())
	must(t, err)
	defer stop()
	type answer struct {
		r    chat.Receipt
		code shared.ErrorCode
	}
	got := make(chan answer, 5*n)
	var want []answer
	send := func(e chat.Entry, a answer) {
		f.log.Append(t.Context(), lobby, e, func(r chat.Receipt, err error) { got <- answer{r, codeOf(t, err)} })
		want = append(want, a)
	}
	head := int64(0)
	kept := func() answer { head++; return answer{r: chat.Receipt{Offset: head}} }
	for i := range n {
		id := fmt.Sprint(i)
		send(entry(id), kept())
		message := head
		send(edit("e"+id, message, id, "edited "+id), kept())
		send(edit("x"+id, message, "another", "x"), answer{code: shared.CodeNotFound})
		if i%2 == 0 {
			send(entry(id), answer{r: chat.Receipt{Offset: message, Duplicate: true}})
		}
		if i%10 == 0 {
			send(remove("d"+id, message, id), kept())
		}
	}
	for i, a := range want {
		if b := <-got; a != b {
			t.Fatalf("entry %d has the answer %+v, not %+v", i, b, a)
		}
	}
	texts := make(map[int64]string)
	for _, e := range told.wait(int(head) - n/10) { // the edits of what is deleted in the same batch may be missing
		switch e.Kind {
		case chat.KindMessage:
			texts[e.Offset] = e.Text
		case chat.KindEdit:
			texts[e.Target] = e.Text
		case chat.KindDelete:
			texts[e.Target] = ""
		}
	}
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 2 * n})
	must(t, err)
	present := make(map[int64]string)
	for _, e := range history {
		present[e.Offset] = e.Text
	}
	if !maps.Equal(texts, present) {
		t.Errorf("the follower came to %v, the log to %v", texts, present)
	}
}

// manyReactions adds as many to one message as there may be, and one more.
func manyReactions(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, entry("a"))
	done := make(chan shared.ErrorCode, chat.MaxReactions)
	for i := range chat.MaxReactions {
		e := react(fmt.Sprint("r", i), fmt.Sprint("device ", i), 1, "a", shared.Emojis[i%2])
		f.log.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { done <- codeOf(t, err) })
	}
	for range chat.MaxReactions {
		if code := <-done; code != "" {
			t.Fatal(code)
		}
	}
	last := react("more", "the last", 1, "a", "👍")
	if r, code := f.attempt(t, lobby, last); code != shared.CodeNotAllowed {
		t.Errorf("one more: %+v, %q", r, code)
	}
	f.add(t, lobby, react("other", "device 7", 1, "a", "🎉"))
	f.add(t, lobby, react("back", "device 8", 1, "a", ""))
	f.add(t, lobby, last)
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 100})
	must(t, err)
	if len(history) != 1 || len(history[0].Extras().Reactions) != chat.MaxReactions {
		t.Fatalf("there are %d messages", len(history))
	}
	counts := fmt.Sprint(chat.Counts(history[0].Extras().Reactions))
	if want := fmt.Sprintf("[{👍 %d} {👎 %d} {🎉 1}]", chat.MaxReactions/2, chat.MaxReactions/2-1); counts != want {
		t.Errorf("the counts are %s, not %s", counts, want)
	}
	names, err := f.log.Reactions(t.Context(), lobby.Key, 1)
	must(t, err)
	if len(names) != 2*shared.MaxMembers+1 || names[0] != (chat.Reacted{User: "User of device 0", Emoji: "👍"}) || names[200].Emoji != "🎉" {
		t.Errorf("%d names are told: %v …", len(names), names[:3])
	}
}

// changedBytes counts what entries take after they were changed.
func changedBytes(t *testing.T, f *fixture[chat.Log]) {
	want := make(map[string]int64)
	sized := func(device string, bytes int) { want[device] += int64(bytes) + chat.EntryOverhead }
	for i, length := range []int{1000, 5000, 20_000, 300} {
		e := entry(fmt.Sprint(i))
		e.Device, e.Text = "d", strings.Repeat("x", length)
		f.add(t, lobby, e)
	}
	f.add(t, lobby, edit("shorter", 2, "1", "ä"))
	f.add(t, lobby, edit("longer", 4, "3", strings.Repeat("ü", 4000)))
	f.add(t, lobby, edit("longer still", 4, "3", strings.Repeat("ü", 4096)))
	f.add(t, lobby, remove("gone", 3, "2"))
	f.add(t, lobby, react("r", "x", 4, "3", "❤️"))
	f.add(t, lobby, reply("y", 1, "0"))
	for _, length := range []int{1000, 2, 0, 8192, 0, 0, 0, 0, len("text of y")} {
		sized("d", length+len("Ann"))
	}
	sized("x", len("❤️")+len("User of x"))
	held := func() {
		t.Helper()
		if got, err := f.log.Held(t.Context(), lobby.Key); err != nil || !maps.Equal(got, want) {
			t.Errorf("they hold %v, not %v, %v", got, want, err)
		}
	}
	held()
	want["d"] -= 1000 + 2 + 2*int64(len("Ann")) + 2*chat.EntryOverhead
	Retain(t, f.log, chat.Retention{Bytes: want["d"] + want["x"]}, 2) // one byte less, and it would delete more
	held()
}

// trimmed keeps changes whose message is deleted by age or size.
func trimmed(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, entry("a"))
	f.add(t, lobby, entry("b"))
	all := []chat.Entry{edit("e", 1, "a", "better"), react("r", "x", 1, "a", "👍"), reply("y", 1, "a"), remove("d", 2, "b")}
	keep := int64(0)
	for _, e := range all {
		f.add(t, lobby, e)
		if e.Kind == chat.KindEdit {
			e.Text = "" // which is its message's
		}
		keep += e.Size()
	}
	Retain(t, f.log, chat.Retention{Bytes: keep}, 2)
	equal(t, "what is left", f.all(t), []string{`4 reacts to 1 "👍"`, `5 says "text of y" to 1`, `6 deletes 2 ""`})
	for i, e := range all {
		if r, code := f.attempt(t, lobby, e); r != (chat.Receipt{Offset: int64(i + 3), Duplicate: true}) || code != "" {
			t.Errorf("%s again: %+v, %q", e.ID, r, code)
		}
	}
	f.refused(t, "a change of what is gone", react("n", "x", 1, "a", "🎉"), shared.CodeNotFound)
	names, err := f.log.Reactions(t.Context(), lobby.Key, 1)
	must(t, err)
	equal(t, "who reacted to what is gone", names, nil)
	changed, err := f.log.Changes(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 10}, 0)
	must(t, err)
	if equal(t, "what has changed", lines(changed.Messages), nil); changed.More {
		t.Error("there is more")
	}
}

func offsetsOf(entries []chat.Entry) (all []int64) {
	for _, e := range entries {
		all = append(all, e.Offset)
	}
	return all
}

// changesSince reads what was changed in pages.
func changesSince(t *testing.T, f *fixture[chat.Log]) {
	for i := range 6 {
		f.add(t, lobby, entry(fmt.Sprint(i)))
	}
	for i, target := range []int64{5, 2, 4, 2, 6} { // the entries 7 to 11
		e := edit(fmt.Sprint("e", i), target, fmt.Sprint(target-1), strings.Repeat("x", 1000))
		f.add(t, lobby, e)
	}
	for _, c := range []struct {
		changed, before int64
		most            chat.Most
		want            []int64
		more            bool
	}{
		{0, 7, chat.Most{Entries: 10}, []int64{5, 4, 2, 6}, false},
		{0, 7, chat.Most{Entries: 4}, []int64{5, 4, 2, 6}, false},
		{0, 7, chat.Most{Entries: 3}, []int64{5, 4, 2}, true},
		{10, 7, chat.Most{Entries: 3}, []int64{6}, false},
		{9, 7, chat.Most{Entries: 3}, []int64{2, 6}, false},
		{11, 7, chat.Most{Entries: 3}, nil, false},
		{0, 5, chat.Most{Entries: 1}, []int64{4}, true},
		{9, 5, chat.Most{Entries: 1}, []int64{2}, false},
		{0, 7, chat.Most{Entries: 10, Bytes: 1500}, []int64{5, 4}, true},
		{0, 7, chat.Most{Entries: 10, Bytes: 1}, []int64{5}, true},
		{0, 1, chat.Most{Entries: 10}, nil, false},
	} {
		page, err := f.log.Changes(t.Context(), lobby.Key, c.changed, c.before, c.most, 0)
		must(t, err)
		what := fmt.Sprintf("what was changed after %d before %d, %+v", c.changed, c.before, c.most)
		if equal(t, what, offsetsOf(page.Messages), c.want); page.More != c.more {
			t.Errorf("%s: more is %v", what, page.More)
		}
	}
	page, err := f.log.Changes(t.Context(), "nowhere", 0, 7, chat.Most{Entries: 3}, 0)
	if must(t, err); len(page.Messages) > 0 || page.More {
		t.Errorf("in a room without entries: %v, %v", lines(page.Messages), page.More)
	}

	// A budget that is used up leaves one change to a page, also of one that is not asked for.
	var got []string
	for at, more := int64(0), true; more; at, more = page.At, page.More {
		page, err = f.log.Changes(t.Context(), lobby.Key, at, 5, chat.Most{Entries: 10}, 1)
		must(t, err)
		got = append(got, fmt.Sprint(page.At, offsetsOf(page.Messages)))
	}
	equal(t, "with no time", got, []string{"7 []", "9 [4]", "10 [2]", "11 []"})
}

// searching looks for texts, step by step.
func searching(t *testing.T, f *fixture[chat.Log]) {
	for i, text := range []string{"Gate 4", "the GÂTE", "nothing", "gates", "gate, deleted", "gate, edited", "irrigate"} {
		e := entry(fmt.Sprint(i))
		e.Text = text
		f.add(t, lobby, e)
		f.add(t, shared.Name{Text: "Attic", Key: "attic"}, e)
	}
	f.add(t, lobby, remove("d", 5, "4"))
	f.add(t, lobby, edit("e", 6, "5", "door"))
	f.add(t, lobby, edit("f", 3, "2", "a gaTe"))
	f.add(t, lobby, reply("y", 1, "0")) // 11
	for _, c := range []struct {
		text   string
		before int64
		most   chat.Most
		budget time.Duration
		want   []int64
		at     int64
		more   bool
	}{
		{"gate", 0, chat.Most{Entries: 20}, 0, []int64{7, 4, 3, 2, 1}, 1, false},
		{"gâte", 0, chat.Most{Entries: 5}, time.Hour, []int64{7, 4, 3, 2, 1}, 1, false},
		{"gate", 0, chat.Most{Entries: 2}, 0, []int64{7, 4}, 4, true},
		{"gate", 4, chat.Most{Entries: 2}, 0, []int64{3, 2}, 2, true},
		{"gate", 2, chat.Most{Entries: 2}, 0, []int64{1}, 1, false},
		{"gate", 1, chat.Most{Entries: 2}, 0, nil, 0, false},
		{"gate", 0, chat.Most{Entries: 20, Bytes: 9}, 0, []int64{7, 4}, 4, true},
		{"gate", 0, chat.Most{Entries: 20}, 1, nil, 11, true}, // one row each
		{"gate", 8, chat.Most{Entries: 20}, 1, []int64{7}, 7, true},
		{"text of y", 0, chat.Most{Entries: 20}, 0, []int64{11}, 1, false},
		{"text of d", 0, chat.Most{Entries: 20}, 0, nil, 1, false},
		{"👍", 0, chat.Most{Entries: 20}, 0, nil, 1, false},
		{"%", 0, chat.Most{Entries: 20}, 0, nil, 1, false},
	} {
		hits, err := f.log.Search(t.Context(), lobby.Key, c.text, c.before, c.most, c.budget)
		must(t, err)
		var got []int64
		for _, e := range hits.Messages {
			got = append(got, e.Offset)
		}
		what := fmt.Sprintf("%q before %d, %+v in %v", c.text, c.before, c.most, c.budget)
		if equal(t, what, got, c.want); hits.At != c.at || hits.More != c.more {
			t.Errorf("%s: it has read to %d, more is %v", what, hits.At, hits.More)
		}
	}
	hits, err := f.log.Search(t.Context(), lobby.Key, "of Y", 0, chat.Most{Entries: 1}, 0)
	must(t, err)
	equal(t, "a hit", lines(hits.Messages), []string{`11 says "text of y" to 1 Ann: "Gate 4"`})
	hits, err = f.log.Search(t.Context(), "nowhere", "gate", 0, chat.Most{Entries: 1}, 0)
	if must(t, err); len(hits.Messages) > 0 || hits.More {
		t.Errorf("in a room without entries: %+v", hits)
	}
}

// quotes are cut between code points, and are what their message has now.
func quotes(t *testing.T, f *fixture[chat.Log]) {
	long := entry("a")
	long.Text = strings.Repeat("ü", shared.MaxQuote) + "x"
	f.add(t, lobby, long)
	f.add(t, lobby, reply("b", 1, "a"))
	f.add(t, lobby, reply("c", 2, "b"))
	equal(t, "with a long text", f.all(t)[1:], []string{
		fmt.Sprintf("2 says %q to 1 Ann: %q", "text of b", strings.Repeat("ü", shared.MaxQuote)),
		`3 says "text of c" to 2 Ann: "text of b"`,
	})
	f.add(t, lobby, edit("e", 1, "a", strings.Repeat("🎉", shared.MaxQuote)))
	f.add(t, lobby, remove("d", 2, "b"))
	equal(t, "with another one", f.all(t)[1:3], []string{
		`2 says "" deleted at 5`, `3 says "text of c" to 2`,
	})
	f.add(t, lobby, reply("f", 1, "a"))
	if got := f.all(t)[5]; got != fmt.Sprintf("6 says %q to 1 Ann: %q", "text of f", strings.Repeat("🎉", shared.MaxQuote)) {
		t.Errorf("it quotes %s", got)
	}
}
