package session

import (
	"reflect"
	"slices"
	"time"

	"parley/shared"
)

// Rules are what holds in a room beyond its messages, as the server said last. The zero
// value is that of a server that knows no hosts. Names come from the network: show them
// as text only.
type Rules struct {
	Can      bool            `json:"can,omitempty"`      // the server knows hosts
	Host     bool            `json:"host,omitempty"`     // this device is one
	Settings shared.Settings `json:"settings,omitzero"`  // each field set, if Can
	SetBy    string          `json:"set_by,omitempty"`   // who said last who writes; "" if it is not known
	Pinned   int64           `json:"pinned,omitempty"`   // the offset of the message on top; 0 is none
	Silenced string          `json:"silenced,omitempty"` // who has silenced this device; "" if nobody has
}

// MayWrite reports whether the person may send messages, and edit them.
func (r Rules) MayWrite() bool {
	return r.Host || r.Silenced == "" && r.Settings.Write != shared.WhoHosts
}

// MayReact reports whether the person may react to messages.
func (r Rules) MayReact() bool { return r.Host || r.Silenced == "" }

// MaySendFiles reports whether the person may send files.
func (r Rules) MaySendFiles() bool {
	switch r.Settings.Files {
	case shared.WhoNone:
		return false
	case shared.WhoHosts:
		return r.Host
	}
	return r.MayWrite()
}

// slow is how long the person has to wait between two messages; 0 if they need not.
func (r Rules) slow() time.Duration {
	if r.Host || r.Settings.Slow == nil {
		return 0
	}
	return time.Duration(*r.Settings.Slow) * time.Second
}

// Hosting is what a screen shows of the Rules: what the person has set, and waits, shows
// already.
type Hosting struct {
	Rules
	Pin  *Item     // the message on top; nil if there is none, or as long as it is not known
	Late bool      // Config.Host or a HostKey did not make this device a host: the room was open already, or has too many
	Next time.Time // when the next message goes out at the earliest, in slow mode; what is written before waits. The zero Time is now
	Like string    // another room, which the name of this one can be taken for, since this device has opened it
}

// Act is what a host does. Of Row, User and Whom, one says whom it is about, or none does.
type Act struct {
	Do       string           // shared.DoSet, shared.DoRemove, …
	Settings *shared.Settings // of shared.DoSet: what is changed
	Row      string           // a message of whom it is about; of shared.DoPin, the message, or "" for none
	User     string           // their name
	Whom     string           // a Role's, a Notice's, or an Item.By
}

// Host does something as a host. It waits in the store as an edit does, and goes out once.
// Its notice answers, or an Undone with the server's sentence.
func (r *Room) Host(a Act) {
	r.amend(Amendment{Did: DidHost, Do: a.Do, Settings: a.Settings, Row: a.Row, User: a.User, Whom: a.Whom})
}

// Claim makes this device a host with the key of the server's operator, on a new
// connection. The key is kept in memory until the server has answered.
func (r *Room) Claim(key string) {
	r.command(func(l *loop) {
		l.config.HostKey = key
		l.redial()
	})
}

// welcomeHost takes what a welcome says of hosts.
func (l *loop) welcomeHost(w shared.Message) {
	asked := l.config.Host || l.config.HostKey != ""
	l.late, l.like = asked && !w.Host, w.Like
	l.config.Host, l.config.HostKey = false, ""
	t := l.timeline
	was := t.rules
	t.rules = Rules{}
	if slices.Contains(w.Can, shared.CanHost) {
		t.rules = Rules{Can: true, Host: w.Host, Settings: shared.OpenSettings(), SetBy: was.SetBy, Pinned: w.Pinned, Silenced: w.Silenced}
		if w.Settings != nil {
			t.rules.Settings = t.rules.Settings.With(*w.Settings)
		}
	}
	if t.ruled = w.Offset; !w.Resumed {
		t.rules.SetBy, t.setAt = "", 0
	}
	t.pin.fresh = false
	if t.rules.Can {
		return
	}
	for _, a := range slices.Clone(t.amendments) {
		if a.Did == DidHost {
			t.undo(a, shared.CodeUnknownType, "")
		}
	}
}

// tellHosting tells the screen what holds in the room, if that is something else than
// before.
func (l *loop) tellHosting() {
	h := l.timeline.hosting()
	h.Late, h.Like, h.Next = l.late, l.like, l.slowed()
	if !reflect.DeepEqual(h, l.hosting) {
		l.hosting = h
		l.timeline.change(Change{Kind: HostingChanged, Hosting: h})
	}
}

