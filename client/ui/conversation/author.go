package conversation

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
