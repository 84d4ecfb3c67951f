package session

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"parley/shared"
)

// What Send, Edit and Search refuse.
var (
	ErrEmpty   = errors.New("the text is empty")
	ErrTooLong = errors.New("the text is too long")
	ErrClosed  = errors.New("the room is closed")
)

// Config is what a Room needs to know.
type Config struct {
	Server string // as ParseServer gives it
	Room   string
	User   string
	Device string // the secret that the server knows one by; "" is that of Pins
	Key    string // the room's passphrase; "" is the one that the store has
	Hidden bool   // a new room that Key locks is not listed
	Host   bool   // a new room is hosted by this device: see Hosting.Late

	// HostKey is the key of the server's operator, which makes a host of this device. It
	// is in memory only, until the server has answered.
	HostKey string

	// Store keeps the room over restarts. Without one it lives in memory. One
	// Room at a time uses what the store has of a room: a second shows nothing
	// until the first is closed.
	Store Store

	// Paused has the room show what the store has and connect at Resume only.
	Paused bool

	// Pins tell which certificates are the server's: those of Store by default.
	Pins *Pins

	// OnWake is called when something waits in Take, from a goroutine of the
	// session; it must not block. It is called once, then not again before
	// the next Take.
	OnWake func()

	// What follows may be left out.

	Dial    DialFunc // opens the room's connections
	Clock   Clock
	Backoff func(tries int) time.Duration // the wait after a number of failed tries, from 0 on
}

// Room is a person's place in a room. All its methods may be called from any
// goroutine and, but for Close and Draft, return at once.
type Room struct {
	config Config

	mu       sync.Mutex
	closed   bool
	mailbox  []func(*loop)
	changes  []Change
	maxText  int    // code points
	maxFile  int64  // bytes
	key      string // the passphrase that let in last
	draft    string // what SetDraft said last
	hasDraft bool
	task     Task // what SetTask said last
	hasTask  bool
	files    DraftFiles // what SetDraftFiles said last
	hasFiles bool
	entropy  *ulid.MonotonicEntropy

	skipped int // frames

	woken bool // OnWake was called and Take not yet

	wake    chan struct{} // something is in the mailbox, or a deadline has come
	leaving chan struct{} // closed by Close
	done    chan struct{} // closed when the loop and its connections have ended
}

// Open enters a room: it shows what the store has of it, connects at once and
// keeps trying. Close the Room to leave.
func Open(config Config) *Room {
	if config.OnWake == nil {
		config.OnWake = func() {}
	}
	if config.Pins == nil {
		config.Pins = NewPins(config.Store)
	}
	if config.Clock == nil {
		config.Clock = systemClock{}
	}
	if config.Backoff == nil {
		config.Backoff = backoff
	}
	r := &Room{
		config:  config,
		maxText: shared.MaxText,
		entropy: ulid.Monotonic(rand.Reader, 0),
		wake:    make(chan struct{}, 1),
		leaving: make(chan struct{}),
		done:    make(chan struct{}),
	}
	go newLoop(r).run()
	return r
}

// Send puts a message into the outbox and returns its pending row, which comes
// through Take as well once it is saved. The draft is cleared with it. It
// refuses with ErrEmpty, ErrTooLong (over the server's limit, or
// shared.MaxText code points) and ErrClosed.
func (r *Room) Send(text string) (Item, error) { return r.SendReply(text, "") }

// SendReply is Send for an answer to the message of a row. If that can't be answered,
// or not any more, the message goes out by itself. The row that comes through Take
// has the Quote; the one that it returns has not. A Task to answer that row is done
// with it.
func (r *Room) SendReply(text, id string) (Item, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.fit(text)
	if err != nil {
		return Item{}, err
	}
	item := Item{
		ID:       r.newID(),
		User:     r.config.User,
		Text:     text,
		Time:     now(r.config.Clock),
		Mine:     true,
		Delivery: Pending,
	}
	r.draft, r.hasDraft = "", true
	r.endTask(Task{Row: id})
	r.post(func(l *loop) { l.send(item, id) })
	return item, nil
}

// fit makes a text one that the server takes, or says why it can't. It needs mu.
func (r *Room) fit(text string) (string, error) {
	text = strings.ToValidUTF8(text, "\ufffd")
	switch {
	case shared.Blank(text):
		return "", ErrEmpty
	case r.closed:
		return "", ErrClosed
	case utf8.RuneCountInString(text) > r.maxText:
		return "", ErrTooLong
	}
	return text, nil
}

// Edit gives a row of the person's own another text. It shows at once, waits in the
// store, and goes out once. An Undone takes it back, and has the text, if the server
// refuses it, or if the row is not Changeable any more. One that has not gone out, or
// was refused, is itself changed. A Task to edit that row is done with it. It refuses
// what Send refuses.
func (r *Room) Edit(id, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.fit(text)
	if err != nil {
		return err
	}
	fresh := r.newID()
	r.endTask(Task{Row: id, Edit: true})
	r.post(func(l *loop) { l.amend(Amendment{ID: fresh, Did: DidEdit, Row: id, Text: text}) })
	return nil
}

// Delete takes back a row of the person's own, as Edit does. One that has not gone out,
// or was refused, is removed; a file that is being sent is not sent any further.
func (r *Room) Delete(id string) {
	r.amend(Amendment{Did: DidDelete, Row: id})
}

// React sets the person's reaction to a row that is Addressable, as Edit does: one of
// shared.Emojis, or "" to take it back. Any other does nothing.
func (r *Room) React(id, emoji string) {
	if emoji == "" || slices.Contains(shared.Emojis, emoji) {
		r.amend(Amendment{Did: DidReact, Row: id, Emoji: emoji})
	}
}

