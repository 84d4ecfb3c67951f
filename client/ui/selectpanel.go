package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// showSelect shows a message in a panel, to copy a part of it.
func showSelect(c *client, message string) {
	body := conversation.NewSelectText(message)
	var o *kit.Overlay
	button := kit.NewPrimary(lang.T("select.all"), func() {
		o.Close()
		c.copy(body.Selected())
	})
	body.Changed = func() {
		label := lang.T("select.all")
		if body.Partly() {
			label = lang.T("select.copy")
		}
		button.Content.(*kit.Text).SetText(label)
	}
	head := kit.NewColumn(kit.Unit, kit.NewText(lang.T("select.title"), kit.FontTitle, kit.RoleText), kit.NewText(lang.T("select.hint"), kit.FontSmall, kit.RoleMuted))
	panel := kit.NewCard(kit.NewColumn(3*kit.Unit, head, body, button), kit.Around(4*kit.Unit))
	o = kit.ShowOverlay(c.window.Canvas(), panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-6*kit.Unit, 560*min(kit.TextScale(), kit.LargeText))
		inner := w - panel.Inset.Left - panel.Inset.Right
		// What the message may take of the window; more of it scrolls.
		rest := size.Height - 8*kit.Unit - head.Fit(inner) - button.Fit(inner) - 14*kit.Unit
		body.SetLimit(rest)
		h := panel.Fit(w)
		return fyne.NewPos(float32(int((size.Width-w)/2)), max(float32(int((size.Height-h)/3)), 4*kit.Unit)), fyne.NewSize(w, h)
	})
	c.window.Canvas().Focus(body)
}
