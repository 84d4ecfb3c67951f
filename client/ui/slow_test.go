package ui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/client/session"
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
	w.now = begun.Add(80 * time.Second)
	w.settle(func() bool { return strings.Contains(uitest.Texts(p.composer), "0:10") })
	w.now = begun.Add(89500 * time.Millisecond)
	w.settle(func() bool { return !clock.MatchString(uitest.Texts(p.composer)) })
}
