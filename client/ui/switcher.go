package ui

import (
	"strings"

	"parley/client/ui/text"
)

// maxSuggestions is how many rooms the switcher lists.
const maxSuggestions = 8

// showSwitcher goes to another room by a few letters of its name (Ctrl+K).
func (c *client) showSwitcher() {
	if c.nav.mainIndex() < 0 || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	list := newColumn(0)
	e := newEntry(tr("switcher.hint"), c.shortcut)
	body := newColumn(2*unit, newEntryBox(e), list).padded(around(3 * unit))
	var o *overlay
	var first string
	pick := func(name string) {
		o.close()
		c.enter(name)
	}
	show := func(typed string) {
		list.objects = nil
		first = strings.TrimSpace(typed)
		for i, name := range c.matching(typed) {
			if i == 0 {
				first = name
			}
			t := newTile(newHRow(3*unit, 1, newRoomAvatar(name, 32), newText(name, fontBody, roleText).lines(1)), func() { pick(name) })
			list.objects = append(list.objects, t)
		}
		if len(list.objects) == 0 && roomProblem(first) == "" {
			t := newTile(newHRow(3*unit, 1, newPicture("plus", roleAccent, 22), newText(tr("switcher.open", "room", first), fontBody, roleText).lines(2)), func() { pick(first) })
			list.objects = append(list.objects, t)
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
	o = showPanel(c.window.Canvas(), body)
	c.window.Canvas().Focus(e)
}

// matching are the names of known rooms that contain what was typed: open ones
// first, the one on the screen last.
func (c *client) matching(typed string) (names []string) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	seen := make(map[string]bool)
	current := ""
	add := func(name string) {
		if key := roomKey(name); !seen[key] && strings.Contains(strings.ToLower(name), typed) {
			seen[key] = true
			names = append(names, name)
		}
	}
	for _, conv := range c.open {
		if conv.page != nil {
			current = conv.title()
			seen[conv.key] = true
			continue
		}
		add(conv.title())
	}
	for _, s := range c.nav.stack {
		if p, ok := s.page.(*askRoomPage); ok {
			for _, r := range p.recent {
				if r.Server == c.prefs.server() {
					add(text.OneLine(r.Room))
				}
			}
			for _, r := range p.active {
				add(text.OneLine(r.Name))
			}
		}
	}
	names = names[:min(len(names), maxSuggestions)]
	if current != "" && strings.Contains(strings.ToLower(current), typed) {
		names = append(names, current)
	}
	return names
}
