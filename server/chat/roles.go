package chat

import (
	"cmp"
	"slices"

	"parley/shared"
)

// rolesInFrame is how many devices one answer tells the roles of: each has up to two
// notices, of at most shared.MaxHistory in a frame.
const rolesInFrame = shared.MaxHistory / 2

// role is a device that a host has done something about which still holds.
type role struct {
	device  string
	offset  int64 // of the newest entry about it
	notices []shared.Message
}

// roles returns who is a host, removed or silenced, in the order in which something was
// done about them last: the newest before an offset, up to limit. More says that there
// are others.
func (r *Rules) roles(before int64, limit int) (roles []role, more bool) {
	add := func(device string, offset int64, notices ...shared.Message) {
		if before == 0 || offset < before {
			roles = append(roles, role{device, offset, notices})
		}
	}
	for device, h := range r.Hosts {
		add(device, h.Offset, shared.Message{Did: shared.DoHost, About: h.Name, Time: h.Since})
	}
	for device, b := range r.Barred {
		var notices []shared.Message
		if b.Removed.is() {
			notices = append(notices, shared.Message{Did: shared.DoRemove, User: b.Removed.By, About: b.Name, Time: b.Removed.At})
		}
		if b.Silenced.is() {
			notices = append(notices, shared.Message{Did: shared.DoSilence, User: b.Silenced.By, About: b.Name, Time: b.Silenced.At})
		}
		add(device, b.Offset, notices...)
	}
	slices.SortFunc(roles, func(a, b role) int { return cmp.Compare(a.offset, b.offset) })
	if more = len(roles) > limit; more {
		roles = roles[len(roles)-limit:]
	}
	return roles, more
}

// tellRoles returns a roles frame's payload. Whoever is in the room has the name that
// they have there now.
func (r *Room) tellRoles(before int64, limit int) []byte {
	here := make(map[string]string)
	r.mu.Lock()
	for _, p := range r.people {
		if p.device != "" && p.conns > 0 { // not one that it had a moment ago
			here[p.device] = p.name.Text
		}
	}
	r.mu.Unlock()
	r.ruling.mu.Lock()
	roles, more := r.ruling.rules.roles(before, min(limit, rolesInFrame))
	r.ruling.mu.Unlock()

	answer := shared.Message{Type: shared.TypeRoles, More: more}
	for _, role := range roles {
		for _, n := range role.notices {
			n.Type, n.Offset, n.Whom = shared.TypeNotice, role.offset, shared.By(r.name.Key, role.device)
			n.About = cmp.Or(here[role.device], n.About)
			answer.Notices = append(answer.Notices, n)
		}
	}
	return shared.Encode(answer)
}

// whom returns the device of whom an act is about, and their name; "" if there is
// nobody. Its message, which says more, is looked up by the log.
func (s *session) whom(m shared.Message) (device, name string, err error) {
	if m.Whom != "" {
		device, name = s.room.withBy(m.Whom)
		return device, name, nil
	}
	return s.byName(m.Do, m.User)
}

// withBy returns the device that has a shared.By, and its name, if it is in the room,
// has a role in it, or is one of its authors.
func (r *Room) withBy(by string) (device, name string) {
	known := make(map[string]string)
	r.mu.Lock()
	for device, a := range r.authors {
		known[device] = a.user
	}
	r.mu.Unlock()
	r.ruling.mu.Lock()
	for device, h := range r.ruling.rules.Hosts {
		known[device] = h.Name
	}
	for device, b := range r.ruling.rules.Barred {
		known[device] = b.Name
	}
	r.ruling.mu.Unlock()
	r.mu.Lock()
	for _, m := range r.members {
		if m.person != nil {
			known[m.device] = m.person.name.Text
		}
	}
	r.mu.Unlock()
	for device, name := range known {
		if shared.By(r.name.Key, device) == by {
			return device, name
		}
	}
	return "", ""
}

// byName returns the device of somebody by name: of somebody who is in the room, has a
// role in it, or was in it. Names change, so of several it is the one that the act
// fits.
func (s *session) byName(do, user string) (device, name string, err error) {
	r := s.room
	r.mu.Lock()
	for _, m := range r.members {
		if m.person != nil && m.person.name.Text == user {
			device = m.device
		}
	}
	r.mu.Unlock()
	n, bad := shared.PersonName(user)
	r.ruling.mu.Lock()
	fits := r.ruling.rules.fits(do, device)
	other := ""
	if bad == nil {
		other = r.ruling.rules.Named(do, n.Key)
	}
	r.ruling.mu.Unlock()
	switch {
	case device != "" && (fits || other == ""), bad != nil:
		return device, user, nil //nolint:nilerr // what is no name is nobody's
	case other != "":
		return other, n.Text, nil
	}
	owner, err := s.core.cfg.Registry.Owner(background, r.name.Key, n.Key)
	return owner.Device, n.Text, err
}
