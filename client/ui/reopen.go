package ui

import (
	"slices"
	"strings"

	"parley/client/session"
	"parley/client/store"
)

// maxReopened is how many of one's rooms connect when the app starts.
const maxReopened = 16

// reopen opens one's rooms on the server as they were, without their pages: the
// last used first, in front of all the one whose page was on the screen, which it
// returns. The others connect when that one has, or can't.
func (c *client) reopen() (shown *conversation) {
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
		conv.unread, conv.reopened, conv.waits = r.Unread, true, shown != nil
		c.open = append(c.open, conv)
		if r.Shown && shown == nil {
			shown, conv.place = conv, r.Place
		}
	}
	return shown
}

// connect has a room connect that waits for the one that was shown.
func (c *conversation) connect() {
	if c.waits {
		c.waits = false
		c.room.Resume()
	}
}

// recent are the rooms of earlier on the server, the last used first.
func (c *client) recent() []store.Recent {
	if c.store == nil {
		return nil
	}
	return slices.DeleteFunc(c.store.Recent(), func(r store.Recent) bool { return r.Server != c.prefs.server() })
}

// recentRoom is what is kept of a room.
func (c *client) recentRoom(name string) store.Recent {
	key, recent := roomKey(name), c.recent()
	if i := slices.IndexFunc(recent, func(r store.Recent) bool { return roomKey(r.Room) == key }); i >= 0 {
		recent[i].Room = name
		return recent[i]
	}
	return store.Recent{Room: name}
}

// openRoom connects with a room; config has what is not the same for all.
func (c *client) openRoom(r store.Recent, config session.Config) *conversation {
	conv := &conversation{
		client: c, key: roomKey(r.Room), name: strings.TrimSpace(r.Room), timeline: newTimeline(),
		entered: now(), used: r.Used, stored: r.Unread, locked: r.Locked || config.Key != "",
	}
	config.Server, config.Room, config.User = c.prefs.server(), conv.name, c.prefs.name()
	config.Store, config.Pins, config.Dial = c.kept(), c.pins, c.net.dial
	config.OnWake = func() { c.bridge.wake(conv.drain) }
	conv.room = c.net.open(config)
	return conv
}
