package ui

import (
	"cmp"

	"parley/client/session"
)

// authorOf tells the people of a room apart: by what the server says of who
// wrote, or by the name if it says nothing.
func authorOf(i session.Item) string { return cmp.Or(i.By, i.User) }

// sameAuthor reports whether two messages are one person's, under one name.
func sameAuthor(a, b session.Item) bool {
	if a.By != "" && b.By != "" && a.By != b.By {
		return false
	}
	return a.Mine == b.Mine && a.User == b.User
}

// authors are who wrote last under each name, so that a person has one colour
// in the conversation and in the list of people.
func (c *conversation) authors() map[string]string {
	authors := make(map[string]string)
	for _, r := range c.timeline.rows {
		if r.item.Kind == session.KindMessage {
			authors[r.item.User] = authorOf(r.item)
		}
	}
	return authors
}

// names are those that the person has had here.
func (c *conversation) names() []string {
	names := []string{c.client.prefs.name()}
	seen := map[string]bool{names[0]: true}
	for _, r := range c.timeline.rows {
		if r.item.Mine && !seen[r.item.User] {
			seen[r.item.User] = true
			names = append(names, r.item.User)
		}
	}
	return names
}
