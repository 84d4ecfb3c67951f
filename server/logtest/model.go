package logtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/find"
)

// model is a room's log as simply as it can be: the entries as they would be read,
// if nothing was left out.
type model struct {
	entries []chat.Entry
	names   map[int64][]chat.Reacted
	rules   chat.Rules

	room  string // its key
	pool  []string
	files map[string]*chat.FileRow // of the pool
	gone  []string                 // files that went with their messages
}

// message returns the message at an offset, unless it is deleted.
func (m *model) message(offset int64) *chat.Entry {
	if offset < 1 || offset > int64(len(m.entries)) {
		return nil
	}
	if e := &m.entries[offset-1]; e.Kind == chat.KindMessage && !e.Deleted {
		return e
	}
	return nil
}

func (m *model) append(e chat.Entry) (chat.Receipt, shared.ErrorCode) {
	for _, old := range m.entries {
		if old.ID == e.ID && old.Device == e.Device {
			return chat.Receipt{Offset: old.Offset, Duplicate: true}, ""
		}
	}
	e.Offset = int64(len(m.entries) + 1)
	message := m.message(e.Target + e.Reply)
	if message != nil && message.ID != e.Extras().Of {
		message = nil
	}
	_, host := m.rules.Hosts[e.Device]
	reactions := 0
	switch {
	case e.Kind == chat.KindMessage:
		if message == nil {
			e.Reply = 0
		}
		if f := e.Extras().File; f != nil {
			row := m.files[f.ID]
			if row == nil || row.Device != e.Device || row.State != chat.FileWhole || row.Offset != 0 {
				return chat.Receipt{}, shared.CodeNotAllowed
			}
		}
	case e.Kind == chat.KindNotice && e.Target == 0:
	case message == nil:
		return chat.Receipt{}, shared.CodeNotFound
	case e.Kind == chat.KindNotice:
		if e.Extra.Act.Do != shared.DoPin {
			act := *e.Extra.Act
			act.Device, act.About = message.Device, message.User
			e.Own().Act = &act
		}
	case e.Kind == chat.KindReact:
		reactions = len(message.Extras().Reactions)
	case e.Kind == chat.KindDelete && host:
	case message.Device != e.Device || message.Time.Before(e.Extras().Since):
		return chat.Receipt{}, shared.CodeNotAllowed
	case e.Kind == chat.KindEdit && message.Extras().File != nil && utf8.RuneCountInString(e.Text) > shared.MaxCaption:
		return chat.Receipt{}, shared.CodeTooLong
	}
	var refusal *chat.Refusal
	if errors.As(m.rules.Carry(e), &refusal) {
		return chat.Receipt{Reactions: reactions}, refusal.Code
	}
	switch e.Kind {
	case chat.KindReact:
		own := message.Own()
		if i := slices.IndexFunc(own.Reactions, func(r chat.Reaction) bool { return r.Device == e.Device }); i >= 0 {
			own.Reactions = slices.Delete(slices.Clone(own.Reactions), i, i+1)
			m.names[message.Offset] = slices.Delete(m.names[message.Offset], i, i+1)
		}
		if emoji := e.Extras().Emoji; emoji != "" {
			own.Reactions = append(slices.Clone(own.Reactions), chat.Reaction{Device: e.Device, Emoji: emoji})
			m.names[message.Offset] = append(m.names[message.Offset], chat.Reacted{User: e.User, Emoji: emoji})
		}
		message.Changed = e.Offset
	case chat.KindEdit:
		message.Text, message.Edited, message.Changed = e.Text, true, e.Offset
	case chat.KindDelete:
		m.delete(message, e.Offset)
	}
	if f := e.Extras().File; f != nil {
		m.files[f.ID].Offset = e.Offset
	}
	own := e.Own()
	own.Of, own.Since = "", time.Time{}
	m.entries = append(m.entries, e)
	if e.Kind == chat.KindNotice && e.Extra.Act.Do == shared.DoDeleteAll {
		m.deleteAll(e)
	}
	return chat.Receipt{Offset: e.Offset, Reactions: reactions}, ""
}

