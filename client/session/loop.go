package session

import (
	"cmp"
	"reflect"
	"slices"
	"sync"
	"time"

	"parley/shared"
)

const (
	welcomeWait    = 15 * time.Second       // from dialing to the welcome
	silenceWait    = 60 * time.Second       // without a byte; the server pings every 25 s
	checkWait      = 3 * time.Second        // for a sign of life that was asked for
	steadyAfter    = 10 * time.Second       // a connection that lasted this long makes the next wait short
	lazyWait       = 500 * time.Millisecond // until a draft is saved
	placeWait      = 2 * time.Second        // until the place in the room is
	againWait      = 5 * time.Second        // until a failed save is tried again
	unreadableWait = 15 * time.Second       // until the next question, after an answer that can't be read
	redialAfter    = time.Second            // a try younger than this is not given up for a new one
	batch          = 256                    // frames in one transaction
)

// loop is the one goroutine of a Room that decides. Nothing in it is shared.
type loop struct {
	room      *Room
	config    Config
	clock     Clock
	timeline  *timeline
	crowd     crowd
	outbox    outbox
	uploads   uploads
	questions questions

	status      Status
	connection  *connection // nil while there is no connection
	connections sync.WaitGroup
	reports     chan report
	frames      [][]byte  // to write once all is saved
	tries       int       // failed ones in a row
	badHello    bool      // the last try ended with bad_hello
	late        bool      // see Hosting.Late
	like        string    // see Hosting.Like
	hosting     Hosting   // as it was told last
	waiting     []Waiting // the same
	paused      bool
	closing     bool
	typed       time.Time // when a typing frame went out last

	kept    RoomStore // nil if the room lives in memory
	state   RoomState
	saved   RoomState // as it was saved last
	entered bool      // a welcome came since: the room is a recent one now
	draft   string
	saveBy  time.Time // zero when nothing waits to be saved
	failure error     // why nothing can be saved just now; nil if all could

	stopAlarm func() bool
}

func newLoop(r *Room) *loop {
	return &loop{
		room:     r,
		config:   r.config,
		clock:    r.config.Clock,
		timeline: newTimeline(),
		reports:  make(chan report, batch),
		paused:   r.config.Paused,
		state:    RoomState{Server: r.config.Server, Room: r.config.Room, Name: r.config.Room},
	}
}

func (l *loop) run() {
	defer close(l.room.done)
	if store := l.config.Store; store != nil {
		if l.kept = store.Enter(l.config.Server, l.config.Room, l.room.leaving); l.kept == nil {
			return
		}
		defer l.kept.Leave()
	}
	defer l.connections.Wait()
	l.load()
	if l.paused {
		l.setStatus(Status{State: Disconnected, Cause: CausePaused})
	} else {
		l.connect()
	}
	for {
		l.commit()
		if l.closing {
			return
		}
		l.setAlarm()
		select {
		case <-l.room.wake:
		case r := <-l.reports:
			l.take(r)
		}
		l.takeWaiting()
		for _, command := range l.room.commands() {
			command(l)
		}
	}
}

// takeWaiting takes the reports that wait, as many as belong in a transaction.
func (l *loop) takeWaiting() {
	for range batch {
		select {
		case r := <-l.reports:
			l.take(r)
		default:
			return
		}
	}
}

// load shows what the store has.
func (l *loop) load() {
	var saved Saved
	var err error
	if l.kept != nil {
		saved, err = l.kept.Load()
	}
	if err != nil {
		saved, l.kept = Saved{}, nil // what can't be read is not written over
	}
	l.timeline.load(saved)
	if err != nil {
		l.saveFailed(err)
	}
	if saved.State.Server != "" {
		l.state, l.draft = saved.State, saved.Draft
		l.room.limitFile(saved.State.MaxFile)
		l.config.Key = cmp.Or(l.config.Key, saved.State.Key)
		l.room.setKey(saved.State.Key)
		l.room.loadTask(saved.State.Task)
		l.room.loadDraftFiles(saved.State.Files)
	}
	l.saved = l.state
}

// setAlarm does what is due and wakes the loop when the next thing will be.
func (l *loop) setAlarm() {
	if l.stopAlarm != nil {
		l.stopAlarm()
		l.stopAlarm = nil
	}
	if next := l.nextDeadline(); !next.IsZero() {
		l.stopAlarm = l.clock.AfterFunc(max(0, next.Sub(l.clock.Now())), l.room.ring)
	}
}

// commit ends a round: it does what is due, saves, shows, and writes, in this
// order.
func (l *loop) commit() {
	l.doDue()
	t := l.timeline
	t.placeNotices()
	t.tellMore()
	t.changes = append(t.changes, l.crowd.changes()...)
	l.dropThumbs()
	l.tellHosting()
	l.tellWaiting()
	l.save()
	l.dropCopies()
	l.room.publish(t.changes, l.everything)
	t.changes = nil
	for _, frame := range l.frames {
		select {
		case l.connection.out <- frame:
		default: // cannot be: what may be under way is less than out holds
			l.drop(&Problem{Cause: CauseLost})
		}
		if l.connection == nil {
			break
		}
	}
	l.frames = nil
}

