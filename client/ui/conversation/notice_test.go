package conversation

import (
	"fmt"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/uitest"
	"parley/shared"
)

func notice(n int, do, about string) session.Item {
	item := uitest.Said(n, "Ann", "")
	item.Kind, item.Notice = session.KindNotice, &session.Notice{Do: do, About: about}
	return item
}

// What hosts did are lines, one for a run of the same; what this version does not know
// takes no room.
func TestNotices(t *testing.T) {
	l := newList(t, uitest.Said(1, "Bob", "one"), notice(2, shared.DoRemove, "Bob"), notice(3, shared.DoRemove, "Cleo"), notice(4, shared.DoRemove, "Bob"))
	if s := uitest.Sentence(l); !strings.Contains(s, "Ann removed Bob, Cleo") || strings.Count(s, "removed") != 1 {
		t.Errorf("three removals read %q", s)
	}
	high := l.timeline.total()
	l.Change(uitest.Appended(notice(5, "dance", "Bob"), notice(6, "dance", "Cleo")))
	if l.timeline.total() != high {
		t.Error("what is not known takes room")
	}
	slow := notice(7, shared.DoSet, "")
	slow.Notice.Settings = shared.Settings{Write: shared.WhoHosts, Slow: new(int)}
	*slow.Notice.Settings.Slow = 300
	again := notice(8, shared.DoSet, "")
	again.Notice.Settings.Write = shared.WhoAll
	operator := notice(9, shared.DoPin, "")
	operator.User, operator.Notice.Pinned = "", 4
	l.Change(uitest.Appended(slow, again, operator))
	for _, want := range []string{"Ann: everyone writes, 5 min between two messages", "The server's operator pinned a message"} {
		if s := uitest.Sentence(l); !strings.Contains(s, want) {
			t.Errorf("%q is not in %q", want, s)
		}
	}
	if h := l.hitAt(uitest.Where(t, l, "pinned")); h.Kind != HitQuote || h.Offset != 4 {
		t.Errorf("a tap on the notice of a pin is %+v", h)
	}
	if l.hitAt(uitest.Where(t, l, "everyone writes")).Kind != hitNothing {
		t.Error("another notice can be tapped")
	}
	later := notice(10, shared.DoPin, "")
	later.User, later.Notice.Pinned = "", 1
	l.Change(uitest.Appended(later))
	if h := l.hitAt(uitest.Where(t, l, "pinned")); h.Offset != 1 {
		t.Errorf("the line of two pins leads to %+v", h)
	}
	unpinned := notice(11, shared.DoPin, "")
	unpinned.User = ""
	l.Change(uitest.Appended(unpinned))
	if l.hitAt(uitest.Where(t, l, "took")).Kind != hitNothing {
		t.Error("the notice that nothing is pinned leads somewhere")
	}
	if _, ok := l.timeline.Message("id2"); ok {
		t.Error("a notice is taken for a message")
	}
	l.Choose(-1)
	if l.chosen != "id1" {
		t.Errorf("chosen from the keyboard is %q", l.chosen)
	}
	var many []session.Item
	for i := range 1000 {
		item := notice(10+i, shared.DoSilence, fmt.Sprint("P", i))
		item.Time = uitest.Noon
		many = append(many, item)
	}
	l.Change(uitest.Appended(many...))
	if s := uitest.Sentence(l); !strings.Contains(s, "silenced P0, P1, P2, P3, P4, and 995 more") {
		t.Errorf("a thousand silenced read %q", s)
	}
}