func (m *model) delete(message *chat.Entry, by int64) {
	if f := message.Extras().File; f != nil {
		m.gone = append(m.gone, f.ID)
		delete(m.files, f.ID)
		message.Own().File = nil
	}
	message.Text, message.Edited, message.Deleted, message.Changed = "", false, true, by
	message.Reply, message.Own().Reactions = 0, nil
	delete(m.names, message.Offset)
}

// deleteAll adds what a notice brings with it.
func (m *model) deleteAll(notice chat.Entry) {
	var wrote []int64
	for _, e := range m.entries {
		if m.message(e.Offset) != nil && e.Device == notice.Extra.Act.Device {
			wrote = append(wrote, e.Offset)
		}
	}
	for targets := range slices.Chunk(wrote, shared.MaxTargets) {
		e := chat.Entry{Offset: int64(len(m.entries) + 1), Device: notice.Device, User: notice.User, Time: notice.Time, Kind: chat.KindDelete, Target: targets[0]}
		if len(targets) > 1 {
			e.Own().Targets = targets
		}
		for _, target := range targets {
			m.delete(m.message(target), e.Offset)
		}
		if m.rules.Carry(e) == nil {
			m.entries = append(m.entries, e)
		}
	}
}

// read returns the entries as a log reads them.
func (m *model) read() (all []chat.Entry) {
	for _, e := range m.entries {
		if f := e.Extras().File; f != nil {
			e.Own().File = &m.files[f.ID].File
		}
		switch message := m.message(e.Target + e.Reply); {
		case message == nil && e.Kind == chat.KindEdit:
			continue
		case message == nil:
		case e.Kind == chat.KindEdit:
			if e.Text = message.Text; message.Extras().File != nil {
				e.Own().File = &m.files[message.Extra.File.ID].File
			}
		case e.Kind == chat.KindReact:
			e.Own().Reactions = message.Extras().Reactions
		case e.Kind == chat.KindMessage:
			e.Own().Quote = chat.Quoted(m.present(*message))
		}
		all = append(all, e)
	}
	return all
}

// present is a message with its file as it is now.
func (m *model) present(e chat.Entry) chat.Entry {
	if f := e.Extras().File; f != nil {
		e.Own().File = &m.files[f.ID].File
	}
	return e
}

// begin does at random to files what somebody does who sends them, in both.
func (m *model) begin(t *testing.T, rt *rapid.T, rows chat.FileRows) {
	id := rapid.SampledFrom(m.pool).Draw(rt, "file")
	there := m.files[id]
	switch rapid.IntRange(0, 4).Draw(rt, "to a file") {
	case 0, 1:
		row := chat.FileRow{Room: m.room, Device: rapid.SampledFrom(devices).Draw(rt, "its device"), Made: entry("").Time,
			File: chat.File{ID: id, Name: "<file>.jpg", Size: rapid.Int64Range(1, 2).Draw(rt, "its size"), Width: 4, Height: 3}}
		loose := 0
		for _, other := range m.files {
			if other.Offset == 0 && other.Device == row.Device {
				loose++
			}
		}
		var want shared.ErrorCode
		switch {
		case there != nil && (there.Device != row.Device || there.Size != row.Size):
			want = shared.CodeNotAllowed
		case there != nil:
			row = *there
		case loose >= chat.MaxUnfinished:
			want = shared.CodeRateLimited
		}
		got, err := rows.BeginFile(t.Context(), row)
		if code := codeOf(t, err); code != want {
			rt.Fatalf("a file is begun with %q, not %q", code, want)
		}
		if want == "" {
			if got != row {
				rt.Fatalf("the file is begun as %+v, not %+v", got, row)
			}
			m.files[id] = &got
		}
	case 2, 3:
		err := rows.WholeFile(t.Context(), id, "image/jpeg")
		if there != nil {
			there.State, there.Type = chat.FileWhole, "image/jpeg"
		}
		if want := there != nil; want != (err == nil) {
			rt.Fatalf("a file is whole: %v", err)
		}
	case 4:
		err := rows.ThumbFile(t.Context(), id)
		if there != nil {
			there.Thumb = true
		}
		if want := there != nil; want != (err == nil) {
			rt.Fatalf("a file has a thumbnail: %v", err)
		}
	}
}

