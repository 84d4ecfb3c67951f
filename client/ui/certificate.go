package ui

import (
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// showCertificate shows the words of a certificate that was refused next to those
// that the server was known by, or that a link gave. If the person trusts it, it calls trusted.
func showCertificate(c *client, server, words string, trusted func()) {
	label, known := lang.T("cert.known"), c.pins.Words(server)
	if known == "" {
		label, known = lang.T("cert.link"), c.pins.Expected(server)
	}
	if known == "" {
		label, known = lang.T("cert.known"), lang.T("cert.authority")
	}
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("cert.title"), kit.NewText(lang.T("cert.why"), kit.FontSmall, kit.RoleMuted),
		kit.NewColumn(kit.Unit, kit.NewText(label, kit.FontLabel, kit.RoleMuted), kit.NewText(known, kit.FontStrong, kit.RoleText)),
		kit.NewColumn(kit.Unit, kit.NewText(lang.T("cert.got"), kit.FontLabel, kit.RoleMuted), kit.NewText(words, kit.FontStrong, kit.RoleError)),
		kit.NewPrimary(lang.T("cert.leave"), func() { o.Close() }),
		kit.NewSecondary(lang.T("cert.trust"), func() {
			o.Close()
			c.pins.Trust(server, words)
			trusted()
		}))
}
