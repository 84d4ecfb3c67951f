package ui

import (
	"context"
	"errors"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// lostPatience is how long the rooms try to connect before the server is looked for.
const lostPatience = 5 * time.Second

// lost is the search for a server that the rooms can't reach: it may have another address
// now. It belongs to the UI goroutine.
type lost struct {
	waits      bool               // for the end of the patience
	stop       context.CancelFunc // of the search that runs
	offer      *session.Nearby    // who says to be the server; the person decides
	stayed     []string           // addresses that the person did not want to go to
	moving     bool
	identified string // the server that was asked for its id
}

// look follows the state of the rooms: it asks a server that is reached for its id, and
// looks for one that is not.
func (c *client) look() {
	switch l := &c.lost; {
	case l.moving:
	case slices.ContainsFunc(c.open, func(conv *conversation.Room) bool { return conv.Status.State == session.Connected }):
		c.endSeeking()
		c.offer(nil)
		c.identify()
	case !l.waits && l.stop == nil && l.offer == nil && c.unreached():
		l.waits = true
		c.askForNetwork()
		c.bridge.Later(c.patience, func() {
			l.waits = false
			if c.unreached() && l.stop == nil {
				c.seek()
			}
		})
	}
}

// unreached reports whether the app is in front and its rooms can't reach the server.
func (c *client) unreached() bool {
	switch c.nav.top().(type) {
	case roomShower, roomsPage:
	default:
		return false // the person is about to choose another server, or busy
	}
	reached, failed := false, false
	for _, conv := range c.open {
		switch conv.Status.Cause {
		case session.CauseUnreachable, session.CauseTimeout, session.CauseRefused, session.CauseLost, session.CauseNotParley,
			session.CauseTLS, session.CauseCertChanged:
			failed = true
		}
		reached = reached || conv.Status.State == session.Connected
	}
	return c.focused && failed && !reached && !c.lost.moving
}

// identify asks the server for the id by which it can be found again.
func (c *client) identify() {
	server := c.prefs.server()
	if c.store == nil || c.lost.identified == server {
		return
	}
	c.lost.identified = server
	c.bridge.Run(c.bridge.Context, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		info, err := c.net.probe(ctx, server, c.pins)
		if err == nil && info.ID != "" && info.ID != c.store.ID(server) {
			err = c.store.SetID(server, info.ID)
		}
		return func() {
			if err != nil && c.lost.identified == server {
				c.lost.identified = "" // asked again at the next connection
			}
		}
	})
}

// seek looks for the server by its id. One that is known by its certificate proves by it
// that it is the one; the rooms go there at once. Of others the person decides.
func (c *client) seek() {
	server := c.prefs.server()
	words := c.pins.Words(server)
	if c.net.search == nil || c.store == nil || isTLS(server) && words == "" { // whom an authority vouches for has a name, which follows it
		return
	}
	id := c.store.ID(server)
	if id == "" {
		return
	}
	ctx, cancel := context.WithCancel(c.bridge.Context)
	c.lost.stop = cancel
	no := append([]string{server}, c.lost.stayed...)
	hearMulticast(c, ctx)
	c.bridge.Run(ctx, func(running context.Context) func() {
		running, enough := context.WithCancel(running)
		defer enough()
		var found *session.Nearby
		c.net.search(running, session.Discovery{Pins: c.pins, ID: id, Words: words}, func(f session.Nearby) {
			if found == nil && !slices.Contains(no, f.Base) {
				found = &f
				enough()
			}
		})
		return func() {
			if ctx.Err() != nil || server != c.prefs.server() {
				return
			}
			c.endSeeking()
			switch {
			case found == nil:
			case words != "":
				c.move(found.Base)
			default:
				c.offer(found)
			}
		}
	})
}

func (c *client) endSeeking() {
	if c.lost.stop != nil {
		c.lost.stop()
		c.lost.stop = nil
	}
}

// offer shows who says to be the server, or with nil, nobody any more.
func (c *client) offer(f *session.Nearby) {
	if f == c.lost.offer {
		return
	}
	c.lost.offer = f
	c.roomsChanged()
	if p, ok := c.nav.top().(*roomPage); ok {
		p.state()
	}
}

// offerSentence is what a person reads of the offer, "" if there is none.
func (c *client) offerSentence() string {
	f := c.lost.offer
	if f == nil {
		return ""
	}
	return lang.T("banner.moved", "name", serverName(f.Info), "address", hostOf(f.Base))
}

// askToMove asks whether the rooms are to go where somebody says to be the server.
func askToMove(c *client) {
	f := c.lost.offer
	if f == nil {
		return
	}
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("moved.title", "address", hostOf(f.Base)),
		kit.NewText(lang.T("moved.why"), kit.FontSmall, kit.RoleMuted),
		kit.NewPrimary(lang.T("moved.go"), func() {
			o.Close()
			c.move(f.Base)
		}),
		kit.NewSecondary(lang.T("moved.stay"), func() {
			o.Close()
			c.lost.stayed = append(c.lost.stayed, f.Base)
			c.offer(nil)
		}))
}

// move takes the rooms, with all that waits in them, to another address of the server, and
// begins there as the app does when it starts. Meanwhile no room can be opened.
func (c *client) move(to string) {
	from := c.prefs.server()
	open := c.open
	c.lost.moving, c.lost.offer = true, nil
	c.bridge.Run(c.bridge.Context, func(context.Context) func() {
		for _, conv := range open {
			conv.Session.Close() // saves what waits
		}
		err := c.store.Move(from, to)
		return func() {
			c.lost.moving, c.open = false, nil
			outcome := lang.T("moved.done", "address", hostOf(to))
			switch {
			case err == nil:
				c.pins.Moved(from, to)
				c.prefs.setServer(to)
			case errors.Is(err, store.ErrBothWait):
				c.lost.stayed = append(c.lost.stayed, to)
				outcome = lang.T("moved.both", "address", hostOf(to))
			default:
				fyne.LogError("The rooms could not be moved", err)
				c.lost.stayed = append(c.lost.stayed, to)
				outcome = lang.T("moved.failed")
			}
			c.ways.start()
			c.Say(outcome)
		}
	})
}

// serverName is what a server calls itself, in a line of some 80 characters at most.
func serverName(info session.ServerInfo) string {
	if name := shortened(info.Name); name != "" {
		return name
	}
	return "Parley"
}
