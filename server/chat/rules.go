package chat

import (
	"fmt"
	"maps"
	"time"

	"parley/shared"
)

// Rules are what holds in a room beyond its messages: who its hosts are, and what
// they have set. The zero value is that of a room in which nothing was ever said.
//
// They are a function of the room's entries alone: a log, and a room in memory, that
// carry the same entries come to the same rules.
type Rules struct {
	Used     bool            // the room has an entry, or had one
	Settings shared.Settings // what was set; an empty field is as in shared.OpenSettings
	SetBy    string          // the name of who changed them last
	Hosts    map[string]Host // by device; at most MaxHosts
	Barred   map[string]Bar  // by device; at most MaxBarred
	Pinned   int64           // the offset of the message that is shown on top; 0 is none
}

// Host is a device that hosts a room.
type Host struct {
	Name   string    // under which it was made one
	Offset int64     // of the entry that made it one
	Since  time.Time // of that entry
}

// Bar is what keeps a device out, or from writing. One of the two is not zero.
type Bar struct {
	Name     string // under which it was known then
	Removed  Stamp
	Silenced Stamp
	Offset   int64 // of the newest entry about it
}

// Stamp says who did something, and when; the zero value that nobody did.
type Stamp struct {
	By string // their name; "" is the server's operator
	At time.Time
}

func (s Stamp) is() bool { return !s.At.IsZero() }

// How much there is in a room's Rules.
const (
	MaxHosts  = 20   // in a room
	MaxBarred = 1000 // in a room: those that nothing was done about for the longest time go
)

// OperatorDevice writes the entries of commands on the server's host. They have no
// name, as nobody else does.
const OperatorDevice = "operator"

// RemovalHold is how long after a removal no unknown device comes in from the address
// of the one that was removed.
const RemovalHold = 10 * time.Minute

// What is something that somebody may do in a room, or not.
type What int

// What somebody may do.
const (
	ToEnter  What = iota // and to read from outside, over the API
	ToWrite              // a message
	ToEdit               // one's own
	ToDelete             // one's own
	ToReact
	ToUpload // and to send a message with a file
	ToHost   // whatever a host does
)

// whats are what the kinds of entries do.
var whats = [...]What{KindMessage: ToWrite, KindEdit: ToEdit, KindDelete: ToDelete, KindReact: ToReact, KindNotice: ToHost}

// whatOf is what somebody does who adds an entry.
func whatOf(e Entry) What {
	if e.Kind == KindMessage && e.Extras().File != nil {
		return ToUpload
	}
	return whats[e.Kind]
}

// Who is a person, as a session knows them. The zero value is a stranger.
type Who struct {
	Device string    // APIDevice for whoever has the API's token
	Known  bool      // the device has written in the room, or owns a name in it
	Here   bool      // it is in the room, or comes back
	Beside bool      // somebody was removed from its address less than RemovalHold ago
	Spoke  time.Time // when its last message came; the zero value if none did
}

// May reports whether somebody may do something at a time: nil, or a *Refusal with a
// sentence that says whose doing it is.
func (r *Rules) May(who Who, what What, now time.Time) error {
	if err := r.may(who.Device, what); err != nil {
		return err
	}
	_, host := r.Hosts[who.Device]
	switch {
	case host || who.Device == APIDevice && what == ToWrite:
	case what == ToEnter:
		return r.mayEnter(who)
	case what == ToWrite && r.Settings.Slow != nil:
		slow := time.Duration(*r.Settings.Slow) * time.Second
		if wait := who.Spoke.Add(slow).Sub(now); !who.Spoke.IsZero() && wait > 0 {
			return &Refusal{Code: shared.CodeRateLimited, Rule: "slow", Retry: min(wait, slow),
				Reason: fmt.Sprintf("%s lets everyone write once in %d s.", whose(r.SetBy), *r.Settings.Slow)}
		}
	}
	return nil
}

// isSlow reports whether whoever writes has to wait before they write again.
func (r *Rules) isSlow() bool { return r.Settings.Slow != nil && *r.Settings.Slow > 0 }

// mayEnter says whether the door is open for somebody who is no host.
func (r *Rules) mayEnter(who Who) error {
	switch {
	case who.Here:
	case r.Settings.Door == shared.DoorClosed:
		return byRule("door", "%s has closed this room: nobody else comes in now.", whose(r.SetBy))
	case who.Known:
	case r.Settings.Door == shared.DoorKnown:
		return byRule("door", "%s lets in only those who have been in this room before.", whose(r.SetBy))
	case who.Beside:
		return byRule("address", "Somebody was removed from this room. For %d minutes, nobody new comes in from the same address.", int(RemovalHold.Minutes()))
	}
	return nil
}

