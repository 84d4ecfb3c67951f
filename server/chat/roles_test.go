package chat_test

import (
	"fmt"
	"testing"

	"parley/shared"
)

// roles asks as a host who has a role, in pages of limit devices.
func (c *client) roles(limit int) (all []shared.Message) {
	c.t.Helper()
	for before, more := int64(0), true; more; {
		c.send(shared.Message{Type: shared.TypeRoles, Before: before, Limit: limit})
		page := c.until(shared.TypeRoles)
		all, more = append(page.Notices, all...), page.More
		if more {
			before = page.Notices[0].Offset
		}
	}
	return all
}

func roleLines(notices []shared.Message) (lines []string) {
	for _, n := range notices {
		lines = append(lines, fmt.Sprintf("%d %s %s by %q", n.Offset, n.Did, n.About, n.User))
	}
	return lines
}

// TestRoles has a host take back what was done to people who have other names now.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := start(t)
	annDevice, bobDevice, eveDevice := newDevice(), newDevice(), newDevice()
	ann, welcome := s.join("Class", opens("Ann", annDevice)) // 1
	bob, bobs := s.join("Class", hello("Bob", bobDevice))
	eve, eves := s.join("Class", hello("Eve", eveDevice))
	dan, dans := s.join("Class", hello("Dan", newDevice()))
	fay, fays := s.join("Class", hello("Fay", newDevice()))
	ann.does(shared.Message{Do: shared.DoHost, User: "Dan"})        // 2
	ann.does(shared.Message{Do: shared.DoSilence, Whom: bobs.By})   // 3
	ann.does(shared.Message{Do: shared.DoSilence, User: "Eve"})     // 4
	n := ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"}) // 5
	bob.closed()
	eve.leave()
	eve, _ = s.join("Class", hello("Evelyn", eveDevice))

	want := []string{`1 host Ann by ""`, `2 host Dan by ""`, `4 silence Evelyn by "Ann"`, `5 remove Bob by "Ann"`, `5 silence Bob by "Ann"`}
	all := ann.roles(100)
	equal(t, "roles", roleLines(all), want...)
	for i, by := range []string{welcome.By, dans.By, eves.By, bobs.By, n.Whom} {
		if i < len(all) && (all[i].Whom != by || all[i].Time.IsZero() || all[i].By != "" || all[i].ID != "") {
			t.Errorf("%+v is not of %s", all[i], by)
		}
	}
	equal(t, "roles, two at a time", roleLines(dan.roles(2)), want...)
	eve.send(shared.Message{Type: shared.TypeRoles, Limit: 10})
	eve.refused(shared.CodeNotAllowed, "Only a host")

	// A name says what it said when it was done, or what it says now.
	ann.act(shared.Message{Do: shared.DoUnsilence, Whom: fays.By})
	ann.refused(shared.CodeNotFound, "Fay was not silenced")
	ann.act(shared.Message{Do: shared.DoAdmit, Whom: "nobody's"})
	ann.refused(shared.CodeNotFound, "nobody of that name")
	ann.act(shared.Message{Do: shared.DoRemove, Whom: welcome.By})
	ann.refused(shared.CodeNotAllowed, "to yourself")
	if n := ann.does(shared.Message{Do: shared.DoUnsilence, Whom: eves.By}); n.About != "Evelyn" || n.Whom != eves.By {
		t.Errorf("everyone is told %+v", n)
	}
	ann.does(shared.Message{Do: shared.DoSilence, User: "Evelyn"})
	eve.leave()
	eve, _ = s.join("Class", hello("Eve", eveDevice))
	ann.does(shared.Message{Do: shared.DoUnsilence, User: "Evelyn"})

	// After a restart nobody is there, and it is all the same.
	for _, c := range []*client{ann, dan, eve, fay} {
		c.leave()
	}
	s.stop()
	s.open()
	ann, _ = s.join("Class", hello("Ann", annDevice))
	equal(t, "roles after a restart", roleLines(ann.roles(1)), want[0], want[1], want[3], want[4])
	if n := ann.does(shared.Message{Do: shared.DoAdmit, Whom: bobs.By}); n.About != "Bob" || n.Whom != bobs.By {
		t.Errorf("everyone is told %+v", n)
	}
	bob, _ = s.join("Class", hello("Robert", bobDevice))
	equal(t, "roles of one who came back", roleLines(ann.roles(1))[2:], `9 silence Robert by "Ann"`)
}
