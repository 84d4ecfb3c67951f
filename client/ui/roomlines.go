package ui

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/conversation"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// roomLine is a room of the list.
type roomLine struct {
	name, sub string
	when      time.Time // of the newest message, in one of the person's rooms
	newest    time.Time // what the person's rooms are sorted by
	draft     bool      // sub is what was written and not sent
	unread    int
	conv      *conversation.Room // nil when it is not open
	mine      bool
	current   bool // its page is on the screen
	locked    bool
}

// gather sorts the rooms that are open, that the server tells of and that the
// store has: the person's own, others with people in them, and others in which
// something was said.
func gather(c *client, told []session.RoomInfo, recent []store.Recent) (mine, lively, quiet []roomLine) {
	active := make(map[string]session.RoomInfo)
	for _, r := range told {
		active[conversation.Key(r.Name)] = r
	}
	known := make(map[string]bool)
	for _, conv := range c.open {
		known[conv.Key] = true
		mine = append(mine, openLine(conv, active[conv.Key]))
	}
	for _, r := range recent {
		if key := conversation.Key(r.Room); !known[key] {
			known[key] = true
			mine = append(mine, keptLine(c.clock, r, active[key]))
		}
	}
	slices.SortStableFunc(mine, func(a, b roomLine) int {
		return cmp.Or(b.newest.Compare(a.newest), strings.Compare(conversation.Key(a.name), conversation.Key(b.name)))
	})
	for _, r := range told {
		key := conversation.Key(r.Name)
		switch line := (roomLine{name: text.OneLine(r.Name), locked: r.Locked}); {
		case known[key]:
		case r.Count > 0:
			line.sub = peopleLine(c.clock, r)
			lively = append(lively, line)
		default:
			line.sub = c.clock.When(r.LastActivity)
			quiet = append(quiet, line)
		}
		known[key] = true
	}
	return mine, lively, quiet
}

// openLine is an open room in the list; told is what the server says of it.
func openLine(c *conversation.Room, told session.RoomInfo) roomLine {
	line := roomLine{name: c.Title(), mine: true, unread: c.Unread, conv: c, current: c.Page != nil, locked: told.Locked || c.Locked}
	item, _ := c.Last()
	line.about(item, c.Used)
	switch draft := c.Session.Draft(); {
	case !line.current && draft != "":
		line.drafted(draft)
	case item.ID == "":
		line.sub = lang.Plural("people.here", c.Count)
	}
	return line
}

// keptLine is one of the person's rooms that is not open.
func keptLine(now lang.Clock, r store.Recent, told session.RoomInfo) roomLine {
	line := roomLine{name: text.OneLine(r.Room), mine: true, unread: r.Unread, locked: told.Locked || r.Locked}
	line.about(r.Last, r.Used)
	switch {
	case r.Draft != "":
		line.drafted(r.Draft)
	case r.Last.ID == "":
		line.sub = peopleLine(now, told)
	}
	if told.LastActivity.After(line.newest) {
		line.when, line.newest = told.LastActivity, told.LastActivity
	}
	return line
}

// about shows the newest message. A room without one counts from its last use.
func (l *roomLine) about(item session.Item, used time.Time) {
	if item.ID == "" {
		l.newest = used
		return
	}
	l.sub, l.when, l.newest = preview(item), item.Time, item.Time
}

func (l *roomLine) drafted(draft string) {
	l.sub, l.draft = lang.T("rooms.draft", "text", shortened(draft)), true
}

// peopleLine says who is in a room and when it was last used.
func peopleLine(now lang.Clock, r session.RoomInfo) string {
	s := lang.Plural("people.here", r.Count)
	if !r.LastActivity.IsZero() {
		s += " · " + now.Ago(r.LastActivity)
	}
	return s
}

// preview is a message in one line.
func preview(item session.Item) string {
	if item.Deleted {
		return lang.Plural("log.deleted", 1)
	}
	if item.Mine {
		return lang.T("rooms.preview.mine", "text", shortened(conversation.Said(item)))
	}
	return lang.T("rooms.preview", "name", text.OneLine(item.User), "text", shortened(conversation.Said(item)))
}

// shortened is the beginning of a text in one line.
func shortened(s string) string {
	body := text.OneLine(s)
	if g := text.Graphemes(body[:min(len(body), 400)]); len(g) > 80 {
		body = strings.Join(g[:80], "") + "…"
	}
	return body
}

// keepOrder puts rooms that were listed before into the order of then, and the
// others behind them: a room must not move away under a finger.
func keepOrder(before, rooms []session.RoomInfo) []session.RoomInfo {
	rank := make(map[string]int)
	for i, r := range before {
		rank[conversation.Key(r.Name)] = i + 1
	}
	place := func(r session.RoomInfo) int { return cmp.Or(rank[conversation.Key(r.Name)], len(before)+1) }
	return slices.SortedStableFunc(slices.Values(rooms), func(a, b session.RoomInfo) int { return place(a) - place(b) })
}
