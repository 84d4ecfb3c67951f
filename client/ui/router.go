package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// router is the app: the client, and which of its pages leads to which.
type router struct{ *client }

func newRouter(app fyne.App, window fyne.Window, o options) router {
	r := router{newClient(app, window, o)}
	r.ways = r
	r.nav.onSwiped = func() { r.back(true) }
	listen(r.client)
	return r
}

// start shows the first page: the rooms if a name and a server are known, and
// the room that was on the screen when the app ended.
func (r router) start() {
	pages := []func() page{r.landingPage}
	if nameProblem(r.prefs.name()) == "" && r.prefs.server() != "" {
		pages = append(pages, r.roomsPage)
		if shown := r.reopen(); shown != nil {
			pages = append(pages, func() page { return newRoomPage(r.client, shown) })
		}
	}
	r.nav.reset(pages...)
	r.takeLink()
}

// follow goes where a link leads, by way of the first page, which checks it.
func (r router) follow(link shared.Link) {
	if r.lost.moving {
		return
	}
	r.nav.reset(r.landingPage)
	r.nav.top().(*landingPage).choose(link.String())
}

func (r router) landingPage() page { return newLandingPage(r.client) }
func (r router) roomsPage() page   { return newAskRoomPage(r.client) }

// back closes what lies on top, or goes back a page. A phone's own way back
// leaves the app from the rooms, and from the first page.
func (r router) back(phone bool) {
	if kit.CloseOverlay(r.window.Canvas()) {
		return
	}
	if _, main := r.nav.top().(mainPage); !(main && phone) && r.nav.pop() {
		return
	}
	if d, ok := r.app.Driver().(mobile.Driver); ok && phone {
		d.GoBack()
	}
}

// showRooms shows the rooms of a server that has just been chosen, and a room of a
// link with its passphrase. A passphrase that this device has is not replaced.
func (r router) showRooms(room string, o opening) {
	if r.lost.moving {
		return
	}
	if len(r.open) == 0 {
		r.reopen()
	}
	r.nav.push(r.roomsPage)
	switch conv := r.find(room); {
	case room == "":
	case conv != nil && conv.Session.Key() != "" && !conv.Status.AsksForKey(), r.recentRoom(room).Locked:
		r.enterAs(room, opening{hostKey: o.hostKey})
	default:
		r.enterAs(room, o)
	}
}

// enter shows a room, and opens it if it is not open.
func (r router) enter(name string) { r.enterAs(name, opening{}) }

// enterAs is enter with a passphrase, as a host, or both.
func (r router) enterAs(name string, o opening) {
	if r.lost.moving {
		return
	}
	conv := r.find(name)
	if conv != nil && o.key != "" {
		conv.Session.Unlock(o.key)
	}
	if conv != nil && o.hostKey != "" {
		conv.Session.Claim(o.hostKey)
	}
	if conv != nil && o.host && !conv.Hosting.Host {
		r.Say(lang.T("host.late"))
	}
	if conv == nil {
		conv = r.openRoom(r.recentRoom(name), session.Config{Key: o.key, Hidden: o.hidden, Host: o.host, HostKey: o.hostKey})
	}
	conv.Connect()
	r.open = append([]*conversation.Room{conv}, slices.DeleteFunc(r.open, func(other *conversation.Room) bool { return other == conv })...)
	if p, ok := r.nav.top().(roomShower); ok && p.conversation() == conv {
		return
	}
	r.nav.replace(func() page { return newRoomPage(r.client, conv) })
}

// showSettings puts the settings above the page that is on top.
func (r router) showSettings() {
	if _, shown := r.nav.top().(*settingsPage); !shown {
		r.nav.push(func() page { return newSettingsPage(r.client) })
	}
}

// changeServer leaves all rooms and goes back to the first page.
func (r router) changeServer() {
	if r.lost.moving {
		return
	}
	r.leaveAll()
	r.nav.reset(r.landingPage)
}
