package ui

import (
	"cmp"
	"image/color"
	"maps"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// showPeople lists who is in the room, to be searched by a part of a name. A host taps
// somebody to do something about them.
func showPeople(p *roomPage) {
	c, conv := p.client, p.conv
	head := kit.NewColumn(2*kit.Unit, kit.NewText(lang.Plural("people.here", conv.Count), kit.FontTitle, kit.RoleText)).Padded(kit.Sides(0, 2*kit.Unit, 2*kit.Unit, 2*kit.Unit))
	list := kit.NewColumn(0)
	body := kit.NewColumn(0, head, list).Padded(kit.Around(4 * kit.Unit))
	var o *kit.Overlay
	show := func(typed string) {
		list.Set(peopleRows(conv, c.prefs.name(), typed, func(who person) {
			o.Close()
			showPerson(p, who)
		})...)
		if o != nil {
			o.Refresh()
		}
	}
	if len(conv.People) > 1 {
		search := kit.NewEntry(lang.T("people.search"), c.shortcut)
		search.OnChanged = show
		head.Objects = append(head.Objects, kit.NewEntryBox(search))
		body.Objects[0] = head
	}
	show("")
	o = kit.ShowPanel(c.window.Canvas(), body)
}

// peopleRows are the people whose name contains what was typed; own is the
// person's own name. A host's tap calls tapped.
func peopleRows(c *conversation.Room, own, typed string, tapped func(person)) (rows []fyne.CanvasObject) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	line := func(o fyne.CanvasObject) fyne.CanvasObject {
		return kit.NewColumn(0, o).Padded(kit.Around(2 * kit.Unit))
	}
	me := personKey(own)
	authors := c.Authors()
	for _, name := range c.People {
		if !strings.Contains(strings.ToLower(name), typed) {
			continue
		}
		row := kit.NewRow(3*kit.Unit, 1, kit.NewAvatar(name, cmp.Or(authors[name], name), conversation.AvatarSide), kit.NewText(text.OneLine(name), kit.FontBody, kit.RoleText)).Padded(kit.Sides(kit.Unit+2, 2*kit.Unit, kit.Unit+2, 2*kit.Unit))
		if personKey(name) == me {
			row.Objects = append(row.Objects, kit.NewChip(lang.T("people.you"), kit.FontLabel, kit.RoleAccent,
				func(p *kit.Palette) color.NRGBA { return p.AccentSoft }))
		}
		if !c.Hosting.Host || personKey(name) == me {
			rows = append(rows, row)
			continue
		}
		tile := kit.NewTile(row, func() { tapped(person{name: name, author: authors[name]}) })
		tile.Inset = kit.Around(0)
		rows = append(rows, tile)
	}
	rest := c.Count - len(c.People)
	switch {
	case len(rows) == 0 && typed != "":
		rows = append(rows, line(kit.NewText(lang.T("people.nobody"), kit.FontBody, kit.RoleMuted)))
	case typed == "" && rest > 0 && len(c.People) > 0:
		rows = append(rows, line(kit.NewText(lang.Plural("people.more", rest), kit.FontSmall, kit.RoleMuted)))
	}
	return rows
}

// personKey is what two spellings of a person's name have in common.
func personKey(name string) string {
	n, err := shared.PersonName(name)
	if err != nil {
		return name
	}
	return n.Key
}

// othersNames are who can be named: the people in the room, and who has written.
func (p *roomPage) othersNames() (names []string) {
	own := personKey(p.client.prefs.name())
	known := map[string]bool{own: true}
	add := func(name string) {
		if key := personKey(name); !known[key] {
			known[key] = true
			names = append(names, name)
		}
	}
	for _, name := range p.conv.People {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.conv.Authors())) {
		add(name)
	}
	return names
}
