package session

import (
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"time"

	"parley/shared"
)

// Store keeps rooms over restarts. Package store has the one on the disk. Its
// methods may be called from any goroutine.
type Store interface {
	// Enter returns the storage of a room, for one Room at a time: it waits until
	// the Room before has left. It returns nil if left is closed first.
	Enter(server, room string, left <-chan struct{}) RoomStore

	// Draft is what was written and not sent in a room.
	Draft(server, room string) string

	// Pin is the fingerprint by which a server is known, "" if it is not.
	Pin(server string) string

	// SetPin keeps it.
	SetPin(server, words string) error

	// Pinned are the servers for which a fingerprint is kept. The error is the file's.
	Pinned(words string) (servers []string, err error)

	// Device is the secret that a server knows this installation by, made at the
	// first call. Servers are told apart by Identity.
	Device(identity string) (string, error)

	// KeepDevice keeps a secret for an identity that has none.
	KeepDevice(identity, device string) error

	// Files keeps files.
	Files() Files
}

// Files keeps the files that wait to be sent, and the thumbnails of others. Its methods
// may be called from any goroutine.
type Files interface {
	// Keep copies a file under a name that no copy has, and returns how many bytes it
	// has once they are on the disk. It refuses with ErrFileTooLarge, over most bytes,
	// with ErrNoSpace, and with what from or the system says; then there is no copy.
	// A copy that no row of any room has, and no DraftFile, goes at the next start: see
	// Row.Copy.
	Keep(name string, from io.Reader, most int64) (size int64, err error)

	// Copy opens a copy.
	Copy(name string) (*os.File, error)

	// Drop removes a copy, if there is one.
	Drop(name string)

	// Thumb is the thumbnail of a message's file, nil if it is not kept.
	Thumb(server, room string, offset int64, file string) []byte

	// KeepThumb keeps it, if it can; how long, is the store's to say.
	KeepThumb(server, room string, offset int64, file string, thumb []byte)

	// DropThumbs removes what is kept of messages.
	DropThumbs(server, room string, offsets []int64)
}

// ThumbSuffix is what the name of a copy's thumbnail has in addition.
const ThumbSuffix = "-thumb"

// RoomStore keeps one room. One goroutine uses it.
type RoomStore interface {
	// Load returns what is kept, the rows as Row.Show makes them; the zero Saved of a
	// room that is not.
	Load() (Saved, error)

	// Save keeps all of s, or after an error, nobody knows how much of it. The rows
	// that stay are the same pointers from one call to the next, and those of Load. The
	// error is ErrNoSpace on a full disk.
	Save(s Saving) error

	// Leave lets the next Room enter.
	Leave()
}

// Saved is what a store has of a room.
type Saved struct {
	State  RoomState
	Draft  string
	Log    []*Row // entries of the log, gaps, refused messages, oldest first
	Outbox []*Row // in the order of writing

	Amendments []*Amendment // in the order of making
}

// Saving is what a store is to save of a room.
type Saving struct {
	Saved
	Changed map[*Row]bool // the rows that are not as they were at the last Save
	Erase   bool          // a text has gone that nobody may find in the files
}

// RoomState is what is kept once for a room.
type RoomState struct {
	Server   string          `json:"server"`
	Room     string          `json:"room"`
	Name     string          `json:"name"`
	Position shared.Position `json:"position"`
	Begun    bool            `json:"begun,omitempty"` // the oldest kept row is the log's first
	Behind   Behind          `json:"behind,omitzero"`
	Unread   int             `json:"unread,omitempty"`
	Key      string          `json:"key,omitempty"` // the passphrase that let in last
	Seen     time.Time       `json:"seen"`
	Used     time.Time       `json:"used,omitzero"` // when its page was last opened
	Shown    bool            `json:"shown,omitempty"`
	Place    Place           `json:"place,omitzero"`
	Task     Task            `json:"task,omitzero"`
	Files    DraftFiles      `json:"files,omitzero"`

	CanChange bool `json:"can_change,omitempty"` // the server's, as it said last
	CanSearch bool `json:"can_search,omitempty"`

	MaxFile int64 `json:"max_file,omitempty"` // the server's, in bytes, as it said last

	Rules Rules `json:"rules,omitzero"`
}

