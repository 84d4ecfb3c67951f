package ui

import (
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// askWho asks who reacted to a message. The answer opens a panel.
func (p *roomPage) askWho(item session.Item) {
	p.who = item.ID
	p.sayOffline()
	p.conv.Session.Reactions(item.ID)
}

// tellWho shows who reacted to a message.
func (p *roomPage) tellWho(w session.Who) {
	if w.ID != p.who {
		return
	}
	p.who = ""
	if w.Err != nil {
		p.client.Say(questionProblem(w.Err))
		return
	}
	rows := []fyne.CanvasObject{kit.NewText(lang.T("menu.who"), kit.FontTitle, kit.RoleText)}
	for _, n := range w.Names {
		names := make([]string, len(n.Users))
		for i, user := range n.Users {
			names[i] = text.OneLine(user)
		}
		row := kit.NewRow(3*kit.Unit, 1, kit.NewText(n.Emoji, kit.FontTitle, kit.RoleText), kit.NewText(strings.Join(names, ", "), kit.FontBody, kit.RoleText))
		row.Top = true
		rows = append(rows, row)
	}
	if len(w.Names) == 0 {
		rows = append(rows, kit.NewText(lang.T("who.nobody"), kit.FontBody, kit.RoleMuted))
	}
	kit.ShowPanel(p.client.window.Canvas(), kit.NewColumn(3*kit.Unit, rows...).Padded(kit.Around(4*kit.Unit)))
}
