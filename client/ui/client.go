package ui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/session"
	"parley/client/store"
)

// network is the way to servers.
type network struct {
	probe func(ctx context.Context, base string, pins *session.Pins) (session.ServerInfo, error)
	rooms func(ctx context.Context, base string, pins *session.Pins) ([]session.RoomInfo, error)
	open  func(session.Config) *session.Room
	dial  session.DialFunc // of the rooms that open opens; probe and rooms have it
}

// client is the app: its window, its settings and the rooms that are open.
// Everything in it belongs to the UI goroutine.
type client struct {
	app          fyne.App
	window       fyne.Window
	prefs        prefs
	bridge       *bridge
	net          network
	store        *store.Store // nil: rooms live in memory
	pins         *session.Pins
	storeProblem string // what is wrong with the store: a key's end
	nav          *navigator
	open         []*conversation // the last entered first
	focused      bool            // the window has the focus; a phone's app is in front
	notices      int             // notifications since the window lost the focus
	system       system
	sent         bool   // something, since the app was started
	asleep       func() // cancels the pause of an app in the background
}

func newClient(app fyne.App, window fyne.Window, b *bridge, net network, store *store.Store) *client {
	c := &client{app: app, window: window, prefs: prefs{app.Preferences()}, bridge: b, net: net, store: store, focused: true, system: android}
	c.pins = session.NewPins(c.kept())
	if c.store == nil {
		c.pins.UseSpare(c.spareSecret())
	}
	c.restoreProfile()
	if err := useLanguage(c.prefs.language()); err != nil {
		fyne.LogError("The language is not known", err)
		_ = useLanguage("en")
	}
	app.Settings().SetTheme(c.prefs.theme())
	c.nav = newNavigator()
	c.nav.motion = newMotion(b, c.prefs.reducedMotion)
	c.nav.onChanged = c.retitle
	c.nav.onSwiped = func() { c.back(true) }
	window.SetPadded(false)
	window.SetContent(c.nav)
	window.SetCloseIntercept(c.quit)
	c.listen()
	return c
}

// spareSecret is what servers' secrets are made from without a store.
func (c *client) spareSecret() string {
	if d := c.app.Preferences().String("device"); d != "" {
		return d
	}
	d := session.NewDevice()
	c.app.Preferences().SetString("device", d)
	return d
}

// setProfile keeps who the person is, and the server.
func (c *client) setProfile(name, server string) {
	c.prefs.setName(name)
	c.prefs.setServer(server)
	if c.store != nil {
		if err := c.store.SetProfile(name, server); err != nil {
			fyne.LogError("The name and the server are not in the store", err)
		}
	}
}

// restoreProfile takes from the store what the preferences have lost.
func (c *client) restoreProfile() {
	if c.store == nil || c.prefs.name() != "" && c.prefs.server() != "" {
		return
	}
	name, server, err := c.store.Profile()
	if err != nil || name == "" {
		return // the first page asks
	}
	c.prefs.setName(name)
	c.prefs.setServer(server)
}

// start shows the first page: the rooms when a name and a server are known, and
// the room that was on the screen when the app ended.
func (c *client) start() {
	pages := []func() page{func() page { return newLandingPage(c) }}
	if nameProblem(c.prefs.name()) == "" && c.prefs.server() != "" {
		pages = append(pages, func() page { return newAskRoomPage(c) })
		if shown := c.reopen(); shown != nil {
			pages = append(pages, func() page { return newRoomPage(shown) })
		}
	}
	c.nav.reset(pages...)
}

// back closes what lies on top, or goes back a page. A phone's own way back
// leaves the app from the rooms, and from the first page.
func (c *client) back(phone bool) {
	if closeOverlay(c.window.Canvas()) {
		return
	}
	if _, main := c.nav.top().(mainPage); !(main && phone) && c.nav.pop() {
		return
	}
	if d, ok := c.app.Driver().(mobile.Driver); ok && phone {
		d.GoBack()
	}
}

// enter shows a room, and opens it when it is not open.
func (c *client) enter(name string) { c.enterLocked(name, "", false) }

// kept is where rooms are kept: nil, and no Store that is nil, where they are not.
func (c *client) kept() session.Store {
	if c.store == nil {
		return nil
	}
	return c.store
}

// enterLocked is enter with a passphrase, which locks the room where it is new.
func (c *client) enterLocked(name, key string, hidden bool) {
	conv := c.find(name)
	if conv != nil && key != "" {
		conv.room.Unlock(key)
	}
	if conv == nil {
		conv = c.openRoom(c.recentRoom(name), session.Config{Key: key, Hidden: hidden})
	}
	conv.connect()
	c.open = append([]*conversation{conv}, slices.DeleteFunc(c.open, func(o *conversation) bool { return o == conv })...)
	if p, ok := c.nav.top().(*roomPage); ok && p.conv == conv {
		return
	}
	c.nav.replace(func() page { return newRoomPage(conv) })
}

