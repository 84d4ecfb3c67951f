package codec5

import (
	"regexp"
	"slices"
)

// What a host does, as a host frame names it and the notice of it.
const (
	DoSet       = "set"        // Settings are changed
	DoRemove    = "remove"     // somebody has to leave, and stays out
	DoAdmit     = "admit"      // somebody who was removed may come in again
	DoSilence   = "silence"    // somebody may read only
	DoUnsilence = "unsilence"  // and write again
	DoHost      = "host"       // somebody is a host
	DoUnhost    = "unhost"     // and no longer
	DoPin       = "pin"        // a message is shown on top; Target 0 takes it away
	DoDeleteAll = "delete_all" // everything that somebody wrote is deleted

	// DoOpen is in notices only: User has opened the room as its host, or has the
	// key of the server's operator.
	DoOpen = "open"
)

var doings = []string{DoSet, DoRemove, DoAdmit, DoSilence, DoUnsilence, DoHost, DoUnhost, DoPin, DoDeleteAll}

// Who writes in a room and sends files, and whom its door lets in.
const (
	WhoAll   = "all"
	WhoHosts = "hosts"
	WhoNone  = "none" // of Settings.Files

	DoorOpen   = "open"
	DoorKnown  = "known"  // who has written in the room or owns a name in it
	DoorClosed = "closed" // nobody who is not in it
)

// MaxSlow is the longest that a device may have to wait between two messages, in
// seconds.
const MaxSlow = 3600

// Settings are what holds for everyone in a room but its hosts. In a host frame and
// in a notice, an empty field says nothing of what it is about. In a welcome, each
// field is set.
type Settings struct {
	Write string `json:"write,omitempty"` // WhoAll or WhoHosts
	Door  string `json:"door,omitempty"`  // DoorOpen, DoorKnown or DoorClosed
	Files string `json:"files,omitempty"` // WhoAll, WhoHosts or WhoNone
	Slow  *int   `json:"slow,omitempty"`  // seconds between two messages of a device, 0 to MaxSlow
}

// OpenSettings are those of a room in which nobody has set any.
func OpenSettings() Settings {
	return Settings{Write: WhoAll, Door: DoorOpen, Files: WhoAll, Slow: new(int)}
}

// With returns the settings with those of change that are set.
func (s Settings) With(change Settings) Settings {
	for _, f := range [...]struct{ to, from *string }{{&s.Write, &change.Write}, {&s.Door, &change.Door}, {&s.Files, &change.Files}} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	if change.Slow != nil {
		s.Slow = new(*change.Slow)
	}
	return s
}

// check reports whether each field has one of its values or none.
func (s Settings) check() bool {
	return slices.Contains([]string{"", WhoAll, WhoHosts}, s.Write) &&
		slices.Contains([]string{"", DoorOpen, DoorKnown, DoorClosed}, s.Door) &&
		slices.Contains([]string{"", WhoAll, WhoHosts, WhoNone}, s.Files) &&
		(s.Slow == nil || *s.Slow >= 0 && *s.Slow <= MaxSlow)
}

// CheckHost checks what a client's host frame asks for. The error is a *FrameError.
func CheckHost(m Message) error {
	switch {
	case !slices.Contains(doings, m.Do):
		return badFrame("This version knows nothing that is called %q and that a host does.", m.Do)
	case (m.Do == DoSet) != (m.Settings != nil):
		return badFrame("The field %q goes with %q.", "settings", DoSet)
	case m.Settings != nil && *m.Settings == (Settings{}):
		return badFrame("The field %q sets nothing.", "settings")
	case m.Settings != nil && !m.Settings.check():
		return badFrame("The field %q has a value that this version does not know.", "settings")
	case m.Target != 0 && m.Of == "":
		return badFrame("The field %q is missing: the id of the message.", "of")
	}
	if m.Do == DoSet || m.Do == DoPin {
		if m.User != "" || m.Whom != "" || m.Do == DoSet && m.Target != 0 {
			return badFrame("What is to be done is about nobody.")
		}
		return nil
	}
	named := 0
	for _, says := range [...]bool{m.User != "", m.Whom != "", m.Target != 0} {
		if says {
			named++
		}
	}
	if named != 1 {
		return badFrame("The frame has one of %q, a name, %q, a notice's or a message's \"by\", and %q, a message: whom it is about.", "user", "whom", "target")
	}
	return nil
}

var hostKey = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// IsHostKey reports whether a text can be the key of a server's operator: 26
// characters of A–Z and 2–7, 130 random bits.
func IsHostKey(text string) bool { return hostKey.MatchString(text) }

// settingNames are the fields of Settings in JSON.
var settingNames = []string{"write", "door", "files", "slow"}

// settings reads Settings; nil if there are none. What it does not know is an error
// if strict is set, and of a later version otherwise.
func (o *object) settings(name string, strict bool) *Settings {
	inner := o.object(name)
	if inner.fields == nil {
		return nil
	}
	s := &Settings{Write: inner.text("write", MaxID), Door: inner.text("door", MaxID), Files: inner.text("files", MaxID)}
	if inner.has("slow") {
		s.Slow = new(int(inner.number("slow", MaxSlow)))
	}
	for _, f := range inner.fields {
		if strict && !slices.Contains(settingNames, string(f.name)) {
			inner.fail(badFrame("This version knows no setting %q.", f.name))
		}
	}
	if inner.err != nil {
		o.fail(inner.err)
		return nil
	}
	return s
}
