package session

import (
	"cmp"
	"slices"
	"time"

	"parley/shared"
)

const (
	aroundReach = 1000 // offsets that Around loads history for, instead of an excerpt
	aroundAfter = 25   // of the messages of an excerpt, about as many follow
)

// questions are what the person wants to know of the log, and the one question that is
// on its way: an error does not say which one it is about.
type questions struct {
	older     bool   // older history
	gap       string // the gap to fill
	around    int64  // the offset to lead to
	search    *Search
	who       string // the row whose reactions to tell
	roles     *rolesAsked
	asked     *question
	notBefore time.Time // nothing is asked before; zero when it may be
}

// question is a question on its way.
type question struct {
	frame  shared.Message
	answer func(shared.Message)
	giveUp func(error) // there is no answer; nil if the log says that there is nothing
}

// meanwhile is what came while a question was on its way: the answer may be older.
type meanwhile struct {
	changed map[int64]int64 // by a message's offset, that of its last change; nil while there is no question
	texts   map[int64]bool  // messages whose text was changed
	much    bool            // more came than is noted
}

func (n *meanwhile) begin() { *n = meanwhile{changed: map[int64]int64{}, texts: map[int64]bool{}} }

func (n *meanwhile) note(target, offset int64, text bool) {
	switch {
	case n.changed == nil:
	case len(n.changed) >= maxRows:
		n.much = true
	default:
		n.changed[target] = offset
		if text {
			n.texts[target] = true
		}
	}
}

// older reports whether messages were read before something that came meanwhile.
func (n *meanwhile) older(messages []shared.Message) bool {
	return n.much || slices.ContainsFunc(messages, func(m shared.Message) bool {
		return n.changed[m.Offset] > m.Changed || n.texts[m.Reply] && m.Quote != nil
	})
}

func (l *loop) loadOlder() {
	if l.timeline.more() {
		l.questions.older = true
	}
}

func (l *loop) loadGap(id string) {
	if l.questions.gap == "" {
		l.questions.gap = id
	}
}

func (l *loop) around(offset int64) {
	l.questions.around = offset
	if l.timeline.byOffset[offset] != nil {
		l.askAround() // which need not ask
	}
}

func (l *loop) search(text string, from int64) {
	l.questions.search = nil
	if text != "" {
		l.questions.search = &Search{Text: text, From: from, Next: from}
	}
}

func (l *loop) who(id string) { l.questions.who = id }

// ask sends the next question; one is on its way at a time.
func (l *loop) ask(now time.Time) {
	h := &l.questions
	if h.asked != nil || now.Before(h.notBefore) {
		return
	}
	h.notBefore = time.Time{}
	for _, next := range []func() *question{l.askChanges, l.askWho, l.askSearch, l.askAround, l.askGap, l.askOlder, l.askRoles, l.askPin, l.askNotices} {
		if h.asked = next(); h.asked != nil {
			l.timeline.meanwhile.begin()
			l.write(h.asked.frame)
			return
		}
	}
}

// askChanges asks for the changes of rows that came while the room was not followed.
func (l *loop) askChanges() *question {
	t := l.timeline
	b := t.behind
	if b == (Behind{}) {
		return nil
	}
	return &question{
		frame: shared.Message{Type: shared.TypeHistory, Changed: b.Changed, Before: b.Before, Limit: shared.MaxHistory},
		answer: func(page shared.Message) {
			for _, m := range page.Messages {
				if r := t.byOffset[m.Offset]; r == nil {
					c := contentOf(m)
					t.elsewhere(Item{Offset: m.Offset, User: m.User, Text: c.Text, Edited: c.Edited, Deleted: c.Deleted})
					t.requote(m.Offset, m.User, c.quoted(), m.Deleted)
					if m.Deleted {
						t.dropThumb(m.Offset)
					}
				} else if r.Entry == entryID(m) {
					t.refresh(r, m, true)
				}
			}
			switch {
			case !page.More:
				t.behind = Behind{}
			case page.Changed > b.Changed:
				t.behind.Changed = page.Changed
			default: // it leads nowhere
				l.waitToAsk(unreadableWait)
			}
		},
		giveUp: func(error) { l.waitToAsk(unreadableWait) },
	}
}

func (l *loop) askGap() *question {
	h, t := &l.questions, l.timeline
	if h.gap == "" {
		return nil
	}
	gap, before, ok := t.gapAt(h.gap)
	if !ok {
		t.unfilled(h.gap, nil)
		h.gap = ""
		return nil
	}
	return &question{
		frame: historyBefore(before, gapLimit),
		answer: func(page shared.Message) {
			if t.fill(gap.ID, before, page) {
				h.gap = ""
			}
		},
		giveUp: func(err error) {
			t.unfilled(gap.ID, err)
			h.gap = ""
		},
	}
}

func (l *loop) askOlder() *question {
	h, t := &l.questions, l.timeline
	if !h.older {
		return nil
	}
	before, ok := t.beforeOldest()
	if !ok {
		t.noOlder(nil)
		h.older = false
		return nil
	}
	return &question{
		frame: historyBefore(before, olderLimit),
		answer: func(page shared.Message) {
			if t.older(before, page) {
				h.older = false
			}
		},
		giveUp: func(err error) {
			t.noOlder(err)
			h.older = false
		},
	}
}

