package ui

import (
	"slices"
	"time"

	"parley/client/session"
	"parley/client/ui/text"
	"parley/shared"
)

// conversation is an open room: its connection, what was said, and what of it
// the person has not seen. It lives on the UI goroutine.
type conversation struct {
	client   *client
	key      string // tells rooms apart
	name     string // as it was entered
	room     *session.Room
	timeline *timeline

	status session.Status
	people []string
	count  int
	typing []string

	locked    bool // it has a passphrase
	unread    int
	fresh     string        // id of the first message that was not seen
	stored    int           // messages that were kept and not seen before this visit
	known     bool          // there were messages before this visit
	entered   time.Time     // when the room was opened or came onto the screen
	used      time.Time     // when its page was opened last
	reopened  bool          // with the app, and not looked at since
	saveError bool          // the device can't save what is written here
	waits     bool          // it connects when the room that is shown has
	place     session.Place // where its page begins; the zero Place is the end

	page *roomPage // while it is on the screen
}

// seen reports whether the person looks at the room now.
func (c *conversation) seen() bool { return c.page != nil && c.client.focused }

// drain applies what waits in the session.
func (c *conversation) drain() { c.apply(c.room.Take()) }

// apply shows a batch of changes: the timeline first, all at once, then what
// stands around it.
func (c *conversation) apply(batch []session.Change) {
	if len(batch) == 0 {
		return
	}
	var news []session.Item
	missed := ""
	for _, change := range batch {
		switch change.Kind {
		case session.Reset:
			c.known = len(change.Items) > 0
			missed = c.firstUnseen(change.Items)
		case session.Append:
			for _, item := range change.Items {
				if item.Mine || item.Kind != session.KindMessage {
					continue
				}
				news = append(news, item)
				if missed == "" && c.known && item.Time.Before(c.entered) {
					missed = item.ID
				}
			}
		case session.StatusChanged:
			c.status = change.Status
			c.locked = c.status.Locked || asksForKey(c.status)
			c.saveError = false
			if c.status.State != session.Connecting && c.status.Cause != session.CausePaused {
				for _, other := range c.client.open {
					other.connect()
				}
			}
		case session.PeopleChanged:
			c.people, c.count = change.People, change.Count
		case session.TypingChanged:
			c.typing = change.Typing
		case session.Renamed:
			if c.page != nil {
				c.client.nav.say(tr("room.renamed", "old", text.OneLine(change.From), "new", text.OneLine(change.To)))
			}
		case session.StoreFailed:
			c.saveError = true
		}
	}
	c.notice(news, missed)
	if c.page != nil {
		c.page.change(batch)
	} else {
		for _, change := range batch {
			c.timeline.apply(change)
		}
	}
	if c.seen() {
		c.room.MarkRead()
	}
	c.client.roomChanged(c)
}

// notice counts what is new and tells the person who does not look.
func (c *conversation) notice(news []session.Item, missed string) {
	if c.seen() {
		if missed != "" && c.timeline.fresh == "" {
			c.timeline.fresh = missed // the row comes with this batch
		}
		return
	}
	if c.fresh == "" && c.unread > 0 {
		c.fresh = missed // of a room that was opened without its page
	}
	if len(news) == 0 {
		return
	}
	c.unread += len(news)
	if c.fresh == "" {
		c.fresh = news[0].ID
		if c.page != nil {
			c.timeline.fresh = c.fresh
		}
	}
	if c.reopened { // what was said before the app began is counted, no more
		news = slices.DeleteFunc(news, func(item session.Item) bool { return item.Time.Before(c.entered) })
	}
	c.client.notify(c, news)
}

// firstUnseen is the first of the kept messages that were not seen, or "".
func (c *conversation) firstUnseen(items []session.Item) (id string) {
	for i := len(items) - 1; i >= 0 && c.stored > 0; i-- {
		if item := items[i]; !item.Mine && item.Kind == session.KindMessage {
			id = item.ID
			c.stored--
		}
	}
	c.stored = 0
	return id
}

// visit begins a look at the room: the line of what is new moves to what came
// since the last one, or goes.
func (c *conversation) visit() {
	c.timeline.setFresh(c.fresh)
	c.look()
}

// look says that the person looks at the room from now on.
func (c *conversation) look() {
	if c.fresh != "" {
		c.timeline.setFresh(c.fresh)
	}
	if c.page != nil {
		c.page.list.settle()
	}
	c.client.system.withdraw(c.key)
	c.unread, c.fresh = 0, ""
	c.entered, c.reopened = now(), false
	c.room.MarkRead()
	c.client.roomChanged(c)
}

// last is the newest message, for a preview.
func (c *conversation) last() (session.Item, bool) {
	for i := len(c.timeline.rows) - 1; i >= 0; i-- {
		if item := c.timeline.rows[i].item; item.Kind == session.KindMessage {
			return item, true
		}
	}
	return session.Item{}, false
}

// roomKey is what two spellings of a room's name have in common.
func roomKey(name string) string {
	n, err := shared.RoomName(name)
	if err != nil {
		return name
	}
	return n.Key
}
