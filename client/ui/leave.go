package ui

import (
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// askToLeave asks whether a room is to go off the list, and then forgets it.
func askToLeave(c *client, name string) {
	title := name
	if conv := c.find(name); conv != nil {
		title = conv.Title()
	}
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("leave.title", "room", title), kit.NewText(lang.T("leave.why"), kit.FontSmall, kit.RoleMuted),
		kit.NewDanger(lang.T("leave.go"), func() {
			o.Close()
			c.forget(name)
		}),
		kit.NewSecondary(lang.T("leave.stay"), func() { o.Close() }))
}
