package ui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

// In slow mode the send button counts down to when the next message goes out, and what is
// sent meanwhile waits.
func TestSlowModeCountsDown(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom()
	clock := regexp.MustCompile(`\d:\d\d`)
	rules := session.Rules{Can: true, Settings: shared.OpenSettings()}
	rules.Settings.Slow = new(90)
	hosting := func(next time.Time) {
		p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: session.Hosting{Rules: rules, Next: next}}})
	}
	hosting(time.Time{})
	if s := uitest.Texts(p.composer); clock.MatchString(s) {
		t.Errorf("before a message the composer says\n%s", s)
	}
	begun := w.now
	hosting(begun.Add(89500 * time.Millisecond))
	if s := uitest.Texts(p.composer); !strings.Contains(s, "1:30") {
		t.Errorf("the composer says\n%s", s)
	}
	if !p.send("in time") {
		t.Error("what is sent meanwhile is not taken")
	}
	w.set(func() { w.now = begun.Add(80 * time.Second) })
	w.settle(func() bool { return strings.Contains(uitest.Texts(p.composer), "0:10") })
	w.set(func() { w.now = begun.Add(89500 * time.Millisecond) })
	w.settle(func() bool { return !clock.MatchString(uitest.Texts(p.composer)) })
}

// Where the hint of slow mode does not fit in a line, a short one stands.
func TestSlowModeHintFits(t *testing.T) {
	for _, l := range lang.Languages {
		for _, size := range []fyne.Size{fyne.NewSize(320, 640), fyne.NewSize(900, 640)} {
			w := newWorld(t, size, func(p prefs) { p.setLanguage(l.Code) })
			p := w.ableRoom()
			h := session.Hosting{Rules: session.Rules{Can: true, Settings: shared.OpenSettings()}}
			h.Settings.Slow = new(3600)
			p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: h}})
			got := strings.NewReplacer("\n", "", uitest.Strut, "").Replace(uitest.Texts(p.composer.Entry))
			if got != p.composer.Entry.Short && got != p.composer.Entry.PlaceHolder {
				t.Errorf("%s, %v: the hint reads %q", l.Code, size, got)
			}
		}
	}
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
}
