package ui

import (
	"cmp"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/ui/text"
	"parley/shared"
)

// showPeople lists who is in the room, to be searched by a part of a name.
func (p *roomPage) showPeople() {
	c := p.conv
	head := newColumn(2*unit, newText(plural("people.here", c.count), fontTitle, roleText)).padded(insets{0, 2 * unit, 2 * unit, 2 * unit})
	list := newColumn(0)
	body := newColumn(0, head, list).padded(around(4 * unit))
	var o *overlay
	show := func(typed string) {
		list.set(c.peopleRows(typed)...)
		if o != nil {
			o.Refresh()
		}
	}
	if len(c.people) > 1 {
		search := newEntry(tr("people.search"), c.client.shortcut)
		search.OnChanged = show
		head.objects = append(head.objects, newEntryBox(search))
		body.objects[0] = head
	}
	show("")
	o = showPanel(c.client.window.Canvas(), body)
}

// peopleRows are the people whose name contains what was typed.
func (c *conversation) peopleRows(typed string) (rows []fyne.CanvasObject) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	line := func(o fyne.CanvasObject) fyne.CanvasObject {
		return newColumn(0, o).padded(around(2 * unit))
	}
	me := personKey(c.client.prefs.name())
	authors := c.authors()
	for _, name := range c.people {
		if !strings.Contains(strings.ToLower(name), typed) {
			continue
		}
		row := newHRow(3*unit, 1, newAvatar(name, cmp.Or(authors[name], name), avatarSide), newText(text.OneLine(name), fontBody, roleText)).padded(insets{unit + 2, 2 * unit, unit + 2, 2 * unit})
		if personKey(name) == me {
			row.objects = append(row.objects, newChip(tr("people.you"), fontLabel, roleAccent,
				func(p *palette) color.NRGBA { return p.AccentSoft }))
		}
		rows = append(rows, row)
	}
	rest := c.count - len(c.people)
	switch {
	case len(rows) == 0 && typed != "":
		rows = append(rows, line(newText(tr("people.nobody"), fontBody, roleMuted)))
	case typed == "" && rest > 0 && len(c.people) > 0:
		rows = append(rows, line(newText(plural("people.more", rest), fontSmall, roleMuted)))
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
