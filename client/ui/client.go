package ui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// network is the way to servers.
type network struct {
	probe func(ctx context.Context, base string, pins *session.Pins) (session.ServerInfo, error)
	rooms func(ctx context.Context, base string, pins *session.Pins) ([]session.RoomInfo, error)
	open  func(session.Config) *session.Room
	// search looks for servers on the networks of the device; nil if there is no way to.
	search func(ctx context.Context, s session.Discovery, tell func(session.Nearby)) session.Trace
	dial   session.DialFunc // for the rooms that open opens; probe and rooms have it already
}

// options are what differs between the app and a test.
type options struct {
	bridge *kit.Bridge
	net    network
	store  *store.Store // nil: rooms live in memory
	clock  lang.Clock
	grace  time.Duration // how long a phone's app in the background stays connected
	system system

	folder   string        // the app's own
	pickers  pickers       // of files
	inbox    string        // the file in which links are left; "" if there is none
	patience time.Duration // until a server that can't be reached is looked for
}

// client is what all pages share: the window, the settings and the rooms that are
// open. Everything in it belongs to the UI goroutine.
type client struct {
	options
	app          fyne.App
	window       fyne.Window
	prefs        prefs
	pins         *session.Pins
	storeProblem string // what is wrong with the store: a key's end
	nav          *navigator
	ways         ways
	shortcut     kit.Shortcut
	open         []*conversation.Room // the last entered first
	focused      bool                 // the window has the focus; a phone's app is in front
	notices      int                  // notifications since the window lost the focus
	sent         bool                 // something, since the app was started
	lost         lost
	linkQuestion *kit.Overlay // whether to follow a link, the last one
	quitQuestion *kit.Overlay // whether to quit, the last one
	hearing      int          // searches that want multicast
	networkAsked bool         // whether the app may reach the network, since it was started
	thumbs       *thumbs      // of the messages' pictures
	asleep       func()       // cancels the pause of an app in the background
}

// ways lead from one page to another.
type ways interface {
	back(phone bool)
	enter(room string)
	enterAs(room string, o opening)
	showRooms(room string, o opening) // and a room of theirs, unless it is ""
	showSettings()
	changeServer()
	follow(link shared.Link) // to its server and its room
	start()                  // as when the app starts
}

// opening is how a room is entered.
type opening struct {
	key     string // its passphrase, which locks it if it is new
	hidden  bool   // a new room that is locked is not listed
	host    bool   // a new room is hosted by this device
	hostKey string // the key of the server's operator: see session.Config
}

// roomsPage is a page that lists rooms.
type roomsPage interface {
	list()                    // draws the list again
	remember()                // reads the person's rooms from the store again
	listed() (rooms []string) // the names of the rooms, but for those that are open
}

// searcher is a page that searches for servers while a phone shows it.
type searcher interface{ shown(on bool) }

// roomShower is the page of a room.
type roomShower interface{ conversation() *conversation.Room }

func newClient(app fyne.App, window fyne.Window, o options) *client {
	c := &client{options: o, app: app, window: window, prefs: prefs{app.Preferences()}, focused: true}
	c.pins = session.NewPins(c.kept())
	if c.store == nil {
		c.pins.UseSpare(c.spareSecret())
	}
	c.thumbs = newThumbs(c)
	c.restoreProfile()
	if err := lang.Use(c.prefs.language()); err != nil {
		fyne.LogError("The language is not known", err)
		_ = lang.Use("en")
	}
	app.Settings().SetTheme(c.prefs.theme())
	c.nav = newNavigator(kit.NewMotion(c.bridge.Later, c.prefs.reducedMotion))
	c.nav.onChanged = c.retitle
	window.SetPadded(false)
	window.SetContent(c.nav)
	window.SetCloseIntercept(c.quit)
	window.SetOnDropped(func(_ fyne.Position, files []fyne.URI) {
		if p, ok := c.nav.top().(*roomPage); ok {
			p.dropped(files)
		}
	})
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

// setProfile stores the person's name and the server.
func (c *client) setProfile(name, server string) {
	c.prefs.setName(name)
	c.prefs.setServer(server)
	if c.store != nil {
		if err := c.store.SetProfile(name, server); err != nil {
			fyne.LogError("The name and the server are not in the store", err)
		}
	}
}

// restoreProfile takes from the store what the preferences have lost, or not heard of yet:
// Fyne writes them some time later.
func (c *client) restoreProfile() {
	if c.store == nil {
		return
	}
	name, server, err := c.store.Profile()
	if err != nil || name == "" {
		return // the first page asks
	}
	c.prefs.setName(name)
	c.prefs.setServer(server)
}

// kept is the session's view of the store: nil, and not a nil *store.Store, if
// there is none.
func (c *client) kept() session.Store {
	if c.store == nil {
		return nil
	}
	return c.store
}

// unread is the number of messages that were not seen, in all open rooms.
func (c *client) unread() (n int) {
	for _, conv := range c.open {
		n += conv.Unread
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
	if kit.IsPhone() {
		c.sleep(!on)
		if p, ok := c.nav.top().(searcher); ok {
			p.shown(on)
		}
	}
	if on {
		c.takeLink()
	}
	if !on {
		c.endSeeking()
		for _, conv := range c.open {
			conv.Session.Save() // Android may end the app without another word
		}
		return
	}
	if p, ok := c.nav.top().(roomShower); ok {
		p.conversation().Look()
	}
}

// backgroundGrace is how long a phone's app in the background stays connected.
const backgroundGrace = 30 * time.Second

func (c *client) sleep(on bool) {
	if c.asleep != nil {
		c.asleep()
		c.asleep = nil
	}
	if !on {
		for _, conv := range c.open {
			conv.Session.Resume()
			conv.Session.Reconnect()
		}
		return
	}
	ctx, cancel := context.WithCancel(c.bridge.Context)
	c.asleep = cancel
	c.bridge.Run(ctx, func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.grace):
		}
		return func() {
			for _, conv := range c.open {
				conv.Session.Pause()
			}
		}
	})
}

// restyle draws everything with the present settings: the pages are made again.
func (c *client) restyle() {
	c.app.Settings().SetTheme(c.prefs.theme())
	for _, conv := range c.open {
		conv.Timeline.Remeasure()
	}
	c.nav.rebuild()
}

// copy puts a text on the clipboard and says so.
func (c *client) copy(s string) {
	c.app.Clipboard().SetContent(s)
	c.nav.Say(lang.T("toast.copied"))
}

// quit closes the window, and with it the app. If what was written can't be saved, it
// asks first.
func (c *client) quit() {
	if c.quitQuestion != nil {
		c.quitQuestion.Close()
	}
	c.prefs.setSize(c.window.Canvas().Size())
	if !slices.ContainsFunc(c.open, func(conv *conversation.Room) bool { return conv.SaveError != nil }) {
		c.window.Close()
		return
	}
	c.quitQuestion = kit.ShowForm(c.window.Canvas(), lang.T("quit.ask"), kit.NewText(lang.T("quit.why"), kit.FontSmall, kit.RoleMuted),
		kit.NewDanger(lang.T("quit.go"), c.window.Close),
		kit.NewSecondary(lang.T("composer.cancel"), func() { c.quitQuestion.Close() }))
}

// close leaves all rooms and ends all work.
func (c *client) close() {
	for _, conv := range c.open {
		c.bridge.Background(conv.Session.Close)
	}
	c.bridge.Close()
}
