package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/conversation"
)

// find is the open room of a name in any spelling, or nil.
func (c *client) find(name string) *conversation.Room {
	key := conversation.Key(name)
	for _, conv := range c.open {
		if conv.Key == key {
			return conv
		}
	}
	return nil
}

// recent are the earlier rooms on the server, the last used first.
func (c *client) recent() []store.Recent {
	if c.store == nil {
		return nil
	}
	return slices.DeleteFunc(c.store.Recent(), func(r store.Recent) bool { return r.Server != c.prefs.server() })
}

// recentRoom is what is kept of a room.
func (c *client) recentRoom(name string) store.Recent {
	key, recent := conversation.Key(name), c.recent()
	if i := slices.IndexFunc(recent, func(r store.Recent) bool { return conversation.Key(r.Room) == key }); i >= 0 {
		recent[i].Room = name
		return recent[i]
	}
	return store.Recent{Room: name}
}

// openRoom connects with a room; config has what is not the same for all.
func (c *client) openRoom(r store.Recent, config session.Config) *conversation.Room {
	conv := conversation.NewRoom(c, c.clock, r.Room)
	conv.Used, conv.Stored, conv.Locked = r.Used, r.Unread, r.Locked || config.Key != ""
	config.Server, config.Room, config.User = c.prefs.server(), conv.Name, c.prefs.name()
	config.Store, config.Pins, config.Dial = c.kept(), c.pins, c.net.dial
	config.OnWake = func() { c.bridge.Wake(conv.Drain) }
	conv.Session = c.net.open(config)
	return conv
}

// maxReopened is how many of the person's rooms connect when the app starts.
const maxReopened = 16

// reopen opens the person's rooms on the server as they were, without their
// pages: first the one whose page was on the screen, which it returns, then the
// others from the last used on. Those connect once the first has, or can't.
func (c *client) reopen() (shown *conversation.Room) {
	recent := c.recent()
	slices.SortStableFunc(recent, func(a, b store.Recent) int {
		switch {
		case a.Shown == b.Shown:
			return 0
		case a.Shown:
			return -1
		}
		return 1
	})
	for _, r := range recent[:min(len(recent), maxReopened)] {
		conv := c.openRoom(r, session.Config{Paused: shown != nil})
		conv.Unread, conv.Reopened, conv.Waits = r.Unread, true, shown != nil
		c.open = append(c.open, conv)
		if r.Shown && shown == nil {
			shown, conv.Place = conv, r.Place
		}
	}
	return shown
}

// forget leaves a room, if it is open, and deletes what is kept of it.
func (c *client) forget(name string) {
	server := c.prefs.server()
	delete := func() {
		if c.store == nil {
			return
		}
		if err := c.store.Forget(server, name); err != nil {
			fyne.LogError("The room could not be forgotten", err)
		}
	}
	if conv := c.find(name); conv != nil {
		c.leave(conv, delete)
		return
	}
	delete()
	c.remember()
}

// leave closes a room's connection and its page, and then does the rest.
func (c *client) leave(conv *conversation.Room, rest ...func()) {
	c.open = slices.DeleteFunc(c.open, func(o *conversation.Room) bool { return o == conv })
	c.system.withdraw(conv.Key)
	c.nav.drop(func(p page) bool {
		r, ok := p.(roomShower)
		return ok && r.conversation() == conv
	})
	c.bridge.Run(c.bridge.Context, func(context.Context) func() {
		conv.Session.Close()
		for _, f := range rest {
			f()
		}
		return c.remember // by now the store knows when it was seen
	})
	c.roomsChanged()
}

// leaveAll closes every room, as before going to another server.
func (c *client) leaveAll() {
	for _, conv := range slices.Clone(c.open) {
		c.leave(conv)
	}
}

// roomsChanged draws the list of rooms again, if it is on the screen.
func (c *client) roomsChanged() {
	for _, p := range c.nav.shown {
		if p, ok := p.(roomsPage); ok {
			p.list()
		}
	}
}

// remember reads the list of rooms from the store again.
func (c *client) remember() {
	for _, s := range c.nav.stack {
		if p, ok := s.page.(roomsPage); ok {
			p.remember()
		}
	}
}

// What follows makes the client the owner of its rooms.

func (c *client) InFront() bool { return c.focused }

func (c *client) Changed(*conversation.Room) {
	c.look()
	c.retitle()
	c.roomsChanged()
}

func (c *client) News(conv *conversation.Room, of []session.Item) { notify(c, conv, of) }

func (c *client) Looked(conv *conversation.Room) { c.system.withdraw(conv.Key) }

func (c *client) Settled() {
	for _, conv := range c.open {
		conv.Connect()
	}
}

func (c *client) Say(sentence string) { c.nav.Say(sentence) }
