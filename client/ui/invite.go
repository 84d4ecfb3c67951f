package ui

import (
	"net"
	"net/url"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// showInvite shows the link to a room as a QR code, and copies it. The passphrase is
// in it only if this device has it and the person turns it on.
func showInvite(c *client, conv *conversation.Room) {
	base := c.prefs.server()
	link, err := shared.ParseLink(base)
	if err != nil {
		return // a server that is connected with has an address
	}
	if isOwnComputer(link.Host) {
		showOwnAddress(c, base)
		return
	}
	link.Room, link.Words = conv.Name, c.pins.Words(base)
	key, withKey := conv.Session.Key(), false
	code := kit.NewQR()
	text := kit.NewText("", kit.FontSmall, kit.RoleText)
	long := kit.NewText(lang.T("invite.long"), kit.FontSmall, kit.RoleWarning)
	var o *kit.Overlay
	draw := func() {
		link.Key = ""
		if withKey {
			link.Key = key
		}
		text.SetText(link.String())
		long.Hidden = code.SetText(link.String())
		if o != nil {
			o.Refresh()
		}
	}
	draw()
	copied := kit.NewPrimary(lang.T("menu.copy.link"), func() {
		o.Close()
		c.copy(link.String())
	})
	objects := []fyne.CanvasObject{code, long, text}
	if key != "" {
		objects = append(objects, kit.NewToggle(lang.T("invite.key"), &withKey, draw))
	}
	o = kit.ShowForm(c.window.Canvas(), lang.T("invite.title"), kit.NewText(conv.Title(), kit.FontSmall, kit.RoleMuted).Lines(2), append(objects, copied)...)
	if !kit.IsPhone() {
		c.window.Canvas().Focus(copied)
	}
}

// showOwnAddress says that others need another address than the one by which the
// app, on the server's own computer, reaches it, and leads to the page with that.
func showOwnAddress(c *client, base string) {
	page := strings.TrimSuffix(base, "/") + "/join"
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("invite.title"), kit.NewText(lang.T("invite.here"), kit.FontSmall, kit.RoleMuted),
		kit.NewPrimary(page, func() {
			o.Close()
			if u, err := url.Parse(page); err == nil {
				if err := c.app.OpenURL(u); err != nil {
					fyne.LogError("The page could not be opened", err)
				}
			}
		}))
}

// isOwnComputer reports whether a host is the computer that asks.
func isOwnComputer(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
