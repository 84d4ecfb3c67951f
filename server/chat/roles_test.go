package chat_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
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
	s.join("Class", hello("Robert", bobDevice))
	equal(t, "roles of one who came back", roleLines(ann.roles(1))[2:], `9 silence Robert by "Ann"`)
}

// TestManyRoles reads those of more devices than one answer has.
func TestManyRoles(t *testing.T) {
	t.Parallel()
	s := start(t)
	device := newDevice()
	ann, _ := s.join("Class", opens("Ann", device))
	var work sync.WaitGroup
	for i := range 55 {
		for _, do := range []string{shared.DoRemove, shared.DoSilence} {
			work.Add(1)
			e := chat.Entry{Kind: chat.KindNotice, ID: fmt.Sprint(do, i), Device: loggedDevice(device), User: strings.Repeat("\U0001F600", shared.MaxName), Time: time.Now(),
				Extra: &chat.Extra{Act: &chat.Act{Do: do, Device: fmt.Sprint("device ", i), About: strings.Repeat("\U0001F600", shared.MaxName)}}}
			s.log.Append(t.Context(), shared.Name{Text: "Class", Key: "class"}, e, func(_ chat.Receipt, err error) {
				defer work.Done()
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
	for _, limit := range []int{20, shared.MaxHistory} {
		all := ann.roles(limit)
		if len(all) != 1+2*55 {
			t.Errorf("with a limit of %d, %d are told", limit, len(all))
		}
		for i, n := range all {
			if i > 0 && (n.Offset < all[i-1].Offset || n.Offset != int64(3+2*((i-1)/2))) {
				t.Fatalf("%d is %+v", i, n)
			}
		}
	}
}

// TestNameOfTwo takes something back by a name that somebody else has by now.
func TestNameOfTwo(t *testing.T) {
	t.Parallel()
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c))
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	bob, bobs := s.join("Class", hello("Bob", newDevice()))
	ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"})
	bob.closed()
	c.add(1000 * 24 * time.Hour)
	_, others := s.join("Class", hello("Bob", newDevice()))
	if n := ann.does(shared.Message{Do: shared.DoSilence, User: "Bob"}); n.Whom != others.By {
		t.Errorf("silenced is %+v", n)
	}
	if n := ann.does(shared.Message{Do: shared.DoAdmit, User: "Bob"}); n.Whom != bobs.By {
		t.Errorf("let in is %+v", n)
	}
	if n := ann.does(shared.Message{Do: shared.DoUnsilence, User: "Bob"}); n.Whom != others.By {
		t.Errorf("unsilenced is %+v", n)
	}
}
