// Package ui is the app's window: its pages, drawn with Fyne, over the rooms of
// package session. All of it runs on Fyne's UI goroutine; bridge.go is the only
// way there from others.
package ui

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	handset "parley/client/phone"
	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/kit"
	"parley/shared"
)

// ID is the app's id, the same as in FyneApp.toml. Settings and rooms are stored
// under it.
const ID = "org.parley.chat"

// Run shows the app until its window is closed. link is one to follow; "" for none. If the
// app runs already, that one gets the link.
func Run(link string) {
	a := app.NewWithID(ID)
	app.SetMetadata(metadata(a.Metadata()))
	a.SetIcon(kit.Logo())
	inbox := filepath.Join(a.Storage().RootURI().Path(), inboxName)
	store, problem := openStore(a)
	if link != "" {
		// The app takes it from there; without the file it begins as ever.
		if err := leaveLink(inbox, argument(link)); err != nil {
			fyne.LogError("The link can't be followed", err)
		} else if problem == "in_use" {
			fmt.Println("Parley runs already, and asks in its window.")
			return
		}
	}
	w := a.NewWindow("Parley")
	w.SetMaster()
	b := kit.NewBridge(nil)
	prefs{a.Preferences()}.setFirstPercent(handset.FontScale())
	dial := session.DialFunc(handset.Dial)
	c := newRouter(a, w, options{
		bridge: b, net: network{dial.Probe, dial.Rooms, session.Open, searchNearby, dial}, store: store,
		clock: time.Now, grace: backgroundGrace, system: android, patience: lostPatience, inbox: inbox,
		folder: a.Storage().RootURI().Path(), pickers: systemPickers,
	})
	if c.storeProblem = problem; problem != "in_use" {
		c.emptyFiles()
	}
	w.Resize(c.prefs.size())
	follow(c, a.Lifecycle())
	c.watchInbox()
	w.ShowAndRun()
	c.close()
	if store != nil {
		if err := store.Close(); err != nil {
			fyne.LogError("What is kept could not be closed", err)
		}
	}
}

// argument is a link that was typed, whose room may have spaces, as one passes it on.
func argument(typed string) string {
	if link, err := shared.ParseLink(typed); err == nil {
		return link.String()
	}
	return typed
}

// metadata completes what Fyne knows of the app. `fyne package` compiles
// FyneApp.toml in, and `go run .` reads it; what `go build` makes has neither.
func metadata(m fyne.AppMetadata) fyne.AppMetadata {
	if m.ID == "" {
		m.ID, m.Name, m.Version = ID, "Parley", shared.Version
	}
	m.Migrations = map[string]bool{"fyneDo": true} // all calls are on Fyne's goroutine: no checks, no warning
	return m
}

// follow begins with the app, and tells the client whether it is in front.
// Not before: until the app runs, fyne.Do runs a function on the goroutine that
// it is called on.
func follow(c router, l fyne.Lifecycle) {
	l.SetOnStarted(sync.OnceFunc(c.start)) // Android may start an activity again in the same process
	l.SetOnEnteredForeground(func() { c.setFocused(true) })
	l.SetOnExitedForeground(func() { c.setFocused(false) })
}

// openStore opens what is kept of the rooms. Without it the app works from
// memory. problem is the end of the key of a sentence for the person.
func openStore(a fyne.App) (s *store.Store, problem string) {
	path := filepath.Join(a.Storage().RootURI().Path(), "rooms.db")
	s, err := store.Open(path)
	switch {
	case errors.Is(err, store.ErrInUse):
		return nil, "in_use"
	case err != nil:
		fyne.LogError("What is kept of the rooms can't be opened", err)
		return nil, "closed"
	case s.SetAside() != "":
		fyne.LogError("What was kept of the rooms was damaged; it is now at "+s.SetAside(), nil)
		return s, "damaged"
	}
	return s, ""
}
