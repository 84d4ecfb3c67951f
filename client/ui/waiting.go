package ui

import (
	"cmp"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// waiting is the line that says, without a connection, how much of what the person did to
// messages or as a host waits for it. A tap lists that, and takes it back.
type waiting struct {
	*kit.Tile
	page    *roomPage
	line    *kit.Text
	overlay *kit.Overlay
	list    *kit.Column // in the panel; nil before the first
}

func newWaiting(p *roomPage) *waiting {
	w := &waiting{page: p, line: kit.NewText("", kit.FontSmall, kit.RoleText)}
	row := kit.NewRow(2*kit.Unit, 1, kit.NewPicture("clock", kit.RoleMuted, 18), w.line)
	w.Tile = kit.NewTile(row, w.show)
	w.Ground = func(p *kit.Palette) color.NRGBA { return p.Surface }
	w.Radius = 0
	w.Inset = kit.Sides(kit.Unit, 4*kit.Unit, kit.Unit, 4*kit.Unit)
	w.Hide()
	return w
}

// update draws what waits. It reports whether the line came, went or changed.
func (w *waiting) update() (moved bool) {
	conv := w.page.conv
	sentence := ""
	if n := len(conv.Waiting); n > 0 && conv.Status.State != session.Connected {
		sentence = lang.Plural("waits", n)
	}
	moved = w.line.Text != sentence
	w.Hidden = sentence == ""
	w.line.SetText(sentence)
	if w.list != nil && w.page.open(w.overlay) {
		kit.KeepFocus(w.list, w.draw)
	}
	return moved
}

// show lists what waits.
func (w *waiting) show() {
	w.list = kit.NewColumn(3 * kit.Unit)
	w.overlay = nil
	w.draw()
	body := kit.NewColumn(3*kit.Unit, kit.NewText(lang.T("waits.title"), kit.FontTitle, kit.RoleText), w.list)
	w.overlay = kit.ShowPanel(w.page.client.window.Canvas(), body.Padded(kit.Around(4*kit.Unit)))
}

func (w *waiting) draw() {
	var rows []fyne.CanvasObject
	for _, one := range w.page.conv.Waiting {
		what, about := describe(w.page.conv, one)
		said := kit.NewColumn(kit.Unit, kit.NewText(what, kit.FontLabel, kit.RoleText).Lines(6))
		if about != "" {
			said.Objects = append(said.Objects, kit.NewText(about, kit.FontSmall, kit.RoleMuted).Lines(2))
		}
		rows = append(rows, said)
		if one.Out {
			rows = append(rows, kit.NewText(lang.T("waits.out"), kit.FontSmall, kit.RoleWarning))
			continue
		}
		rows = append(rows, kit.NewSecondary(lang.T("waits.back"), func() { w.page.conv.Session.TakeBack(one.ID) }))
	}
	if len(rows) == 0 {
		rows = append(rows, kit.NewText(lang.T("waits.none"), kit.FontBody, kit.RoleMuted))
	}
	w.list.Set(rows...)
	if w.overlay != nil {
		w.overlay.Refresh()
	}
}

// describe says what somebody did that waits, and to which message or whom.
func describe(conv *conversation.Room, w session.Waiting) (what, about string) {
	item, _ := conv.Timeline.Message(w.Row)
	said := cmp.Or(conversation.Said(item), text.OneLine(w.About))
	switch w.Did {
	case session.DidEdit:
		return lang.T("menu.edit"), text.OneLine(w.Text)
	case session.DidDelete:
		return lang.T("menu.delete"), text.OneLine(w.Text)
	case session.DidReact:
		return cmp.Or(w.Emoji, lang.T("waits.unreact")), said
	}
	whom := cmp.Or(text.OneLine(cmp.Or(w.User, item.User)), "…")
	switch {
	case w.Do == shared.DoSet && w.Settings != nil:
		return lang.T("host.title"), strings.Join(conversation.Rules(*w.Settings), ", ")
	case w.Do == shared.DoPin && w.Row == "":
		return lang.T("act.unpin"), ""
	case w.Do == shared.DoPin:
		return lang.T("act.pin"), said
	case w.Do == shared.DoDeleteAll:
		return lang.T("act.delete_all", "name", whom), ""
	}
	return lang.T("act." + w.Do), whom
}
