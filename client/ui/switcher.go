package ui

import (
	"strings"

	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// maxSuggestions is how many rooms the switcher lists.
const maxSuggestions = 8

// showSwitcher goes to another room by a few letters of its name (Ctrl+K).
func showSwitcher(c *client) {
	if c.nav.mainIndex() < 0 || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	list := kit.NewColumn(0)
	e := kit.NewEntry(lang.T("switcher.hint"), c.shortcut)
	body := kit.NewColumn(2*kit.Unit, kit.NewEntryBox(e), list).Padded(kit.Around(3 * kit.Unit))
	var o *kit.Overlay
	var first string
	pick := func(name string) {
		o.Close()
		c.ways.enter(name)
	}
	show := func(typed string) {
		list.Objects = nil
		first = strings.TrimSpace(typed)
		for i, name := range matching(c, typed) {
			if i == 0 {
				first = name
			}
			t := kit.NewTile(kit.NewRow(3*kit.Unit, 1, kit.NewRoomAvatar(name, 32), kit.NewText(name, kit.FontBody, kit.RoleText).Lines(1)), func() { pick(name) })
			list.Objects = append(list.Objects, t)
		}
		if len(list.Objects) == 0 && roomProblem(first) == "" {
			t := kit.NewTile(kit.NewRow(3*kit.Unit, 1, kit.NewPicture("plus", kit.RoleAccent, 22), kit.NewText(lang.T("switcher.open", "room", first), kit.FontBody, kit.RoleText).Lines(2)), func() { pick(first) })
			list.Objects = append(list.Objects, t)
		}
		list.Refresh()
		if o != nil {
			o.Refresh()
		}
	}
	show("")
	e.OnChanged = show
	e.OnSubmitted = func(string) {
		if roomProblem(first) == "" {
			pick(first)
		}
	}
	o = kit.ShowPanel(c.window.Canvas(), body)
	c.window.Canvas().Focus(e)
}

// matching are the names of known rooms that contain what was typed: open ones
// first, the one on the screen last.
func matching(c *client, typed string) (names []string) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	seen := make(map[string]bool)
	current := ""
	add := func(name string) {
		if key := conversation.Key(name); !seen[key] && strings.Contains(strings.ToLower(name), typed) {
			seen[key] = true
			names = append(names, name)
		}
	}
	for _, conv := range c.open {
		if conv.Page != nil {
			current = conv.Title()
			seen[conv.Key] = true
			continue
		}
		add(conv.Title())
	}
	for _, s := range c.nav.stack {
		if p, ok := s.page.(roomsPage); ok {
			for _, name := range p.listed() {
				add(text.OneLine(name))
			}
		}
	}
	names = names[:min(len(names), maxSuggestions)]
	if current != "" && strings.Contains(strings.ToLower(current), typed) {
		names = append(names, current)
	}
	return names
}
