// Package conversation is the view of one room: a list of its messages that draws
// only the rows in sight, and a composer. It knows nothing of the app's pages: a
// Room tells its Owner and its View what they need.
package conversation

import (
	"slices"
	"strings"
	"time"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// Owner is the app that a conversation is open in.
type Owner interface {
	InFront() bool                   // the person looks at the app
	Changed(*Room)                   // a room's state is shown elsewhere too
	News(c *Room, of []session.Item) // messages came that the person does not see
	Looked(*Room)                    // the person has begun to look at the room
	Settled()                        // a room has connected, or can't
	Say(sentence string)
}

// View is the page that shows a conversation.
type View interface {
	Change([]session.Change) // instead of the timeline's apply
	Unwritten(text string)   // of an edit that came to nothing
	Settle()                 // draws the rows again
}

// Room is an open room: its connection, what was said, and what of it
// the person has not seen. It lives on the UI goroutine.
type Room struct {
	owner    Owner
	Clock    lang.Clock
	Key      string // tells rooms apart
	Name     string // as it was entered
	Session  *session.Room
	Timeline *Timeline

	Status  session.Status
	Hosting session.Hosting
	Roles   []session.Role // as they were told last
	Waiting []session.Waiting
	People  []string
	Count   int
	Typing  []string

	Locked    bool // it has a passphrase
	Unread    int
	Fresh     string        // id of the first message that was not seen
	Stored    int           // messages that were kept and not seen before this visit
	known     bool          // there were messages before this visit
	entered   time.Time     // when the room was opened or came onto the screen
	Used      time.Time     // when its page was opened last
	Reopened  bool          // with the app, and not looked at since
	SaveError error         // why the device can't save what is written here; nil if it can
	Task      *Task         // what the text in the composer is for: see SetTask
	restored  bool          // what it was for when the app ended is known
	Waits     bool          // it connects when the room that is shown has
	Place     session.Place // the place that its page begins at; the zero Place is the end

	Page View // while it is on the screen
}

// NewRoom makes the state of a room by its name. The caller sets room.
func NewRoom(o Owner, now lang.Clock, name string) *Room {
	return &Room{
		owner: o, Clock: now, Key: Key(name), Name: strings.TrimSpace(name), Timeline: newTimeline(now), entered: now(),
	}
}

// seen reports whether the person looks at the room now.
func (c *Room) seen() bool { return c.Page != nil && c.owner.InFront() }

// Drain applies what waits in the session.
func (c *Room) Drain() { c.Apply(c.Session.Take()) }

// Apply shows a batch of changes: the timeline first, all at once, then what
// stands around it.
func (c *Room) Apply(batch []session.Change) {
	if len(batch) == 0 {
		return
	}
	var news []session.Item
	missed := ""
	for _, change := range batch {
		c.renewTask(change)
		switch change.Kind {
		case session.Reset:
			c.known = len(change.Items) > 0
			c.restoreTask(change.Items)
			missed = c.firstUnseen(change.Items)
		case session.Append:
			for _, item := range change.Items {
				if !isNews(item) {
					continue
				}
				news = append(news, item)
				if missed == "" && c.known && item.Time.Before(c.entered) {
					missed = item.ID
				}
			}
		case session.StatusChanged:
			c.Status = change.Status
			c.Locked = c.Status.Locked || c.Status.AsksForKey()
			if c.Status.State != session.Connecting && c.Status.Cause != session.CausePaused {
				c.owner.Settled()
			}
		case session.PeopleChanged:
			c.People, c.Count = change.People, change.Count
		case session.TypingChanged:
			c.Typing = change.Typing
		case session.Renamed:
			if c.Page != nil {
				c.owner.Say(lang.T("room.renamed", "old", text.OneLine(change.From), "new", text.OneLine(change.To)))
			}
		case session.HostingChanged:
			if change.Hosting.Late && !c.Hosting.Late {
				c.owner.Say(lang.T("host.late"))
			}
			if like := change.Hosting.Like; like != "" && c.Hosting.Like == "" {
				c.owner.Say(lang.T("room.like", "why", text.OneLine(like)))
			}
			c.Hosting = change.Hosting
		case session.WaitingChanged:
			c.Waiting = change.Waiting
		case session.RolesTold:
			if change.Roles.Err == nil {
				c.Roles = change.Roles.List
			}
		case session.StoreFailed:
			c.SaveError = change.Err
		case session.Undone:
			c.undone(*change.Undo)
		}
	}
	c.notice(news, missed)
	if c.Page != nil {
		c.Page.Change(batch)
	} else {
		for _, change := range batch {
			c.Timeline.apply(change)
		}
	}
	if c.seen() {
		c.Session.MarkRead()
	}
	c.owner.Changed(c)
}

// renewTask makes the task about the message as it is now. An answer to one that is
// deleted becomes a message by itself.
func (c *Room) renewTask(change session.Change) {
	if c.Task == nil {
		return
	}
	for _, item := range change.Items {
		of := &c.Task.Of
		switch {
		case item.ID == of.ID:
			*of = item
		case change.Kind == session.Elsewhere && item.Offset == of.Offset:
			of.Text, of.Deleted = item.Text, item.Deleted
		}
	}
	if c.Task.void() {
		c.SetTask(nil)
	}
}

// SetTask says what the text in the composer is for, now and after the app has ended.
func (c *Room) SetTask(t *Task) {
	c.Task, c.restored = t, true
	c.KeepTask()
}

// KeepTask keeps the text of an edit.
func (c *Room) KeepTask() {
	kept := session.Task{}
	if t := c.Task; t != nil {
		kept = session.Task{Row: t.Of.ID, Edit: t.Edit, Text: t.Written}
	}
	c.Session.SetTask(kept)
}

// restoreTask goes on with what the text was for when the app ended. If the message is
// not among the rows that were kept, what was kept of it is shown. If nothing was, since the
// message is deleted, an edit stays one until it is sent.
func (c *Room) restoreTask(items []session.Item) {
	if c.restored {
		return
	}
	kept := c.Session.Task()
	c.restored = true
	for _, item := range items {
		if item.ID == kept.Row && (item.Addressable() || kept.Edit) {
			c.Task = &Task{Edit: kept.Edit, Of: item, Written: kept.Text}
			return
		}
	}
	if q := kept.Quote; kept.Edit || q.Offset > 0 && !has(items, kept.Row) {
		of := session.Item{ID: kept.Row, Offset: q.Offset, User: q.User, Text: q.Text, Mine: kept.Edit && q.Offset > 0}
		c.Task = &Task{Edit: kept.Edit, Of: of, Written: kept.Text}
		return
	}
	c.KeepTask()
}

func has(items []session.Item, id string) bool {
	return slices.ContainsFunc(items, func(item session.Item) bool { return item.ID == id })
}

// joinDraft adds a text to the draft.
func (c *Room) joinDraft(s string) {
	c.Session.SetDraft(strings.TrimSpace(c.Session.Draft() + "\n" + s))
}

// undone says that a change of the person's own came to nothing. The text of an edit
// goes into the composer or, without a page, into the draft.
func (c *Room) undone(u session.Undo) {
	c.owner.Say(undoneSentence(u))
	switch {
	case u.Did != session.DidEdit:
	case c.Page != nil:
		c.Page.Unwritten(u.Text)
	default:
		c.joinDraft(u.Text)
	}
}

// notice counts what is new and tells the person who does not look.
func (c *Room) notice(news []session.Item, missed string) {
	if c.seen() {
		if missed != "" && c.Timeline.Fresh == "" {
			c.Timeline.Fresh = missed // the row comes with this batch
		}
		return
	}
	if c.Fresh == "" && c.Unread > 0 {
		c.Fresh = missed // of a room that was opened without its page
	}
	if len(news) == 0 {
		return
	}
	c.Unread += len(news)
	if c.Fresh == "" {
		c.Fresh = news[0].ID
		if c.Page != nil {
			c.Timeline.Fresh = c.Fresh
		}
	}
	if c.Reopened { // what was said before the app began is counted, no more
		news = slices.DeleteFunc(news, func(item session.Item) bool { return item.Time.Before(c.entered) })
	}
	c.owner.News(c, news)
}

// firstUnseen is the first of the kept messages that were not seen, or "".
func (c *Room) firstUnseen(items []session.Item) (id string) {
	for i := len(items) - 1; i >= 0 && c.Stored > 0; i-- {
		if item := items[i]; isNews(item) {
			id = item.ID
			c.Stored--
		}
	}
	c.Stored = 0
	return id
}

// Visit begins a look at the room: the line of what is new moves to what came
// since the last one, or goes.
func (c *Room) Visit() {
	c.Timeline.SetFresh(c.Fresh)
	c.Look()
}

// Look says that the person looks at the room from now on.
func (c *Room) Look() {
	if c.Fresh != "" {
		c.Timeline.SetFresh(c.Fresh)
	}
	if c.Page != nil {
		c.Page.Settle()
	}
	c.owner.Looked(c)
	c.Unread, c.Fresh = 0, ""
	c.entered, c.Reopened = c.Clock(), false
	c.Session.MarkRead()
	c.owner.Changed(c)
}

// Connect connects a room that waits for the one that was shown.
func (c *Room) Connect() {
	if c.Waits {
		c.Waits = false
		c.Session.Resume()
	}
}

// Title is the room's name, fit to be shown in a line.
func (c *Room) Title() string { return text.OneLine(c.Name) }

// Authors are who wrote last under each name, so that a person has one colour
// in the conversation and in the list of people.
func (c *Room) Authors() map[string]string {
	authors := make(map[string]string)
	for _, r := range c.Timeline.rows {
		if r.item.Kind == session.KindMessage {
			authors[r.item.User] = authorOf(r.item)
		}
	}
	return authors
}

// Names are those that the person has had here, and the one they have now.
func (c *Room) Names(now string) []string {
	names := []string{now}
	seen := map[string]bool{names[0]: true}
	for _, r := range c.Timeline.rows {
		if r.item.Mine && !seen[r.item.User] {
			seen[r.item.User] = true
			names = append(names, r.item.User)
		}
	}
	return names
}

// Last is the newest message, for a preview.
func (c *Room) Last() (session.Item, bool) {
	for i := len(c.Timeline.rows) - 1; i >= 0; i-- {
		if item := c.Timeline.rows[i].item; item.Kind == session.KindMessage {
			return item, true
		}
	}
	return session.Item{}, false
}

// Key is what two spellings of a room's name have in common.
func Key(name string) string {
	n, err := shared.RoomName(name)
	if err != nil {
		return name
	}
	return n.Key
}