func (r *Room) amend(a Amendment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		a.ID = r.newID()
		r.post(func(l *loop) { l.amend(a) })
	}
}

// TakeBack drops something of a WaitingChanged that is not Out: the room shows what was
// before it.
func (r *Room) TakeBack(id string) {
	r.command(func(l *loop) { l.timeline.takeBack(id) })
}

// Search looks for a text in the whole log, from the newest message on, or with the
// Next of an answer, from there. A Found answers, with at least one hit or at the
// log's beginning. A search that has not been answered gives way to the next one;
// with "", to none. It refuses with ErrEmpty, if there is something but nothing to
// see, and ErrTooLong, over shared.MaxSearch code points. While disconnected it waits
// for the connection.
func (r *Room) Search(text string, from int64) error {
	text = strings.ToValidUTF8(text, "\ufffd")
	if utf8.RuneCountInString(text) > shared.MaxSearch {
		return ErrTooLong
	}
	if text != "" && shared.Blank(text) {
		return ErrEmpty
	}
	r.command(func(l *loop) { l.search(text, from) })
	return nil
}

// Around leads to the message at an offset, such as a hit or one that is quoted. A
// Reached answers: with the row, after older history was loaded up to it, if it is
// not far; otherwise with an excerpt. The last call alone is answered. While
// disconnected it waits for the connection, unless the row is there.
func (r *Room) Around(offset int64) {
	r.command(func(l *loop) { l.around(offset) })
}

// Reactions asks who reacted to a row. Reactors answers. The last call alone is
// answered. While disconnected it waits for the connection.
func (r *Room) Reactions(id string) {
	r.command(func(l *loop) { l.who(id) })
}

// Limit is how many code points a message has at most.
func (r *Room) Limit() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.maxText
}

// Key is the passphrase that let the person in last, now or in an earlier run; ""
// if the room has none, or if this device does not know it.
func (r *Room) Key() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.key
}

func (r *Room) setKey(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.key = key
}

// Retry sends the text and the file of a failed row again, as a new message under a new id.
func (r *Room) Retry(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		fresh := r.newID()
		r.post(func(l *loop) { l.retry(id, fresh) })
	}
}

// Discard takes a failed row away.
func (r *Room) Discard(id string) {
	r.command(func(l *loop) { l.discard(id) })
}

// Typing tells the others that the person is writing. Call it at every change
// of the text: at most one call in 3 s goes out.
func (r *Room) Typing() {
	r.command((*loop).typing)
}

// LoadOlder asks for the history before the oldest row. It does nothing while
// one is running or when there is nothing more. While disconnected it waits for
// the connection. A Prepend answers.
func (r *Room) LoadOlder() {
	r.command((*loop).loadOlder)
}

// LoadGap asks for what is missing at a gap, from its newer end. Insert and,
// when nothing is missing any more, Remove answer; an Update of the gap says
// that nothing came. It does nothing while one is running.
func (r *Room) LoadGap(id string) {
	r.command(func(l *loop) { l.loadGap(id) })
}

// MarkRead says that the person has seen all that was shown so far, for
// RecentRoom.Unread.
func (r *Room) MarkRead() {
	r.command((*loop).markRead)
}

// Reconnect tries now instead of at Status.RetryAt, also when the room had
// stopped. While connected it asks the server for a sign of life, and connects
// again if none comes in 3 s. Call it when the network has changed, when the app
// comes to the foreground, and when the person taps.
func (r *Room) Reconnect() {
	r.command((*loop).reconnect)
}

// Rename goes on under another name, on a new connection.
func (r *Room) Rename(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.config.User = user
		r.post(func(l *loop) { l.rename(user) })
	}
}

// Unlock goes on with another passphrase, on a new connection; with none if key is
// "". The store keeps a passphrase that lets in. Any other is forgotten.
func (r *Room) Unlock(key string) {
	r.command(func(l *loop) { l.unlock(key) })
}

// Pause closes the connection until Resume, as for an app in the background.
// The outbox goes on taking messages.
func (r *Room) Pause() {
	r.command((*loop).pause)
}

// Resume connects again after Pause.
func (r *Room) Resume() {
	r.command((*loop).resume)
}

// Show says that the room's page came onto the screen, or went: see
// RecentRoom.Shown and Used.
func (r *Room) Show(on bool) {
	at := r.config.Clock.Now().UTC() // the loop may be busy, and Used orders the rooms
	r.command(func(l *loop) { l.show(on, at) })
}

// SetPlace keeps the place where the person reads. Call it at every move; it is
// saved within two seconds.
func (r *Room) SetPlace(p Place) {
	r.command(func(l *loop) { l.setPlace(p) })
}

// Save saves now what waits to be saved, such as a draft.
func (r *Room) Save() {
	r.command((*loop).saveNow)
}

// Close leaves: it saves what waits, closes the connection with 1000, and
// returns when every goroutine of the Room has ended, at the latest some 2 s
// later. Take may still be called.
func (r *Room) Close() {
	r.mu.Lock()
	if !r.closed {
		r.post((*loop).close)
		r.closed = true
		close(r.leaving)
	}
	r.mu.Unlock()
	<-r.done
}

// newID needs mu.
func (r *Room) newID() string {
	id, err := ulid.New(ulid.Timestamp(r.config.Clock.Now()), r.entropy)
	if err != nil { // more than 2^80 in a millisecond, or a clock before 1970
		id = ulid.Make()
	}
	return id.String()
}

// Skipped is how many frames came that this version can't read, those inside of
// histories too: a server of a later version sends them.
func (r *Room) Skipped() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped
}

func (r *Room) skip(frames int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped += frames
}

// limitText sets the server's limit, in code points.
func (r *Room) limitText(limit int) {
	if limit <= 0 || limit > shared.MaxText {
		limit = shared.MaxText
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.maxText = limit
}
