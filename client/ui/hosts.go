package ui

import (
	"cmp"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// What a host of a room does, and what everyone sees of it around the list.

// pinned is the line under the header that shows the pinned message. A tap leads to it.
type pinned struct {
	*kit.Tile
	line *kit.Text
	item session.Item
}

func newPinned(lead func(offset int64)) *pinned {
	p := &pinned{line: kit.NewText("", kit.FontSmall, kit.RoleText).Lines(1)}
	row := kit.NewRow(2*kit.Unit, 1, kit.NewPicture("pin", kit.RoleAccent, 18), p.line)
	p.Tile = kit.NewTile(row, func() { lead(p.item.Offset) })
	p.Ground = func(p *kit.Palette) color.NRGBA { return p.Surface }
	p.Radius = 0
	p.Inset = kit.Sides(kit.Unit, 4*kit.Unit, kit.Unit, 4*kit.Unit)
	p.Hide()
	return p
}

// show shows a message; nil hides the line. It reports whether the line came or went.
func (p *pinned) show(item *session.Item) (moved bool) {
	hidden := item == nil
	moved, p.Hidden = hidden != p.Hidden, hidden
	if !hidden {
		p.item = *item
		p.line.SetText(lang.T("rooms.preview", "name", text.OneLine(item.User), "text", conversation.Said(*item)))
	}
	return moved
}

// quieten puts what says why one may not write into the composer's place, or takes it
// away. It reports whether something changed. What was written stays in the composer.
func (p *roomPage) quieten() (changed bool) {
	canvas := p.client.window.Canvas()
	changed = p.quiet.Say(p.conv.Quiet())
	focused := canvas.Focused() == fyne.Focusable(p.composer.Entry)
	waits := canvas.Focused() == fyne.Focusable(p.quiet)
	if p.composer.Hidden = !p.quiet.Hidden; p.composer.Hidden {
		if focused {
			canvas.Unfocus()
		}
	} else if waits {
		canvas.Focus(p.composer.Entry)
	}
	hint, short := lang.T("room.send"), ""
	if s := p.conv.Hosting.Settings.Slow; s != nil && *s > 0 && !p.conv.Hosting.Host {
		hint = lang.T("quiet.slow", "time", conversation.Seconds(*s))
		short = lang.T("quiet.slow.short", "time", conversation.Seconds(*s))
	}
	if hint != p.composer.Entry.PlaceHolder {
		p.composer.Entry.PlaceHolder, p.composer.Entry.Short = hint, short
		p.composer.Entry.Refresh()
	}
	return changed
}

// hostActions are what a host can do with a message, and with who wrote it.
func (p *roomPage) hostActions(item session.Item) (actions []kit.Action) {
	if !p.conv.Hosting.Host || item.Delivery != session.Sent || !item.Addressable() {
		return nil
	}
	room := p.conv.Session
	pin := kit.Action{Icon: "pin", Label: lang.T("act.pin"), Do: func() { room.Host(session.Act{Do: shared.DoPin, Row: item.ID}) }}
	if item.Offset == p.conv.Hosting.Pinned {
		pin.Label, pin.Do = lang.T("act.unpin"), func() { room.Host(session.Act{Do: shared.DoPin}) }
	}
	actions = append(actions, pin)
	if item.Mine {
		return actions
	}
	return append(actions,
		kit.Action{Icon: "people", Label: text.OneLine(item.User) + "…", Do: func() {
			showPerson(p, person{name: item.User, row: item.ID, author: item.By})
		}},
		kit.Action{Icon: "trash", Label: lang.T("menu.delete"), Danger: true, Do: func() { askToDelete(p.client, p.conv, item) }})
}

// person is somebody whom a host does something about: who wrote a row's message, or if
// row is "", who is in the room under a name. Whoever wrote under that name may be
// somebody else.
type person struct {
	name, row string
	author    string // gives them their colour; of a row, their session.Item.By
}

// act is something about them.
func (w person) act(do string) session.Act {
	if w.row != "" {
		return session.Act{Do: do, Row: w.row}
	}
	return session.Act{Do: do, User: w.name}
}

// personSheet is the panel with what a host can do about somebody.
type personSheet struct {
	page    *roomPage
	person  person
	overlay *kit.Overlay
	body    *kit.Column
}

// showPerson shows what a host can do about somebody, who is asked for their roles
// meanwhile.
func showPerson(p *roomPage, who person) {
	s := &personSheet{page: p, person: who, body: kit.NewColumn(2 * kit.Unit).Padded(kit.Around(4 * kit.Unit))}
	p.person = s
	s.draw()
	s.overlay = kit.ShowPanel(p.client.window.Canvas(), s.body)
	p.conv.Session.Roles()
}

// has reports whether the person has a role.
func (s *personSheet) has(do string) bool {
	return slices.ContainsFunc(s.page.conv.Roles, func(r session.Role) bool {
		if s.person.row != "" {
			return r.Do == do && r.Whom == s.person.author
		}
		return r.Do == do && personKey(r.Name) == personKey(s.person.name)
	})
}

func (s *personSheet) draw() {
	name := text.OneLine(s.person.name)
	rows := []fyne.CanvasObject{kit.NewRow(3*kit.Unit, 1, kit.NewAvatar(s.person.name, cmp.Or(s.person.author, s.person.name), conversation.AvatarSide), kit.NewText(name, kit.FontTitle, kit.RoleText).Lines(3))}
	do := func(label, do string) {
		rows = append(rows, kit.NewSecondary(label, func() {
			s.overlay.Close()
			s.page.conv.Session.Host(s.person.act(do))
		}))
	}
	ask := func(label, question, do string) {
		rows = append(rows, kit.NewDanger(label, func() {
			s.overlay.Close()
			askToAct(s.page, question, label, s.person.act(do))
		}))
	}
	if s.has(shared.DoHost) { // nothing else can be done about a host
		do(lang.T("act.unhost"), shared.DoUnhost)
	} else {
		silenced, removed := s.has(shared.DoSilence), s.has(shared.DoRemove)
		if silenced {
			do(lang.T("act.unsilence"), shared.DoUnsilence)
		} else {
			do(lang.T("act.silence"), shared.DoSilence)
		}
		if !silenced && !removed {
			do(lang.T("act.host"), shared.DoHost)
		}
		if removed {
			do(lang.T("act.admit"), shared.DoAdmit)
		} else {
			ask(lang.T("act.remove"), lang.T("act.remove.ask", "name", name), shared.DoRemove)
		}
		ask(lang.T("act.delete_all", "name", name), lang.T("act.delete_all.ask", "name", name), shared.DoDeleteAll)
	}
	s.body.Set(rows...)
	if s.overlay != nil {
		s.overlay.Refresh()
	}
}

// askToAct asks whether something is to be done that does not go back by itself.
func askToAct(p *roomPage, question, label string, a session.Act) {
	var o *kit.Overlay
	o = kit.ShowForm(p.client.window.Canvas(), label, kit.NewText(question, kit.FontBody, kit.RoleText),
		kit.NewDanger(label, func() {
			o.Close()
			p.conv.Session.Host(a)
		}),
		kit.NewSecondary(lang.T("composer.cancel"), func() { o.Close() }))
}

// open reports whether a panel is in sight.
func (p *roomPage) open(o *kit.Overlay) bool {
	return slices.Contains(p.client.window.Canvas().Overlays().List(), fyne.CanvasObject(o))
}

// hosting draws what a batch says of hosts in the panels about them.
func (p *roomPage) hosting(batch []session.Change) {
	told, asks := false, false
	for _, change := range batch {
		switch change.Kind {
		case session.RolesTold:
			told = true
			if change.Roles.Err != nil {
				p.client.Say(questionProblem(change.Roles.Err))
			}
		case session.HostingChanged:
			told = true
		}
		for _, item := range change.Items {
			asks = asks || item.Kind == session.KindNotice && item.Notice.Whom != ""
		}
	}
	person, sheet := p.person != nil && p.open(p.person.overlay), p.hosts != nil && p.open(p.hosts.overlay)
	if told && person {
		kit.KeepFocus(p.person.body, p.person.draw)
	}
	if told && sheet {
		kit.KeepFocus(p.hosts.body, p.hosts.draw)
	}
	if asks && (person || sheet) {
		p.conv.Session.Roles()
	}
}