// askAround loads older history up to a message that is not far, or an excerpt.
func (l *loop) askAround() *question {
	h, t := &l.questions, l.timeline
	offset := h.around
	if offset == 0 {
		return nil
	}
	reached := func(e Excerpt) {
		if h.around == offset {
			h.around = 0
		}
		e.Offset = offset
		t.change(Change{Kind: Reached, Excerpt: &e})
	}
	if r := t.byOffset[offset]; r != nil {
		reached(Excerpt{ID: r.ID})
		return nil
	}
	if before, ok := t.beforeOldest(); ok && offset < before && before-offset <= aroundReach {
		return &question{
			frame:  historyBefore(before, shared.MaxHistory),
			answer: func(page shared.Message) { t.older(before, page) },
			giveUp: func(err error) { reached(Excerpt{Err: cmp.Or(err, ErrRefused)}) },
		}
	}
	return &question{
		frame: historyBefore(min(offset+aroundAfter, shared.MaxAsked), olderLimit),
		answer: func(page shared.Message) {
			e := Excerpt{Items: t.items(page.Messages), Err: ErrGone}
			for _, m := range page.Messages {
				if m.Offset == offset {
					e.Err = nil
				}
			}
			reached(e)
		},
		giveUp: func(err error) { reached(Excerpt{Err: cmp.Or(err, ErrRefused)}) },
	}
}

// askSearch asks until there is a hit: the server answers after some time, wherever it
// is in the log.
func (l *loop) askSearch() *question {
	h, t := &l.questions, l.timeline
	s := h.search
	if s == nil {
		return nil
	}
	found := func() {
		if h.search == s {
			h.search = nil
			t.change(Change{Kind: Found, Search: s})
		}
	}
	if !l.state.CanSearch {
		s.Err = ErrRefused
		found()
		return nil
	}
	return &question{
		frame: shared.Message{Type: shared.TypeSearch, Text: s.Text, Before: s.Next},
		answer: func(page shared.Message) {
			if page.More && (page.Before == 0 || s.Next > 0 && page.Before >= s.Next) { // it leads nowhere
				s.Err, page.More = ErrUnreadable, false
			}
			s.Hits, s.Next, s.More = t.items(page.Messages), page.Before, page.More
			if len(s.Hits) > 0 || !s.More {
				found()
			}
		},
		giveUp: func(err error) {
			s.Err = cmp.Or(err, ErrRefused)
			found()
		},
	}
}

func (l *loop) askWho() *question {
	h, t := &l.questions, l.timeline
	id := h.who
	if id == "" {
		return nil
	}
	told := func(w Who) {
		if w.ID = id; h.who == id {
			h.who = ""
			t.change(Change{Kind: Reactors, Who: &w})
		}
	}
	r := t.ids[id]
	switch {
	case !l.state.CanChange:
		told(Who{Err: ErrRefused})
		return nil
	case r == nil || r.Epoch != t.epoch || r.Epoch == "":
		told(Who{Err: ErrGone})
		return nil
	}
	return &question{
		frame: shared.Message{Type: shared.TypeReactions, Target: r.Offset},
		answer: func(m shared.Message) {
			var w Who
			for _, reactors := range m.Reactors {
				w.Names = append(w.Names, Names{reactors.Emoji, reactors.Names})
			}
			told(w)
		},
		giveUp: func(err error) { told(Who{Err: cmp.Or(err, ErrRefused)}) },
	}
}

func historyBefore(offset int64, limit int) shared.Message {
	return shared.Message{Type: shared.TypeHistory, Before: offset, Limit: limit}
}

// items are messages as they are shown, apart from the timeline.
func (t *timeline) items(messages []shared.Message) (items []Item) {
	for _, m := range messages {
		if r := t.byOffset[m.Offset]; r != nil && r.Entry == entryID(m) {
			t.refresh(r, m, true)
			items = append(items, r.Item)
			continue
		}
		items = append(items, t.newRow(m, true).Item)
	}
	return items
}

// answer takes the answer to the question that is on its way.
func (l *loop) answer(m shared.Message) {
	q := l.questions.asked
	switch {
	case q == nil || m.Type != q.frame.Type:
	case l.timeline.meanwhile.older(m.Messages):
		l.questions.asked = nil // it is asked again
	case m.Type == shared.TypeHistory && m.More && m.After == 0 && m.Changed == 0 && len(m.Messages) == 0: // there is more, but it does not say where
		l.unreadable()
	default:
		l.questions.asked = nil
		q.answer(m)
		l.timeline.notices.due = true
	}
}

// unanswered takes an error that names no message: the question is asked again
// later, or given up.
func (l *loop) unanswered(m shared.Message) {
	q := l.questions.asked
	l.questions.asked = nil
	switch {
	case q == nil:
	case !m.Code.Final():
		pause := max(time.Second, time.Duration(m.RetryMS)*time.Millisecond)
		l.waitToAsk(min(pause, longestPause))
	default:
		q.giveUp(nil)
	}
}

// unreadable handles an answer that this version can't read. The server would
// answer the same again, so the question has to wait.
func (l *loop) unreadable() {
	q := l.questions.asked
	l.questions.asked = nil
	if q != nil {
		q.giveUp(ErrUnreadable)
		l.waitToAsk(unreadableWait)
	}
}

func (l *loop) waitToAsk(d time.Duration) { l.questions.notBefore = l.clock.Now().Add(d) }
