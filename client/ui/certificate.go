package ui

import (
	"parley/client/session"
)

// showCertificate shows the words of a certificate that was refused beside those
// that the server was known by, and lets the person trust it; then goes on.
func (c *client) showCertificate(server, words string, trusted func()) {
	known := c.pins.Words(server)
	if known == "" {
		known = tr("cert.authority")
	}
	var o *overlay
	o = c.showForm(tr("cert.title"), newText(tr("cert.why"), fontSmall, roleMuted),
		newColumn(unit, newText(tr("cert.known"), fontLabel, roleMuted), newText(known, fontStrong, roleText)),
		newColumn(unit, newText(tr("cert.got"), fontLabel, roleMuted), newText(words, fontStrong, roleError)),
		newPrimary(tr("cert.leave"), func() { o.close() }),
		newSecondary(tr("cert.trust"), func() {
			o.close()
			c.pins.Trust(server, words)
			trusted()
		}))
}

// otherCertificate is the words of the certificate that an error is about, "" if
// it is about none.
func otherCertificate(err error) string {
	if p := problemIn(err); p != nil && p.Cause == session.CauseCertChanged {
		return p.Detail
	}
	return ""
}