// compareFiles compares the files that there are, and which are said to be gone.
func (m *model) compareFiles(t *testing.T, rt *rapid.T, rows chat.FileRows, gone *listener) {
	for _, id := range m.pool {
		got, err := rows.File(t.Context(), id)
		switch want := m.files[id]; {
		case want == nil && errors.Is(err, chat.ErrNoFile):
		case want == nil || err != nil || got != *want:
			rt.Fatalf("a file is %+v, %v, and not %+v", got, err, want)
		}
	}
	gone.mu.Lock()
	defer gone.mu.Unlock()
	slices.Sort(gone.ids)
	slices.Sort(m.gone)
	if !slices.Equal(gone.ids, m.gone) {
		rt.Fatalf("gone are %v, not %v", gone.ids, m.gone)
	}
}

// messages returns what history tells.
func (m *model) messages() []chat.Entry {
	return slices.DeleteFunc(m.read(), func(e chat.Entry) bool { return e.Kind != chat.KindMessage })
}

// modelled does at random what can be done, and compares with a model.
func modelled(t *testing.T, f *fixture[chat.Log]) {
	rooms := 0
	files, withFiles := f.log.(chat.FileRows)
	rapid.Check(t, func(rt *rapid.T) {
		rooms++
		room := shared.Name{Text: fmt.Sprint("Room ", rooms), Key: fmt.Sprint("room ", rooms)}
		m := &model{names: make(map[int64][]chat.Reacted), room: room.Key, files: make(map[string]*chat.FileRow)}
		gone := new(listener)
		if withFiles {
			for n := range 8 {
				m.pool = append(m.pool, fileID(100*rooms+n))
			}
			gone = listen(files)
			defer func() { // those of a device are counted in all rooms
				for _, id := range m.pool {
					must(t, files.DropFile(t.Context(), id))
				}
			}()
		}
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			if withFiles {
				for range rapid.IntRange(0, 12).Draw(rt, "files") {
					m.begin(t, rt, files)
				}
			}
			batch := rapid.SliceOfN(rapid.Custom(m.anyEntry), 1, 20).Draw(rt, "batch")
			got := make(chan string, len(batch))
			for _, e := range batch {
				f.log.Append(t.Context(), room, e, func(r chat.Receipt, err error) { got <- fmt.Sprint(r, codeOf(t, err)) })
			}
			for i, e := range batch {
				r, code := m.append(e)
				if got, want := <-got, fmt.Sprint(r, code); got != want {
					rt.Fatalf("entry %d of the batch has the answer %s, not %s", i, got, want)
				}
			}
		}
		if rapid.IntRange(0, 50).Draw(rt, "reopened") == 0 {
			must(t, f.log.Close())
			f.log = f.reopen()
			files, _ = f.log.(chat.FileRows)
		}
		m.compare(t, rt, f.log, room.Key)
		if withFiles {
			m.compareFiles(t, rt, files, gone)
		}
	})
}

var devices = []string{"00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100", "api"}