// may says what depends on nothing but the device: the part of May that is asked
// again when an entry is added, since what a host does may come between.
func (r *Rules) may(device string, what What) error {
	if _, host := r.Hosts[device]; host || device == APIDevice && what != ToHost {
		if what == ToUpload && r.Settings.Files == shared.WhoNone {
			return byRule("files", "%s has set that nobody sends files here.", whose(r.SetBy))
		}
		return nil
	}
	bar := r.Barred[device]
	switch {
	case bar.Removed.is():
		return byRule("removed", "%s has removed you from this room.", whose(bar.Removed.By))
	case what == ToHost:
		return byRule("host", "Only a host of this room can do that.")
	case what == ToEnter || what == ToDelete:
	case bar.Silenced.is():
		return byRule("silenced", "%s has silenced you. You can read, but not write.", whose(bar.Silenced.By))
	case what == ToReact:
	case r.Settings.Write == shared.WhoHosts:
		return byRule("write", "%s has set that only hosts write here.", whose(r.SetBy))
	case what == ToUpload && r.Settings.Files == shared.WhoNone:
		return byRule("files", "%s has set that nobody sends files here.", whose(r.SetBy))
	case what == ToUpload && r.Settings.Files == shared.WhoHosts:
		return byRule("files", "%s has set that only hosts send files here.", whose(r.SetBy))
	}
	return nil
}

// Carry changes the rules as an entry does, or refuses it and changes nothing. The
// error is a *Refusal. It does not decide what a message's author may do to it.
func (r *Rules) Carry(e Entry) error {
	if e.Kind == KindNotice {
		if err := r.act(e); err != nil {
			return err
		}
	} else if err := r.may(e.Device, whatOf(e)); err != nil {
		return err
	}
	r.Used = true
	if e.Kind == KindDelete && r.Pinned != 0 {
		for _, target := range e.Gone() {
			if target == r.Pinned {
				r.Pinned = 0
			}
		}
	}
	return nil
}

var unknownAct = &Refusal{Code: shared.CodeBadFrame, Reason: "This server knows nothing of that name that a host does."}

func (r *Rules) act(e Entry) error {
	a := e.Extras().Act
	switch {
	case a == nil || a.Do == shared.DoSet && a.Settings == nil:
		return unknownAct
	case a.Do == shared.DoOpen:
		return r.open(e)
	}
	if err := r.may(e.Device, ToHost); err != nil && !a.Operator {
		return err
	}
	switch a.Do {
	case shared.DoSet:
		r.Settings, r.SetBy = r.Settings.With(*a.Settings), e.User
		return nil
	case shared.DoPin:
		r.Pinned = e.Target
		return nil
	}
	_, host := r.Hosts[a.Device]
	switch {
	case a.Device == "":
		return notFound("There is nobody of that name.")
	case a.Device == APIDevice || a.Device == OperatorDevice:
		return notAllowed("This was not written by somebody in the room: it came from the server's own programs.")
	case a.Do == shared.DoUnhost:
		return r.unhost(e)
	case a.Device == e.Device:
		return notAllowed("You can't do that to yourself.")
	case host:
		return notAllowed("%s is a host of this room. You can only take that away.", a.About)
	}
	bar, now := r.Barred[a.Device], Stamp{e.User, e.Time}
	switch a.Do {
	case shared.DoHost:
		return r.host(e)
	case shared.DoDeleteAll:
		return nil
	case shared.DoRemove:
		bar.Removed = now
	case shared.DoSilence:
		bar.Silenced = now
	case shared.DoAdmit:
		if !bar.Removed.is() {
			return notFound("%s was not removed, or is let in again already.", a.About)
		}
		bar.Removed = Stamp{}
	case shared.DoUnsilence:
		if !bar.Silenced.is() {
			return notFound("%s was not silenced, or may write again already.", a.About)
		}
		bar.Silenced = Stamp{}
	default:
		return unknownAct
	}
	bar.Name, bar.Offset = a.About, e.Offset
	r.bar(a.Device, bar)
	return nil
}