// tellWaiting tells the screen what waits of what the person did, if that is something
// else than before.
func (l *loop) tellWaiting() {
	if w := l.timeline.waiting(); !reflect.DeepEqual(w, l.waiting) {
		l.waiting = w
		l.timeline.change(Change{Kind: WaitingChanged, Waiting: w})
	}
}

// everything is what a screen has to know that has missed too much.
func (l *loop) everything() []Change {
	l.timeline.reset()
	l.crowd.peopleNews, l.crowd.typingNews = true, true
	changes := append(l.timeline.changes, Change{Kind: StatusChanged, Status: l.status},
		Change{Kind: HostingChanged, Hosting: l.hosting}, Change{Kind: WaitingChanged, Waiting: l.waiting})
	l.timeline.changes = nil
	if l.failure != nil {
		changes = append(changes, Change{Kind: StoreFailed, Err: l.failure})
	}
	return append(changes, l.crowd.changes()...)
}

// due reports whether a time has come; the zero time never does.
func (l *loop) due(t time.Time) bool { return !t.IsZero() && !l.clock.Now().Before(t) }

// nextDeadline is when doDue has something to do; zero for not at all.
func (l *loop) nextDeadline() time.Time {
	times := []time.Time{l.saveBy, l.status.RetryAt}
	for _, until := range l.crowd.typists {
		times = append(times, until)
	}
	if c := l.connection; c != nil {
		if c.welcomed.IsZero() {
			times = append(times, c.begun.Add(welcomeWait))
		} else {
			times = append(times, c.quiet(), c.checkBy, l.outbox.overdue(), l.uploads.overdue(), l.questions.notBefore)
			if l.nextUpload() != nil {
				times = append(times, l.uploadAt(l.clock.Now()))
			}
			if r, a, at := l.next(l.clock.Now()); r != nil || a != nil {
				times = append(times, at)
			}
		}
	}
	times = slices.DeleteFunc(times, time.Time.IsZero)
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}

// doDue does what its time has come for.
func (l *loop) doDue() {
	if l.closing {
		return
	}
	now := l.clock.Now()
	for name, until := range l.crowd.typists {
		if l.due(until) {
			l.crowd.stopped(name)
		}
	}
	if l.due(l.status.RetryAt) {
		l.connect()
	}
	c := l.connection
	if c == nil {
		return
	}
	if c.welcomed.IsZero() {
		if l.due(c.begun.Add(welcomeWait)) {
			l.drop(&Problem{Cause: CauseTimeout})
		}
		return
	}
	if c.reads.Load() > c.checked {
		c.checkBy = time.Time{}
	}
	if l.due(c.checkBy) || l.due(l.outbox.overdue()) || l.due(l.uploads.overdue()) || l.due(c.quiet()) && !c.answers {
		l.drop(&Problem{Cause: CauseLost})
		return
	}
	if l.due(c.quiet()) {
		c.expect(l.patience(shared.PongWait))
		l.write(shared.Message{Type: shared.TypePing})
	}
	l.tendUpload(now)
	l.sendNext(now)
	l.ask(now)
}

// next is what goes out next, and when; zero while something is on its way. In slow mode
// the person's acts and changes overtake the messages that have to wait.
func (l *loop) next(now time.Time) (r *Row, a *Amendment, at time.Time) {
	r, a = l.timeline.next()
	at = l.outbox.ready(now)
	slowed := l.slowed()
	if r == nil || at.IsZero() || !slowed.After(at) {
		return r, a, at
	}
	if a = l.timeline.nextAmendment(); a != nil {
		return nil, a, at
	}
	return r, nil, slowed
}

// slowed is when the next message goes out at the earliest, in slow mode; otherwise zero.
func (l *loop) slowed() time.Time {
	if l.timeline.rules.slow() == 0 {
		return time.Time{}
	}
	return l.outbox.slowed
}

// sendNext sends what is next in the outbox, if it is time to.
func (l *loop) sendNext(now time.Time) {
	r, a, at := l.next(now)
	if r == nil && a == nil || !l.due(at) {
		return
	}
	var m shared.Message
	if a != nil {
		m = a.frame()
		l.timeline.touched = l.timeline.touched || !a.Out
		a.Out = true
	} else {
		m = r.frame(l.timeline.canChange)
		if r.Held {
			r.Held = false
			l.timeline.mark(r)
		}
	}
	l.outbox.sent(m.ID, now)
	l.write(m)
}

func (l *loop) write(m shared.Message) { l.frames = append(l.frames, shared.Encode(m)) }

// take takes a report; one of a connection that was let go changes nothing.
func (l *loop) take(r report) {
	switch {
	case r.connection != l.connection:
	case r.end != nil:
		l.ended(r.end)
	case r.upload != nil:
		l.uploaded(*r.upload)
	case r.unreadable:
		l.skip(r.frame.Type)
	default:
		l.frame(r.frame)
	}
}
