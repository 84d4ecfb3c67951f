package shared_test

import (
	"testing"

	"parley/shared"
	"parley/shared/testdata/frozen/codec1"
	"parley/shared/testdata/frozen/codec2"
)

// TestFrozenCodecs has the codecs of earlier clients read the frames that a
// server sends now. What they can't read they drop, and with it a whole answer.
func TestFrozenCodecs(t *testing.T) {
	entry := shared.Message{Type: shared.TypeChat, ID: "a", Offset: 7, User: "Ann", By: shared.By("lobby", "api"), Text: "hi"}
	for _, m := range []shared.Message{
		entry,
		{Type: shared.TypeHistory, More: true, After: 4, Messages: []shared.Message{entry, entry}},
		{Type: shared.TypeWelcome, Room: "Lobby", User: "Ann", By: entry.By, Epoch: "e", Offset: 9, Count: 1,
			Members: []string{"Ann"}, Can: []string{shared.CanBy, shared.CanPing, "later"}},
	} {
		data := shared.Encode(m)
		m1, err1 := codec1.Decode(data)
		m2, err2 := codec2.Decode(data)
		if err1 != nil || err2 != nil {
			t.Errorf("%s is refused: %v, %v", data, err1, err2)
			continue
		}
		if string(m1.Type) != string(m.Type) || m1.Text != m.Text || m1.Offset != m.Offset || len(m1.Messages) != len(m.Messages) || m1.More != m.More ||
			string(m2.Type) != string(m.Type) || m2.Text != m.Text || m2.Offset != m.Offset || len(m2.Messages) != len(m.Messages) || m2.More != m.More {
			t.Errorf("%s is read as\n%+v\n%+v", data, m1, m2)
		}
	}
	for _, m := range []shared.Message{{Type: shared.TypeNotice, Did: shared.DidRename, User: "Ann", About: "Eve"}, {Type: shared.TypePong}} {
		if _, err := codec1.Decode(shared.Encode(m)); err == nil {
			t.Errorf("the first codec knows %s, which it took for something else", m.Type)
		}
	}
}