// anyEntry makes one that can follow, more often than not.
func (m *model) anyEntry(t *rapid.T) chat.Entry {
	n := int64(len(m.entries))
	second := func(name string) time.Time {
		return entry("").Time.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, name)) * time.Second)
	}
	e := chat.Entry{
		ID:     fmt.Sprint("id ", rapid.IntRange(0, 60).Draw(t, "id")),
		Device: rapid.SampledFrom(devices).Draw(t, "device"),
		User:   rapid.SampledFrom([]string{"Ann", "Bob", "Änn"}).Draw(t, "user"),
		Time:   second("time"),
		Kind:   rapid.SampledFrom([]chat.Kind{0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 4}).Draw(t, "kind"),
	}
	if e.Kind == chat.KindMessage || e.Kind == chat.KindEdit {
		e.Text = rapid.StringMatching(`(gate|GÂTE|x| |é){1,4}`).Draw(t, "text") + strings.Repeat("y", rapid.SampledFrom([]int{0, 0, 0, 150, 5000}).Draw(t, "more"))
	}
	about := rapid.Int64Range(0, n+2).Draw(t, "about")
	if e.Kind == chat.KindMessage {
		if rapid.Bool().Draw(t, "a reply") {
			e.Reply = about
		}
	} else {
		e.Target = about
	}
	e.Own().Of = "another"
	if about > 0 && about <= n && rapid.IntRange(0, 9).Draw(t, "of it") > 0 {
		e.Own().Of = m.entries[about-1].ID
		if rapid.IntRange(0, 3).Draw(t, "its own") > 0 {
			e.Device = m.entries[about-1].Device
		}
	}
	if e.Kind == chat.KindMessage && len(m.pool) > 0 && rapid.IntRange(0, 2).Draw(t, "with a file") > 0 {
		id := rapid.SampledFrom(append(m.pool, "")).Draw(t, "the file")
		e.Own().File = &chat.File{ID: id}
		if row := m.files[id]; row != nil && rapid.IntRange(0, 3).Draw(t, "from its device") > 0 {
			e.Device = row.Device
		}
		if rapid.IntRange(0, 3).Draw(t, "without a text") == 0 {
			e.Text = ""
		}
	}
	switch e.Kind {
	case chat.KindNotice:
		act := anyAct(t)
		act.Operator = rapid.IntRange(0, 4).Draw(t, "operator") == 0
		e.Own().Act = act
		if rapid.Bool().Draw(t, "about a message") {
			e.Target, e.Own().Of = 0, ""
		}
	case chat.KindReact:
		e.Own().Emoji = rapid.SampledFrom([]string{"👍", "❤️", ""}).Draw(t, "emoji")
	case chat.KindEdit, chat.KindDelete:
		if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 {
			e.Own().Since = second("since")
		}
	}
	return e
}

