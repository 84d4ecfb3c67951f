package ui

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// banner says in one line why there is no connection and counts down to the
// next try; a tap does what helps.
type banner struct {
	widget.BaseWidget
	client *client
	conv   *conversation.Room
	grown  func() // its height may have changed
	tile   *kit.Tile
	text   *kit.Text
	stop   context.CancelFunc
}

func newBanner(c *client, conv *conversation.Room, grown func()) *banner {
	b := &banner{client: c, conv: conv, grown: grown, text: kit.NewText("", kit.FontSmall, kit.RoleWarning).Centered()}
	b.tile = kit.NewTile(b.text, b.tapped)
	b.tile.Ground = func(p *kit.Palette) color.NRGBA { return p.WarningSoft }
	b.tile.Hover = b.tile.Ground
	b.tile.Radius = 0
	b.tile.MinHeight = 40
	b.tile.Inset = kit.Sides(2*kit.Unit, 4*kit.Unit, 2*kit.Unit, 4*kit.Unit)
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

func (b *banner) Fit(width float32) float32           { return b.tile.Fit(width) }
func (b *banner) CreateRenderer() fyne.WidgetRenderer { return kit.Holding(b, b.tile) }

// start counts down until end, and has another do so as well.
func (b *banner) start(also func()) {
	ctx, cancel := context.WithCancel(b.client.bridge.Context)
	b.stop = cancel
	b.client.bridge.Every(ctx, time.Second, func() {
		also()
		if b.update() {
			b.grown()
		}
	})
}

func (b *banner) end() {
	if b.stop != nil {
		b.stop()
	}
}

// update draws the present state. It reports whether the height may have changed.
func (b *banner) update() bool {
	s := b.sentence()
	if b.Hidden == (s == "") && (b.Hidden || s == b.text.Text) {
		return false
	}
	b.Hidden = s == ""
	b.text.Role = kit.RoleWarning
	if b.conv.Status.State == session.Closed || b.conv.SaveError != nil { // it does not go by itself
		b.text.Role = kit.RoleError
	}
	if s != "" {
		b.text.SetText(s)
	}
	return true
}

// sentence is what the banner says, or "" when all is well. What can't be saved is more
// important than a connection that comes back by itself.
func (b *banner) sentence() string {
	c := b.conv
	if c.SaveError != nil && c.Status.State != session.Closed {
		return saveSentence(c.SaveError)
	}
	return strings.TrimSpace(b.offline() + "\n" + saveSentence(c.SaveError))
}

// saveSentence says why what is written can't be saved, and what to do; "" if it can.
func saveSentence(err error) string {
	switch {
	case errors.Is(err, session.ErrNoSpace):
		return lang.T("banner.full")
	case err != nil:
		return lang.T("banner.save")
	}
	return ""
}

// offline says why there is no connection; "" if there is one.
func (b *banner) offline() string {
	c := b.conv
	s := c.Status
	if s.State == session.Connected {
		return ""
	}
	if s := b.client.offerSentence(); s != "" {
		return s
	}
	if s.Cause == session.CauseNone {
		return "" // the first try is on its way, and the header says so
	}
	why := causeSentence(s.Cause)
	switch {
	case s.Cause == session.CauseNameTaken && s.Detail != "":
		return why + " " + lang.T("banner.rename", "name", text.OneLine(s.Detail))
	case s.Cause == session.CauseCertChanged:
		return why + " " + lang.T("banner.cert")
	case s.AsksForKey():
		return why + " " + lang.T("banner.key")
	case s.State == session.Closed && s.Cause == session.CauseOpenRoom:
		return why + " " + lang.T("banner.open")
	case s.State == session.Closed && s.Cause == session.CauseRemoved && hostReason(s.Detail) != "":
		return hostReason(s.Detail)
	case s.State == session.Closed && s.Detail != "" && (s.Cause == session.CauseRemoved || s.Cause == session.CauseStopped):
		return why + " " + text.OneLine(s.Detail)
	case s.State == session.Closed:
		return why + " " + lang.T("banner.again")
	case s.State == session.Connecting:
		return why + " " + lang.T("banner.trying")
	case s.RetryAt.IsZero() || kit.TextScale() > kit.LargeText: // more would hide the room
		return why
	}
	seconds := max(int(math.Ceil(s.RetryAt.Sub(b.client.clock()).Seconds())), 1)
	return why + " " + lang.T("banner.retry", "seconds", fmt.Sprint(seconds))
}

// hostReason is what a host has done, in the person's language; "" if the server says
// something else.
func hostReason(detail string) string {
	s, _ := conversation.Reason(detail)
	return s
}

func (b *banner) tapped() {
	s := b.conv.Status
	if s.Cause == session.CauseNameTaken && s.Detail != "" {
		b.conv.Session.Rename(s.Detail)
		return
	}
	c := b.client
	switch {
	case c.lost.offer != nil && s.State != session.Connected:
		askToMove(c)
		return
	case s.AsksForKey():
		showKey(c, b.conv)
		return
	case s.Cause == session.CauseCertChanged:
		showCertificate(c, c.prefs.server(), s.Detail, b.conv.Session.Reconnect)
		return
	}
	b.conv.Session.Reconnect()
}
