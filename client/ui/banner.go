package ui

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/text"
)

// banner says in one line why there is no connection and counts down to the
// next try; a tap does what helps.
type banner struct {
	widget.BaseWidget
	conv *conversation
	tile *tile
	text *textBlock
	stop context.CancelFunc
}

func newBanner(conv *conversation) *banner {
	b := &banner{conv: conv, text: newText("", fontSmall, roleWarning).centered()}
	b.tile = newTile(b.text, b.tapped)
	b.tile.ground = func(p *palette) color.NRGBA { return p.WarningSoft }
	b.tile.hover = b.tile.ground
	b.tile.radius = 0
	b.tile.minHeight = 40
	b.tile.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

func (b *banner) fit(width float32) float32           { return b.tile.fit(width) }
func (b *banner) CreateRenderer() fyne.WidgetRenderer { return holding(b, b.tile) }

// start counts down until end.
func (b *banner) start() {
	ctx, cancel := context.WithCancel(b.conv.client.bridge.ctx)
	b.stop = cancel
	b.conv.client.bridge.every(ctx, time.Second, func() {
		if b.update() && b.conv.page != nil {
			b.conv.page.root.Refresh()
		}
	})
}

func (b *banner) end() {
	if b.stop != nil {
		b.stop()
	}
}

// update draws the state of now. It reports whether the height may have changed.
func (b *banner) update() bool {
	s := b.sentence()
	if b.Hidden == (s == "") && (b.Hidden || s == b.text.text) {
		return false
	}
	b.Hidden = s == ""
	b.text.role = roleWarning
	if b.conv.status.State == session.Closed { // it does not go by itself
		b.text.role = roleError
	}
	if s != "" {
		b.text.setText(s)
	}
	return true
}

// sentence is what the banner says, or "" when all is well.
func (b *banner) sentence() string {
	c := b.conv
	s := c.status
	if s.State == session.Connected {
		if c.saveError {
			return tr("banner.save")
		}
		return ""
	}
	if s.Cause == session.CauseNone {
		return "" // the first try is on its way, and the header says so
	}
	why := causeSentence(s.Cause)
	switch {
	case s.Cause == session.CauseNameTaken && s.Detail != "":
		return why + " " + tr("banner.rename", "name", text.OneLine(s.Detail))
	case s.Cause == session.CauseCertChanged:
		return why + " " + tr("banner.cert")
	case asksForKey(s):
		return why + " " + tr("banner.key")
	case s.State == session.Closed && s.Cause == session.CauseOpenRoom:
		return why + " " + tr("banner.open")
	case s.State == session.Closed && s.Detail != "" && (s.Cause == session.CauseRemoved || s.Cause == session.CauseStopped):
		return why + " " + text.OneLine(s.Detail)
	case s.State == session.Closed:
		return why + " " + tr("banner.again")
	case s.State == session.Connecting:
		return why + " " + tr("banner.trying")
	case s.RetryAt.IsZero():
		return why
	}
	seconds := max(int(math.Ceil(s.RetryAt.Sub(now()).Seconds())), 1)
	return why + " " + tr("banner.retry", "seconds", fmt.Sprint(seconds))
}

func (b *banner) tapped() {
	s := b.conv.status
	if s.Cause == session.CauseNameTaken && s.Detail != "" {
		b.conv.room.Rename(s.Detail)
		return
	}
	c := b.conv.client
	switch {
	case asksForKey(s):
		c.showKey(b.conv)
		return
	case s.Cause == session.CauseCertChanged:
		c.showCertificate(c.prefs.server(), s.Detail, b.conv.room.Reconnect)
		return
	}
	b.conv.room.Reconnect()
}