// anyAct makes what a host may do, or not.
func anyAct(t *rapid.T) *chat.Act {
	a := &chat.Act{
		Do: rapid.SampledFrom([]string{shared.DoOpen, shared.DoOpen, shared.DoSet, shared.DoPin, shared.DoRemove, shared.DoAdmit, shared.DoSilence,
			shared.DoUnsilence, shared.DoHost, shared.DoUnhost, shared.DoDeleteAll, "dance"}).Draw(t, "act"),
		Device: rapid.SampledFrom([]string{"", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100", "api"}).Draw(t, "whom"),
		About:  "<Bob>",
	}
	if a.Do == shared.DoSet {
		a.Settings = &shared.Settings{Write: rapid.SampledFrom([]string{"", shared.WhoAll, shared.WhoHosts}).Draw(t, "write"),
			Files: rapid.SampledFrom([]string{"", shared.WhoAll, shared.WhoHosts, shared.WhoNone}).Draw(t, "who sends files")}
		if rapid.Bool().Draw(t, "slow") {
			a.Settings.Slow = new(rapid.IntRange(0, shared.MaxSlow).Draw(t, "seconds"))
		}
	}
	return a
}

// compare reads everything in every way, in pages of any size.
func (m *model) compare(t *testing.T, rt *rapid.T, l chat.Log, room string) {
	most := chat.Most{Entries: rapid.IntRange(1, 9).Draw(rt, "page"), Bytes: rapid.SampledFrom([]int{0, 1, 100, 6000}).Draw(rt, "bytes")}
	same := func(what string, got, want []chat.Entry) {
		rt.Helper()
		if got, want := strings.Join(lines(got), "\n"), strings.Join(lines(want), "\n"); got != want {
			rt.Fatalf("%s:\n%s\nand not:\n%s", what, got, want)
		}
	}
	ctx := t.Context()

	var read []chat.Entry
	for after := int64(0); ; after = read[len(read)-1].Offset {
		page, err := l.Read(ctx, room, after, shared.MaxOffset, most)
		if must(t, err); len(page) == 0 {
			break
		}
		read = append(read, page...)
	}
	same("what is read", read, m.read())

	var history []chat.Entry
	for before := int64(0); ; before = history[0].Offset {
		page, err := l.History(ctx, room, before, most)
		if must(t, err); len(page) == 0 {
			break
		}
		history = append(page, history...)
	}
	messages := m.messages()
	same("the history", history, messages)

	var told []chat.Entry
	for before := int64(0); ; before = told[0].Offset {
		page, err := l.Notices(ctx, room, before, most)
		if must(t, err); len(page) == 0 {
			break
		}
		told = append(page, told...)
	}
	same("the notices", told, slices.DeleteFunc(m.read(), func(e chat.Entry) bool { return e.Kind != chat.KindNotice }))
	state, stop, err := l.Open(ctx, shared.Name{Text: room, Key: room}, nobody)
	must(t, err)
	stop()
	if got, want := ruled(state.Rules), ruled(m.rules); got != want {
		rt.Fatalf("the rules are\n%s\nand not\n%s", got, want)
	}
	// A room in memory has them from what it is handed.
	var carried chat.Rules
	for _, e := range read {
		if err := carried.Carry(e); err != nil {
			rt.Fatalf("%s is there, but refused: %v", line(e), err)
		}
	}
	if got := ruled(carried); got != ruled(m.rules) {
		rt.Fatalf("the entries carried are\n%s\nand not\n%s", got, ruled(m.rules))
	}

	since, before := rapid.Int64Range(0, int64(len(m.entries))).Draw(rt, "since"), rapid.Int64Range(1, int64(len(m.entries))+2).Draw(rt, "before")
	var changed []chat.Entry
	budget := time.Duration(rapid.IntRange(0, 1).Draw(rt, "budget")) // none, or one change
	for at, more := since, true; more; {
		page, err := l.Changes(ctx, room, at, before, most, budget)
		if err != nil || page.More && page.At <= at {
			rt.Fatal(page, err)
		}
		changed = append(changed, page.Messages...)
		at, more = page.At, page.More
	}
	want := slices.DeleteFunc(slices.Clone(messages), func(e chat.Entry) bool { return e.Changed <= since || e.Offset >= before })
	slices.SortFunc(want, func(a, b chat.Entry) int { return int(a.Changed - b.Changed) })
	same("what was changed", changed, want)

	text := rapid.SampledFrom([]string{"gate", "É", "x gate", "yy", "b>.JPG"}).Draw(rt, "search")
	var hits []chat.Entry
	for at, more := int64(0), true; more; {
		found, err := l.Search(ctx, room, text, at, most, budget)
		if must(t, err); found.More && at > 0 && found.At >= at {
			rt.Fatalf("a search before %d ends at %d", at, found.At)
		}
		hits, at, more = append(hits, found.Messages...), found.At, found.More
	}
	want = slices.DeleteFunc(slices.Clone(messages), func(e chat.Entry) bool {
		file := e.Extras().File
		return e.Deleted || !find.New(text).In(e.Text) && (file == nil || !find.New(text).In(file.Name))
	})
	slices.Reverse(want)
	same("what is found", hits, want)

	held := make(map[string]int64)
	for _, e := range m.entries {
		if e.Kind == chat.KindEdit {
			e.Text = ""
		}
		held[e.Device] += e.Size()
		names, err := l.Reactions(ctx, room, e.Offset)
		if must(t, err); !slices.Equal(names, m.names[e.Offset]) {
			rt.Fatalf("the reactions to %d are %v, not %v", e.Offset, names, m.names[e.Offset])
		}
	}
	if got, err := l.Held(ctx, room); err != nil || fmt.Sprint(got) != fmt.Sprint(held) {
		rt.Fatalf("they hold %v, not %v, %v", got, held, err)
	}
}
