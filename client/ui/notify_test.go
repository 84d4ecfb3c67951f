package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	handset "parley/client/phone"
	"parley/client/ui/uitest"
)

// onAndroid gives the app an Android that keeps what it is asked for.
type onAndroid struct {
	asks            bool
	asked           int
	closed          bool // it keeps the app from the network
	askedForNetwork int
	shown           map[string]handset.Notice // by their tags
	withdrew        []string
}

func (a *onAndroid) system() system {
	a.shown = make(map[string]handset.Notice)
	return system{
		asksToNotify:   func() bool { return a.asks },
		askToNotify:    func(string) { a.asked++ },
		asksForNetwork: func() bool { return a.closed },
		askForNetwork:  func() { a.askedForNetwork++ },
		notify:         func(n handset.Notice) bool { a.shown[n.Tag] = n; return true },
		withdraw:       func(tag string) { delete(a.shown, tag); a.withdrew = append(a.withdrew, tag) },
	}
}

// The person is asked after the first message, once, and told why first.
func TestAskToNotify(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string // "" is a touch next to the question
		asked  int
	}{"yes": {"Continue", 1}, "no": {"No, thanks", 0}, "next to it": {"", 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, uitest.Phone, nil)
			android := onAndroid{asks: true}
			w.client.system = android.system()
			w.client.start()
			w.room("Lobby", "Ann")
			send := func() {
				w.page().composer.Entry.SetText("hello")
				press(w.page().composer.Entry, fyne.KeyReturn)
				w.queue.Drain()
			}
			w.queue.Drain()
			if w.window.Canvas().Overlays().Top() != nil {
				t.Fatal("asked before anything was sent")
			}
			send()
			top := w.window.Canvas().Overlays().Top()
			if top == nil || !strings.Contains(uitest.Texts(top), "May Parley notify you?") || android.asked != 0 {
				t.Fatalf("after the first message: %v, Android was asked %d times", top, android.asked)
			}
			if tc.answer == "" {
				w.client.back(true)
			} else {
				tapAction(t, w, tc.answer)
			}
			if android.asked != tc.asked || w.window.Canvas().Overlays().Top() != nil {
				t.Errorf("Android was asked %d times, not %d", android.asked, tc.asked)
			}
			send()
			w.client.sent = false // the app was started again
			send()
			if w.window.Canvas().Overlays().Top() != nil || android.asked != tc.asked {
				t.Error("asked again")
			}
		})
	}
}

// The app asks nothing if the person has allowed it, or if the system does not ask.
// It can still ask later.
func TestNothingToAsk(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	android := onAndroid{}
	w.client.system = android.system()
	w.client.start()
	w.room("Lobby", "Ann")
	w.page().composer.Entry.SetText("hello")
	press(w.page().composer.Entry, fyne.KeyReturn)
	w.queue.Drain()
	if w.window.Canvas().Overlays().Top() != nil || w.client.prefs.askedToNotify() {
		t.Error("asked without a need")
	}
}

// A room has one notification, of its newest message, until it is looked at.
func TestOneNoticeForARoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	android := onAndroid{}
	w.client.system = android.system()
	w.client.start()
	lobby := w.room("Lobby", "Ann", "Bob")
	kitchen := w.room("Kitchen", "Ann", "Cleo")
	w.client.setFocused(false)
	test.AssertNotificationSent(t, nil, func() { // Fyne would show more and more of them
		lobby.Apply(uitest.Appended(uitest.Said(100, "Bob", "anybody?")))
		lobby.Apply(uitest.Appended(uitest.Said(101, "Bob", "hello?")))
		kitchen.Apply(uitest.Appended(uitest.Said(102, "Cleo", "soup")))
	})
	want := map[string]handset.Notice{
		lobby.Key:   {Tag: lobby.Key, Title: "Bob in Lobby", Text: "hello?", Channel: "Messages", Link: "http://192.0.2.1:8000/r/Lobby"},
		kitchen.Key: {Tag: kitchen.Key, Title: "Cleo in Kitchen", Text: "soup", Channel: "Messages", Link: "http://192.0.2.1:8000/r/Kitchen"},
	}
	if len(android.shown) != 2 || android.shown[lobby.Key] != want[lobby.Key] || android.shown[kitchen.Key] != want[kitchen.Key] {
		t.Errorf("the notifications are %+v", android.shown)
	}
	w.client.setFocused(true) // the kitchen is on the screen
	if _, ok := android.shown[kitchen.Key]; ok || len(android.shown) != 1 {
		t.Errorf("after looking at the kitchen: %+v", android.shown)
	}
	w.client.handed(android.shown[lobby.Key].Link) // a tap
	if w.page().conv != lobby || w.window.Canvas().Overlays().Top() != nil || len(android.shown) != 0 {
		t.Errorf("a tap leads to %q; notifications are %+v", w.page().conv.Name, android.shown)
	}
	lobby.Page = nil // the lobby is not in sight
	w.client.setFocused(false)
	lobby.Apply(uitest.Appended(uitest.Said(103, "Bob", "bye")))
	if len(android.shown) != 1 {
		t.Fatalf("the notifications are %+v", android.shown)
	}
	w.client.leave(lobby)
	if len(android.shown) != 0 {
		t.Errorf("after leaving the lobby: %+v", android.shown)
	}
}

// What somebody writes is text, not a part of the script that Fyne runs on
// Windows.
func TestQuotable(t *testing.T) {
	const bad = "a\"; calc; \"b $(calc) `n “x” „y"
	got := quotable(bad, "windows")
	if strings.ContainsAny(got, "\"“”„$`") || !strings.Contains(got, "calc") {
		t.Errorf("a script would have %q", got)
	}
	if got := quotable(bad, "linux"); got != bad {
		t.Errorf("elsewhere: %q", got)
	}
}

// The text of a first start is the system's, in the nearest size on offer; later
// it is what the person has chosen.
func TestFirstTextSize(t *testing.T) {
	for scale, want := range map[float32]int{0.85: 100, 1: 100, 1.1: 100, 1.15: 125, 1.3: 125, 1.4: 150, 1.8: 175, 2: 200, 3: 200} {
		p := prefs{test.NewApp().Preferences()}
		p.setFirstPercent(scale)
		if got := p.percent(); got != want {
			t.Errorf("%v is shown in %d %%, not in %d", scale, got, want)
		}
		p.setPercent(150)
		p.setFirstPercent(scale)
		if got := p.percent(); got != 150 {
			t.Errorf("%v: what was chosen became %d %%", scale, got)
		}
	}
}