// hosting is what holds, with what the person has set and waits.
func (t *timeline) hosting() (h Hosting) {
	h.Rules = t.rules
	for _, a := range t.amendments {
		switch {
		case a.Did != DidHost:
		case a.Do == shared.DoSet:
			h.Settings = h.Settings.With(*a.Settings)
		case a.Do == shared.DoPin:
			h.Pinned = a.Target
		}
	}
	if h.Pinned == 0 {
		return h
	}
	r := t.byOffset[h.Pinned]
	if r == nil && t.pin.row != nil && t.pin.row.Offset == h.Pinned {
		r = t.pin.row
	}
	if r != nil && r.Kind == KindMessage && !r.Deleted {
		item := r.Item
		h.Pin = &item
	}
	return h
}

// act lets a host's act wait.
func (t *timeline) act(a Amendment) {
	r := t.ids[a.Row]
	switch {
	case !t.rules.Can:
		t.change(Change{Kind: Undone, Undo: a.undo(shared.CodeUnknownType, "")})
		return
	case a.Row == "":
	case r == nil || r.Kind != KindMessage || r.Epoch != t.epoch || r.Epoch == "" || r.Deleted:
		t.change(Change{Kind: Undone, Undo: a.undo(shared.CodeNotFound, "")})
		return
	default:
		a.Of, a.Target = r.Entry, r.Offset
	}
	a.After = t.lastWaiting()
	t.amendments = append(t.amendments, &a)
	t.touched = true
}

// lastWaiting is the id of the row that was written last and waits, "" if none does. What
// waits for a file counts for nothing: others overtake it.
func (t *timeline) lastWaiting() (id string) {
	behind := t.behindFiles()
	for _, w := range t.rows[t.fixed:] {
		if !behind[w] {
			id = w.ID
		}
	}
	return id
}

// carry changes the rules as a notice says.
func (t *timeline) carry(m shared.Message) {
	if m.Settings != nil && m.Settings.Write != "" && m.Offset > t.setAt {
		t.rules.SetBy, t.setAt = m.User, m.Offset
	}
	if m.Offset <= t.ruled { // the welcome knew of it
		return
	}
	me := m.Whom != "" && m.Whom == t.by
	switch m.Did {
	case shared.DoSet:
		if m.Settings != nil {
			t.rules.Settings = t.rules.Settings.With(*m.Settings)
		}
	case shared.DoPin:
		t.rules.Pinned = m.Pinned
	case shared.DoHost, shared.DoOpen:
		if me {
			t.rules.Host, t.rules.Silenced = true, ""
		}
	case shared.DoUnhost:
		t.rules.Host = t.rules.Host && !me
	case shared.DoSilence:
		if me {
			t.rules.Silenced = m.User
		}
	case shared.DoUnsilence:
		if me {
			t.rules.Silenced = ""
		}
	}
}

// pin is the pinned message while it has no row in the timeline.
type pin struct {
	row   *Row  // nil if it is not known
	of    int64 // the offset that was asked about last
	fresh bool  // it was asked since the connection began
}

// unpinned takes the pinned message away if it is among those that are deleted.
func (t *timeline) unpinned(targets []int64) {
	if t.rules.Pinned != 0 && slices.Contains(targets, t.rules.Pinned) {
		t.rules.Pinned = 0
	}
}

// editPin gives the pinned message another text, if an edit is of it.
func (t *timeline) editPin(m shared.Message) {
	if r := t.pin.row; r != nil && r.Offset == m.Edits && r.Changed < m.Offset {
		r.Changed, r.Content.Text, r.Content.Edited = m.Offset, m.Text, true
		t.draw(r)
	}
}

// askPin asks for the pinned message, if it is not in the timeline.
func (l *loop) askPin() *question {
	t := l.timeline
	offset := t.rules.Pinned
	if offset == 0 || t.byOffset[offset] != nil || t.pin.fresh && t.pin.of == offset {
		return nil
	}
	asked := func() { t.pin.of, t.pin.fresh = offset, true }
	return &question{
		frame: historyBefore(offset+1, 1),
		answer: func(page shared.Message) {
			t.pin.row = nil
			for _, m := range page.Messages {
				if m.Offset == offset && !m.Deleted {
					t.pin.row = t.newRow(m, true)
				}
			}
			asked()
		},
		giveUp: func(error) { asked() },
	}
}
