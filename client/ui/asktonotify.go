package ui

import (
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// askToNotify says what notifications are for, and lets Android ask for them, the
// first time that the person sends something. Whoever refuses is not asked again.
func askToNotify(c *client) {
	if c.sent {
		return
	}
	c.sent = true
	if c.prefs.askedToNotify() || !c.system.asksToNotify() {
		return
	}
	c.prefs.setAskedToNotify()
	c.window.Canvas().Unfocus() // the keyboard would cover the answers
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("notify.ask"), kit.NewText(lang.T("notify.why"), kit.FontSmall, kit.RoleMuted),
		kit.NewPrimary(lang.T("notify.yes"), func() {
			o.Close()
			c.system.askToNotify(lang.T("notify.channel"))
		}),
		kit.NewSecondary(lang.T("notify.no"), func() { o.Close() }))
}