func (c *client) find(name string) *conversation {
	key := roomKey(name)
	for _, conv := range c.open {
		if conv.key == key {
			return conv
		}
	}
	return nil
}

// askToLeave asks whether a room is to go off the list, and then has it go.
func (c *client) askToLeave(name string) {
	title := name
	if conv := c.find(name); conv != nil {
		title = conv.title()
	}
	var o *overlay
	o = c.showForm(tr("leave.title", "room", title), newText(tr("leave.why"), fontSmall, roleMuted),
		newDanger(tr("leave.go"), func() {
			o.close()
			c.forget(name)
		}),
		newSecondary(tr("leave.stay"), func() { o.close() }))
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
func (c *client) leave(conv *conversation, rest ...func()) {
	c.open = slices.DeleteFunc(c.open, func(o *conversation) bool { return o == conv })
	c.system.withdraw(conv.key)
	c.nav.drop(func(p page) bool {
		r, ok := p.(*roomPage)
		return ok && r.conv == conv
	})
	c.bridge.run(c.bridge.ctx, func(context.Context) func() {
		conv.room.Close()
		for _, f := range rest {
			f()
		}
		return c.remember // the store knows by now when it was seen
	})
	c.roomsChanged()
}

// leaveAll closes every room, as before going to another server.
func (c *client) leaveAll() {
	for _, conv := range slices.Clone(c.open) {
		c.leave(conv)
	}
}

// roomChanged shows a room's new state outside its page.
func (c *client) roomChanged(*conversation) {
	c.retitle()
	c.roomsChanged()
}

// roomsChanged has the list of rooms drawn anew, if it is on the screen.
func (c *client) roomsChanged() {
	for _, p := range c.nav.shown {
		if p, ok := p.(*askRoomPage); ok {
			p.list()
		}
	}
}

// remember has the list of rooms read from the store anew.
func (c *client) remember() {
	for _, s := range c.nav.stack {
		if p, ok := s.page.(*askRoomPage); ok {
			p.remember()
		}
	}
}

func (c *client) unread() (n int) {
	for _, conv := range c.open {
		n += conv.unread
	}
	return n
}

// retitle shows the page and the unread messages in the window's title.
func (c *client) retitle() {
	title := "Parley"
	if p := c.nav.top(); p != nil && p.title() != "" {
		title = p.title() + " – " + title
	}
	if n := c.unread(); n > 0 {
		title = fmt.Sprintf("(%d) %s", n, title)
	}
	if title != c.window.Title() {
		c.window.SetTitle(title)
	}
}

// setFocused says whether the app is in front. On a desktop losing the focus
// changes nothing but what notifies; a phone may stop the app's network.
func (c *client) setFocused(on bool) {
	c.focused = on
	c.notices = 0
	if isPhone() {
		c.sleep(!on)
	}
	if !on {
		for _, conv := range c.open {
			conv.room.Save() // Android may end the app without another word
		}
		return
	}
	if p, ok := c.nav.top().(*roomPage); ok {
		p.conv.look()
	}
}

// backgroundGrace is how long a phone's app in the background stays connected.
var backgroundGrace = 30 * time.Second

func (c *client) sleep(on bool) {
	if c.asleep != nil {
		c.asleep()
		c.asleep = nil
	}
	if !on {
		for _, conv := range c.open {
			conv.room.Resume()
			conv.room.Reconnect()
		}
		return
	}
	ctx, cancel := context.WithCancel(c.bridge.ctx)
	c.asleep = cancel
	c.bridge.run(ctx, func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backgroundGrace):
		}
		return func() {
			for _, conv := range c.open {
				conv.room.Pause()
			}
		}
	})
}

// restyle draws everything in the settings of now; anew, too, when texts or
// their sizes changed.
func (c *client) restyle(anew bool) {
	c.app.Settings().SetTheme(c.prefs.theme())
	if !anew {
		return
	}
	for _, conv := range c.open {
		conv.timeline.remeasure()
	}
	c.nav.rebuild()
}

// quit closes the window, and with it the app.
func (c *client) quit() {
	c.prefs.setSize(c.window.Canvas().Size())
	c.window.Close()
}

// close leaves all rooms and ends all work.
func (c *client) close() {
	for _, conv := range c.open {
		c.bridge.work.Go(conv.room.Close)
	}
	c.bridge.close()
}
