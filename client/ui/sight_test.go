package ui

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/uitest"
)

// Whatever a keyboard leaves of a phone's screen, upright or on its side, the
// entry with the focus is in it: on every page, whichever comes first.
func TestFocusedEntryIsInSight(t *testing.T) {
	uitest.OnPhone(t, true)
	const bars, keyboard, low = 24 + 16, 24 + 300, 24 + 180 // of an upright uitest.Phone, and of one on its side
	screens := []fyne.Size{fyne.NewSize(360, 640), fyne.NewSize(320, 568), fyne.NewSize(640, 360), fyne.NewSize(568, 320)}
	for _, at := range entriesOfAllPages {
		for _, percent := range []int{100, 200} {
			for _, screen := range screens {
				what := fmt.Sprintf("%s on %v by %v at %d %%", at.name, screen.Width, screen.Height, percent)
				w := newWorld(t, screen, func(p prefs) { p.setPercent(percent) })
				without := screen.SubtractWidthHeight(0, bars)
				with := screen.SubtractWidthHeight(0, keyboard)
				other := fyne.NewSize(screen.Height, screen.Width-low)
				if screen.Width > screen.Height {
					with, other = screen.SubtractWidthHeight(0, low), fyne.NewSize(screen.Height, screen.Width-keyboard)
				}
				w.window.Resize(without)
				entry := at.show(w)
				w.window.Canvas().Focus(entry)
				w.inSight(what, entry)
				w.window.Resize(with)
				w.inSight(what+", when the keyboard has come", entry)
				w.window.Resize(other)
				w.inSight(what+", turned", entry)
				w.window.Resize(with)
				w.inSight(what+", turned back", entry)

				w.window.Canvas().Unfocus()
				w.window.Canvas().Focus(entry)
				w.inSight(what+", touched while the keyboard is there", entry)
			}
		}
	}
}

// entriesOfAllPages are the entries of all pages and panels, and how to come
// there.
var entriesOfAllPages = []struct {
	name string
	show func(w *world) fyne.Focusable
}{
	{"the name", func(w *world) fyne.Focusable { return w.landing().name.Entry }},
	{"the server", func(w *world) fyne.Focusable { return w.landing().server.Entry }},
	{"the room", func(w *world) fyne.Focusable {
		w.client.start()
		return w.client.nav.top().(*askRoomPage).room
	}},
	{"the message", func(w *world) fyne.Focusable {
		w.client.start()
		w.room("Lobby", "Ann")
		return w.page().composer.Entry
	}},
	{"the message of a room that is not connected", func(w *world) fyne.Focusable {
		w.client.start()
		w.room("Lobby", "Ann").Apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{Cause: session.CauseCertChanged}}})
		w.page().composer.Entry.SetText("some\nlines\nof\na\ndraft")
		return w.page().composer.Entry
	}},
	{"the name in the settings", func(w *world) fyne.Focusable {
		w.client.start()
		w.client.showSettings()
		return w.client.nav.top().(*settingsPage).name.Entry
	}},
	{"the passphrase", func(w *world) fyne.Focusable {
		w.client.start()
		showKey(w.client.client, w.room("Lobby"))
		return w.window.Canvas().Focused()
	}},
	{"a new room", func(w *world) fyne.Focusable {
		w.client.start()
		showLock(w.client.client, "")
		return w.window.Canvas().Focused()
	}},
	{"a new room's passphrase", func(w *world) fyne.Focusable {
		w.client.start()
		showLock(w.client.client, "Cellar")
		return w.window.Canvas().Focused()
	}},
	{"another room", func(w *world) fyne.Focusable {
		w.client.start()
		showSwitcher(w.client.client)
		return w.window.Canvas().Focused()
	}},
}

func (w *world) landing() *landingPage {
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	return w.client.nav.top().(*landingPage)
}

// inSight fails when an entry is not wholly in the window and in what it is
// scrolled in.
func (w *world) inSight(what string, entry fyne.Focusable) {
	w.t.Helper()
	if entry == nil || w.window.Canvas().Focused() != entry {
		w.t.Errorf("%s: the focus is on %T", what, w.window.Canvas().Focused())
		return
	}
	root := w.window.Content()
	if o := w.window.Canvas().Overlays().Top(); o != nil {
		root = o
	}
	found := false
	uitest.Walk(root, func(v uitest.Seen) {
		if v.Object != entry.(fyne.CanvasObject) {
			return
		}
		found = true
		clip := v.Clip.Cut(uitest.Box{Right: w.window.Canvas().Size().Width, Bottom: w.window.Canvas().Size().Height})
		if v.At.Y < clip.Top || v.At.Y+v.Object.Size().Height > clip.Bottom {
			w.t.Errorf("%s: the entry is at %v to %v, in sight is %v to %v", what, v.At.Y, v.At.Y+v.Object.Size().Height, clip.Top, clip.Bottom)
		}
	})
	if !found {
		w.t.Errorf("%s: the entry is not on the page", what)
	}
}
