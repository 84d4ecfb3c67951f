package session

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/shared"
)

const (
	typingShown = 5 * time.Second
	typingEvery = 3 * time.Second
	namesShown  = shared.MaxMembers // at most, in People
	typistsKept = 16
)

// crowd is who is in the room and who is writing.
type crowd struct {
	people  map[string]bool
	count   int
	typists map[string]time.Time // until when they are shown

	peopleNews, typingNews bool
}

func (c *crowd) welcome(w shared.Message) {
	c.people = map[string]bool{}
	for _, name := range w.Members {
		c.people[name] = true
	}
	c.count = w.Count
	c.peopleNews = true
	c.silence()
}

func (c *crowd) presence(m shared.Message) {
	for _, name := range m.Users {
		if m.Event == shared.Leave {
			delete(c.people, name)
			c.stopped(name)
		} else if len(c.people) < namesShown {
			c.people[name] = true
		}
	}
	c.count = m.Count
	c.peopleNews = true
}

func (c *crowd) typing(name string, now time.Time) {
	if c.typists == nil {
		c.typists = map[string]time.Time{}
	}
	if _, known := c.typists[name]; !known {
		if name == "" || len(c.typists) >= typistsKept {
			return
		}
		c.typingNews = true
	}
	c.typists[name] = now.Add(typingShown)
}

// stopped notes that a typist has sent the message or left.
func (c *crowd) stopped(name string) {
	if _, known := c.typists[name]; known {
		delete(c.typists, name)
		c.typingNews = true
	}
}

// silence is what is known of typists without a connection.
func (c *crowd) silence() {
	if len(c.typists) > 0 {
		clear(c.typists)
		c.typingNews = true
	}
}

// changes are the news since the last call.
func (c *crowd) changes() (changes []Change) {
	if c.peopleNews {
		changes = append(changes, Change{Kind: PeopleChanged, People: names(maps.Keys(c.people)), Count: c.count})
	}
	if c.typingNews {
		changes = append(changes, Change{Kind: TypingChanged, Typing: names(maps.Keys(c.typists))})
	}
	c.peopleNews, c.typingNews = false, false
	return changes
}

// names are in an order that does not change from one list to the next.
func names(set func(yield func(string) bool)) []string {
	return slices.SortedFunc(set, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
}
