package session

import (
	"cmp"
	"slices"
	"time"

	"parley/shared"
)

// Role is what a device is in a room now: a host, removed or silenced. Names come from
// the network: show them as text only.
type Role struct {
	Do    string    // shared.DoHost, shared.DoRemove or shared.DoSilence
	Name  string    // the device's name now, or when it got the role
	Whom  string    // for Act.Whom
	By    string    // who gave it the role; "" is the server's operator, or of a host, not known
	Since time.Time // when
}

// Roles is an answer to Room.Roles.
type Roles struct {
	List []Role // the newest first; one who is removed and silenced has two
	Err  error  // ErrUnreadable, ErrRefused, or nil
}

// mostRoles is how many roles a room has at most, and some more.
const mostRoles = 4096

// rolesAsked is a question for all roles, and the answer so far.
type rolesAsked struct {
	Roles
	before int64
}

// Roles asks who is a host, removed or silenced. A RolesTold answers; the last call alone
// is answered. While disconnected it waits for the connection.
func (r *Room) Roles() { r.command(func(l *loop) { l.questions.roles = &rolesAsked{} }) }

func (l *loop) askRoles() *question {
	h, t := &l.questions, l.timeline
	asked := h.roles
	if asked == nil {
		return nil
	}
	told := func(err error) {
		if h.roles == asked {
			asked.Err, h.roles = err, nil
			t.change(Change{Kind: RolesTold, Roles: &asked.Roles})
		}
	}
	if !t.rules.Can {
		told(ErrRefused)
		return nil
	}
	return &question{
		frame: shared.Message{Type: shared.TypeRoles, Before: asked.before, Limit: shared.MaxHistory},
		answer: func(page shared.Message) {
			for _, m := range slices.Backward(page.Notices) {
				asked.List = append(asked.List, Role{Do: m.Did, Name: m.About, Whom: m.Whom, By: m.User, Since: m.Time})
			}
			switch {
			case !page.More:
				told(nil)
			case len(page.Notices) == 0, asked.before > 0 && page.Notices[0].Offset >= asked.before, len(asked.List) > mostRoles: // it leads nowhere
				told(ErrUnreadable)
			default:
				asked.before = page.Notices[0].Offset
			}
		},
		giveUp: func(err error) { told(cmp.Or(err, ErrRefused)) },
	}
}
