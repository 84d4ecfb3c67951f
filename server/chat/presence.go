package chat

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/server/chat/lookalike"
	"parley/shared"
)

// presence is who is in a room, and what is still to be told of it. It is
// guarded by Room.mu.
type presence struct {
	people    map[string]*person   // by the name's key
	looks     map[string][]*person // by their look's skeleton, those whose names are not mixed
	joined    []string             // not yet told
	left      []string
	timer     *time.Timer    // runs while something is to be told
	uncounted map[string]int // by server: people there beyond those that are known by name
	told      time.Time
}

// person is everyone under one name: several connections of one device are one
// person.
type person struct {
	name   shared.Name // as it is shown
	look   lookalike.Look
	marked bool   // name has a hint
	device string // empty for a member of the tutorial's dialect, who owns no name
	conns  int
	gone   *time.Timer // runs after the last connection went

	elsewhere map[string]bool // the other servers at which somebody is here under the name
	fading    *time.Timer     // runs after nobody was there any more
}

const (
	crowd         = 200 // from here on only the count is told
	maxTold       = 50  // names in one presence frame
	presenceEvery = time.Second
)

// arrive makes m be under a name, which was claimed for its device or is free.
// It reports false if somebody else is there under it.
func (r *Room) arrive(m *member, name shared.Name, look lookalike.Look, standing Standing) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.people[name.Key]
	switch {
	case p != nil && p == m.person:
		return true
	case p == nil:
		p = &person{look: look}
		p.name, p.marked = r.shown(name, look, standing)
		r.people[name.Key] = p
		if !look.Mixed {
			r.looks[look.Skeleton] = append(r.looks[look.Skeleton], p)
		}
		r.announce(&r.joined, &r.left, p.name.Text)
	case p.conns > 0 && (p.device != m.device || m.dialect == tutorial):
		return false
	case p.gone != nil:
		p.gone.Stop()
		p.gone = nil
	}
	if m.person != nil {
		r.depart(m)
	}
	if !p.look.Mixed && p.look.Skeleton == "" && p.conns == 0 { // it was only elsewhere
		p.look = look
		if !look.Mixed {
			r.looks[look.Skeleton] = append(r.looks[look.Skeleton], p)
		}
	}
	if m.dialect == parley {
		p.device = m.device
	} else {
		p.device = ""
	}
	if p.conns++; p.conns == 1 {
		r.gathered()
	}
	m.person = p
	return true
}

// shown adds a hint to a name that can be taken for another one's, and reports whether
// it did. Of two names that look alike the later one gets it: the one that does not
// have the look in the registry, or else was not in the room first. The caller holds
// mu.
func (r *Room) shown(name shared.Name, look lookalike.Look, standing Standing) (shared.Name, bool) {
	hint := ""
	switch {
	case look.Mixed:
		hint = look.Oddity()
	case standing.First:
	case standing.Like != "":
		hint = look.Hint(lookalike.Of(standing.Like))
	default:
		if before := r.alike(name, look); before != nil {
			hint = look.Hint(before.look)
		}
	}
	if hint == "" {
		return name, false
	}
	name.Text += " (" + hint + ")"
	return name, true
}

// alike returns somebody here whose other name looks the same, or nil. The caller
// holds mu.
func (r *Room) alike(name shared.Name, look lookalike.Look) *person {
	for _, p := range r.looks[look.Skeleton] {
		if p.name.Key != name.Key {
			return p
		}
	}
	return nil
}

// forget takes a person off the room's list. The caller holds mu.
func (r *Room) forget(p *person) {
	if p.gone != nil {
		p.gone = nil
		r.gathered()
	}
	if len(p.elsewhere) > 0 {
		return
	}
	delete(r.people, p.name.Key)
	others := slices.DeleteFunc(r.looks[p.look.Skeleton], func(other *person) bool { return other == p })
	if r.looks[p.look.Skeleton] = others; len(others) == 0 {
		delete(r.looks, p.look.Skeleton)
	}
	r.announce(&r.left, &r.joined, p.name.Text)
}

// depart takes m from its person. The others hear of it some time after the
// last connection went, since most come back at once. The caller holds mu.
func (r *Room) depart(m *member) {
	p := m.person
	m.person = nil
	if p == nil {
		return
	}
	if p.conns--; p.conns > 0 {
		return
	}
	var gone *time.Timer
	gone = time.AfterFunc(r.core.cfg.LeaveDelay, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if p.gone == gone {
			r.forget(p)
		}
	})
	p.gone = gone
}

// announce tells a name with the next presence frames, unless the opposite was still to
// be told: then nothing happened. The caller holds mu.
func (r *Room) announce(news, opposite *[]string, name string) {
	if i := slices.Index(*opposite, name); i >= 0 {
		*opposite = slices.Delete(*opposite, i, i+1)
		return
	}
	*news = append(*news, name)
	if r.timer == nil {
		r.timer = time.AfterFunc(max(0, presenceEvery-time.Since(r.told)), r.tellPresence)
	}
}

func (r *Room) tellPresence() {
	r.mu.Lock()
	joined, left, count := r.joined, r.left, r.count()
	r.joined, r.left, r.timer = nil, nil, nil
	r.told = time.Now()
	r.mu.Unlock()
	for _, news := range []struct {
		event shared.Event
		users []string
	}{{shared.Join, joined}, {shared.Leave, left}} {
		if len(news.users) == 0 {
			continue
		}
		if count > crowd {
			news.users = nil
		}
		r.tell(shared.Message{Type: shared.TypePresence, Event: news.event, Count: count,
			Users: news.users[:min(len(news.users), maxTold)]})
	}
}

// who returns the names of the people here, sorted, at most shared.MaxMembers,
// and how many there are.
func (r *Room) who() (names []string, count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.people {
		names = append(names, p.name.Text)
		if len(names) == shared.MaxMembers {
			break
		}
	}
	slices.Sort(names)
	return names, r.count()
}

// personOf returns who m is, nil once it has departed. Of the person only name, look
// and marked may be read.
func (r *Room) personOf(m *member) *person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return m.person
}

// userOf returns the name that m is shown under, the zero name once it has
// departed.
func (r *Room) userOf(m *member) shared.Name {
	if p := r.personOf(m); p != nil {
		return p.name
	}
	return shared.Name{}
}

// here reports whether somebody is connected under a name.
func (r *Room) here(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.people[key]
	return p != nil && (p.conns > 0 || len(p.elsewhere) > 0)
}

// variant returns the nth spelling to try for a name that is taken: "ann (2)".
// It is cut to what a name may have.
func variant(name shared.Name, n int) shared.Name {
	suffix := fmt.Sprintf(" (%d)", n)
	text := name.Text
	for {
		v, err := shared.PersonName(strings.TrimSpace(text) + suffix)
		if err == nil {
			return v
		}
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
}
