package shared_test

import (
	"strings"
	"testing"
	"time"

	"parley/shared"
	"parley/shared/testdata/frozen/codec1"
	"parley/shared/testdata/frozen/codec2"
	"parley/shared/testdata/frozen/codec3"
	"parley/shared/testdata/frozen/codec4"
	"parley/shared/testdata/frozen/codec5"
)

// readByFrozen returns what the codecs of earlier clients, oldest first, make of
// a frame.
func readByFrozen(data []byte) (read [5]frozenFrame) {
	m1, err := codec1.Decode(data)
	read[0] = frozenFrame{string(m1.Type), m1.Text, m1.Offset, m1.More, nil, err}
	for _, m := range m1.Messages {
		read[0].texts = append(read[0].texts, m.Text)
	}
	m2, err := codec2.Decode(data)
	read[1] = frozenFrame{string(m2.Type), m2.Text, m2.Offset, m2.More, nil, err}
	for _, m := range m2.Messages {
		read[1].texts = append(read[1].texts, m.Text)
	}
	m3, err := codec3.Decode(data)
	read[2] = frozenFrame{string(m3.Type), m3.Text, m3.Offset, m3.More, nil, err}
	for _, m := range m3.Messages {
		read[2].texts = append(read[2].texts, m.Text)
	}
	m4, err := codec4.Decode(data)
	read[3] = frozenFrame{string(m4.Type), m4.Text, m4.Offset, m4.More, nil, err}
	for _, m := range m4.Messages {
		read[3].texts = append(read[3].texts, m.Text)
	}
	m5, err := codec5.Decode(data)
	read[4] = frozenFrame{string(m5.Type), m5.Text, m5.Offset, m5.More, nil, err}
	for _, m := range m5.Messages {
		read[4].texts = append(read[4].texts, m.Text)
	}
	return read
}

type frozenFrame struct {
	typ, text string
	offset    int64
	more      bool
	texts     []string
	err       error
}

// TestFrozenCodecs has the codecs of earlier clients read the frames that a
// server sends now. What they can't read they drop, and with it a whole answer.
func TestFrozenCodecs(t *testing.T) {
	entry := shared.Message{Type: shared.TypeChat, ID: "a", Offset: 7, User: "Ann", By: shared.By("lobby", "api"), Text: "hi"}
	edit := entry
	edit.ID, edit.Offset, edit.Edits = "b", 9, 7
	edited := entry
	edited.Edited, edited.Changed, edited.Reactions, edited.Mine = true, 12, []shared.Count{{Emoji: "👍", N: 3}}, "👍"
	deleted := entry
	deleted.Text, deleted.Deleted, deleted.Changed = shared.TextDeleted, true, 11
	file := entry
	file.File = &shared.File{ID: "ab2cd3ef4gh5ij6kl7mnopqrst", Name: "a.jpg", Type: "image/jpeg", Size: 5, Width: 3, Height: 2, Thumb: true, Caption: "Gate"}
	file.Text = "Gate\nhttp://192.168.1.7:8080/files/" + file.File.ID
	longest := file
	longest.File = &shared.File{ID: file.File.ID, Caption: strings.Repeat("\U0001F600", shared.MaxCaption)}
	longest.Text = longest.File.Caption + "\nhttps://" + strings.Repeat("a", 253) + ":65535/" + strings.Repeat("b", 200) + "/files/" + file.File.ID
	reply := entry
	reply.Reply, reply.Quote = 3, &shared.Quote{User: "Bob", Text: "Gate?"}
	for _, m := range []shared.Message{
		entry, edit, reply, file, longest,
		{Type: shared.TypeHistory, More: true, After: 4, Messages: []shared.Message{entry, entry}},
		{Type: shared.TypeHistory, More: true, After: 4, Messages: []shared.Message{entry, edited, deleted, reply, file}},
		{Type: shared.TypeWelcome, Room: "Lobby", User: "Ann", By: entry.By, Epoch: "e", Offset: 9, Count: 1,
			Members: []string{"Ann"}, Can: []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanHost, shared.CanFiles, "later"},
			Limits: shared.Limits{Message: 4096, Resume: 10, File: 100 << 20},
			Host:   true, Settings: new(shared.OpenSettings()), Pinned: 7, Silenced: "Bob"},
	} {
		data := shared.Encode(m)
		for i, f := range readByFrozen(data) {
			if f.err != nil || f.typ != string(m.Type) || f.text != m.Text || f.offset != m.Offset || f.more != m.More || len(f.texts) != len(m.Messages) {
				t.Errorf("codec %d reads %s as %+v", i+1, data, f)
				continue
			}
			for j, text := range f.texts {
				if text != m.Messages[j].Text {
					t.Errorf("codec %d reads %q in %s", i+1, text, data)
				}
			}
		}
	}
	for m, first := range map[*shared.Message]int{ // the first codec that knows it
		{Type: shared.TypeNotice, Did: shared.DidRename, User: "Ann", About: "Eve"}:                                                                 3,
		{Type: shared.TypeNotice, ID: "e", Offset: 12, Did: shared.DoSet, User: "Ann", Time: time.Unix(1, 0), Settings: new(shared.OpenSettings())}: 3,
		{Type: shared.TypeNotice, ID: "f", Offset: 13, Did: shared.DoRemove, User: "Ann", About: "Bob", Whom: entry.By}:                             3,
		{Type: shared.TypeNotices, Notices: []shared.Message{{Type: shared.TypeNotice, Offset: 13, Did: shared.DoOpen, User: "Ann"}}}:               5,
		{Type: shared.TypeUpload, ID: file.File.ID, Key: "k"}:                                                                                       6,
		{Type: shared.TypePong}: 3,
		{Type: shared.TypeDelete, ID: "c", Offset: 10, User: "Ann", Targets: []int64{7}}:                                 4,
		{Type: shared.TypeReact, ID: "d", Offset: 11, Target: 7, Emoji: "👍", Counts: []shared.Count{{Emoji: "👍", N: 1}}}: 4,
		{Type: shared.TypeReactions, Target: 7, Reactors: []shared.Reactors{{Emoji: "👍", Names: []string{"Ann"}}}}:       4,
		{Type: shared.TypeSearch, Messages: []shared.Message{entry}, Before: 3}:                                          4,
	} {
		for i, f := range readByFrozen(shared.Encode(*m)) {
			if known := i+1 >= first; known != (f.err == nil) {
				t.Errorf("codec %d of a %s: %v; it is known from codec %d on, and nothing else to the ones before", i+1, m.Type, f.err, first)
			}
		}
	}
}