// open makes a host of whoever opens a new room, or has the operator's key.
func (r *Rules) open(e Entry) error {
	if r.Used && !e.Extra.Act.Operator {
		return notAllowed("This room was opened before, without you as its host.")
	}
	e.Own().Act = &Act{Device: e.Device, About: e.User, Operator: e.Extra.Act.Operator}
	return r.host(e)
}

func (r *Rules) host(e Entry) error {
	device, name := e.Extra.Act.Device, e.Extra.Act.About
	_, host := r.Hosts[device]
	_, barred := r.Barred[device]
	switch {
	case host:
		return notAllowed("%s is a host of this room already.", name)
	case barred && !e.Extra.Act.Operator:
		return notAllowed("%s was removed or silenced. Take that back first.", name)
	case len(r.Hosts) >= MaxHosts:
		return notAllowed("A room has at most %d hosts.", MaxHosts)
	}
	if r.Hosts == nil {
		r.Hosts = make(map[string]Host)
	}
	r.Hosts[device] = Host{name, e.Offset, e.Time}
	delete(r.Barred, device)
	return nil
}

func (r *Rules) unhost(e Entry) error {
	_, host := r.Hosts[e.Extra.Act.Device]
	switch {
	case !host:
		return notFound("%s is no host of this room.", e.Extra.Act.About)
	case len(r.Hosts) == 1 && !e.Extra.Act.Operator:
		return notAllowed("You are the last host of this room. Make another one first.")
	}
	delete(r.Hosts, e.Extra.Act.Device)
	return nil
}

// bar keeps what is known of a device, or forgets it.
func (r *Rules) bar(device string, bar Bar) {
	if !bar.Removed.is() && !bar.Silenced.is() {
		delete(r.Barred, device)
		return
	}
	if r.Barred == nil {
		r.Barred = make(map[string]Bar)
	}
	r.Barred[device] = bar
	if len(r.Barred) <= MaxBarred {
		return
	}
	oldest := device
	for d, b := range r.Barred {
		if b.Offset < r.Barred[oldest].Offset {
			oldest = d
		}
	}
	delete(r.Barred, oldest)
}

// Named returns the device of the one that an act fits and that had a name, given by
// its key; "" if there is none. Of several, it is the one that something was done about
// last. For whatever takes nothing back, there is none.
func (r *Rules) Named(do, key string) (device string) {
	newest := int64(-1)
	consider := func(d, name string, offset int64) {
		if n, err := shared.PersonName(name); err == nil && n.Key == key && offset > newest && r.fits(do, d) {
			device, newest = d, offset
		}
	}
	for d, h := range r.Hosts {
		consider(d, h.Name, h.Offset)
	}
	for d, b := range r.Barred {
		consider(d, b.Name, b.Offset)
	}
	return device
}

// fits reports whether an act takes something back from a device that it has: a host
// for shared.DoUnhost, one who was removed or silenced for shared.DoAdmit or
// shared.DoUnsilence.
func (r *Rules) fits(do, device string) bool {
	switch do {
	case shared.DoUnhost:
		_, host := r.Hosts[device]
		return host
	case shared.DoAdmit:
		return r.Barred[device].Removed.is()
	case shared.DoUnsilence:
		return r.Barred[device].Silenced.is()
	}
	return false
}

// removedAfter reports whether somebody was removed after a time, and not let in since.
func (r *Rules) removedAfter(at time.Time) bool {
	for _, bar := range r.Barred {
		if bar.Removed.is() && bar.Removed.At.After(at) {
			return true
		}
	}
	return false
}

// Begin notes where the room's log begins: what is pinned goes with its message.
func (r *Rules) Begin(first int64) {
	if r.Pinned < first {
		r.Pinned = 0
	}
}

// Clone returns rules that can be changed without changing r.
func (r *Rules) Clone() Rules {
	c := *r
	c.Hosts, c.Barred = maps.Clone(r.Hosts), maps.Clone(r.Barred)
	return c
}

// whose is a host's name in a sentence.
func whose(name string) string {
	if name == "" {
		return "The server's operator"
	}
	return name
}

// byRule is a refusal by one of the rules that hold for everyone, or for one device.
func byRule(rule, format string, args ...any) error {
	return &Refusal{Code: shared.CodeNotAllowed, Rule: rule, Reason: fmt.Sprintf(format, args...)}
}

func notAllowed(format string, args ...any) error {
	return &Refusal{Code: shared.CodeNotAllowed, Reason: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &Refusal{Code: shared.CodeNotFound, Reason: fmt.Sprintf(format, args...)}
}