// Behind says which changes of kept rows may be missing: those after offset Changed,
// of messages before offset Before. The zero Behind says that none are.
type Behind struct {
	Changed int64 `json:"changed"`
	Before  int64 `json:"before"`
}

// Place is where the person was reading in a room; the zero Place is the end. It
// lies Below the upper edge of the row, in units of the screen.
type Place struct {
	ID     string  `json:"id"`
	Offset int64   `json:"offset,omitempty"` // the row's, if it has one
	Below  float32 `json:"below,omitempty"`
}

// Task is what the text that a person writes is for, if not a message by itself: an
// answer to the message of a Row, or an Edit of it. The zero Task is none.
type Task struct {
	Row  string `json:"row"` // its Item.ID
	Edit bool   `json:"edit,omitempty"`
	Text string `json:"text,omitempty"` // of an edit: the text so far; that of an answer is the draft

	// What is needed once the row has left the timeline. The Room fills it in.

	Entry string `json:"entry,omitempty"` // the message's id in the log
	Quote Quote  `json:"quote,omitzero"`
}

// keptRows is how many fixed rows of a room are kept, the newest.
const keptRows = 500

// save keeps what has changed, if it is time to.
func (l *loop) save() {
	t := l.timeline
	if l.kept == nil {
		l.saveBy = time.Time{}
		t.saved()
		return
	}
	l.state.Position = t.position
	l.state.Begun = t.begun && t.fixed <= t.kept
	l.state.Behind = t.behind
	l.state.Rules = t.rules
	t.renewAbout()
	l.state.Task = t.task
	changed := t.changed()
	lazy := l.due(l.saveBy) || l.closing && !l.saveBy.IsZero()
	if !lazy && (l.failure != nil || len(changed) == 0 && !t.shrunk() && !t.touched && !l.urgent()) {
		return
	}
	l.state.Seen = l.clock.Now().UTC()
	err := l.kept.Save(Saving{
		Saved:   Saved{State: l.state, Draft: l.draft, Log: t.keptRows(), Outbox: t.rows[t.fixed:], Amendments: t.amendments},
		Changed: changed, Erase: t.erase,
	})
	if err != nil {
		l.saveFailed(err)
		return
	}
	l.saved, l.entered = l.state, false
	t.saved()
	l.saveBy = time.Time{}
	if l.failure != nil {
		l.failure = nil
		t.change(Change{Kind: StoreFailed})
	}
}

// urgent reports whether the state is worth a separate transaction.
func (l *loop) urgent() bool {
	was, is := l.saved, l.state
	return l.entered || is.Position != was.Position || is.Begun != was.Begun || is.Key != was.Key ||
		is.Behind != was.Behind || is.CanChange != was.CanChange || is.CanSearch != was.CanSearch ||
		is.MaxFile != was.MaxFile || !reflect.DeepEqual(is.Rules, was.Rules)
}

func (l *loop) saveFailed(err error) {
	if l.failure == nil {
		l.failure = err
		l.timeline.change(Change{Kind: StoreFailed, Err: err})
	}
	l.saveBy = l.clock.Now().Add(againWait)
}

// saveSoon saves something that is not worth a separate transaction.
func (l *loop) saveSoon() { l.saveWithin(lazyWait) }

func (l *loop) saveWithin(d time.Duration) {
	if by := l.clock.Now().Add(d); l.saveBy.IsZero() || by.Before(l.saveBy) && l.failure == nil {
		l.saveBy = by
	}
}

func (t *timeline) keptRows() []*Row { return t.rows[max(0, t.fixed-t.kept):t.fixed] }

// changed are the rows that the changes since the last round are about.
func (t *timeline) changed() map[*Row]bool {
	rows := maps.Clone(t.marked)
	for _, c := range t.changes {
		if c.Kind == Reset { // these were loaded
			continue
		}
		for _, item := range c.Items {
			if r := t.ids[item.ID]; r != nil {
				rows[r] = true
			}
		}
	}
	return rows
}

// mark notes that a row has to be saved, though it shows as before.
func (t *timeline) mark(r *Row) {
	t.marked[r] = true
	t.touched = true
}

// saved notes that all is in the store.
func (t *timeline) saved() {
	clear(t.marked)
	t.touched, t.erase = false, false
}

// shrunk reports whether rows have gone since the last round.
func (t *timeline) shrunk() bool {
	return slices.ContainsFunc(t.changes, func(c Change) bool { return c.Kind == Remove })
}
