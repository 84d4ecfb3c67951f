package session

import (
	"cmp"
	"context"
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
	failed  bool      // the last save failed

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

// connect begins a connection.
func (l *loop) connect() {
	l.setStatus(Status{State: Connecting, Generation: l.status.Generation + 1, Cause: l.status.Cause, Detail: l.status.Detail})
	ctx, cancel := context.WithCancel(context.Background())
	c := &connection{
		generation: l.status.Generation,
		dial:       l.config.Dial,
		clock:      l.clock,
		server:     l.config.Server,
		pins:       l.config.Pins,
		room:       l.config.Room,
		reports:    l.reports,
		begun:      l.clock.Now(),
		ctx:        ctx,
		cancel:     cancel,
		hello: shared.Message{
			Type: shared.TypeHello, User: l.config.User, Device: l.config.Device, Key: l.config.Key,
			Hidden: l.config.Hidden && l.config.Key != "", Host: l.config.Host, HostKey: l.config.HostKey,
			Epoch: l.timeline.position.Epoch, After: l.timeline.position.Offset,
			Can: []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanFiles, shared.CanHost},
		},
		out:      make(chan []byte, 64),
		checks:   make(chan struct{}, 1),
		bye:      make(chan struct{}),
		released: make(chan struct{}),
	}
	l.connection = c
	l.connections.Go(func() { c.deliver(report{connection: c, end: c.run()}) })
}

func (l *loop) setStatus(s Status) {
	s.Locked = l.config.Key != ""
	s.CanChange, s.CanSearch, s.MaxFile = l.state.CanChange, l.state.CanSearch, l.state.MaxFile
	l.status = s
	l.timeline.change(Change{Kind: StatusChanged, Status: s})
}

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

// skip passes over a frame that this version can't read. If it answers a question,
// the question gets an error.
func (l *loop) skip(t shared.Type) {
	l.room.skip(1)
	switch t {
	case shared.TypeHistory, shared.TypeSearch, shared.TypeReactions, shared.TypeNotices, shared.TypeRoles:
		l.unreadable()
	}
}

// drop cuts the connection.
func (l *loop) drop(p *Problem) {
	l.connection.cut()
	l.ended(p)
}

// ended goes on without the connection.
func (l *loop) ended(p *Problem) {
	welcomed := l.connection.welcomed
	l.forget()
	if !welcomed.IsZero() && l.clock.Now().Sub(welcomed) >= steadyAfter {
		l.tries = 0
	}
	if p.Cause == CauseFlooding {
		l.tries = max(l.tries, 4)
	}
	if p.Cause == CauseWrongKey && l.config.Key == "" {
		p.Cause = CauseNeedsKey
	}
	if p.Cause == CauseWrongKey || p.Cause == CauseOpenRoom {
		l.config.Key = ""
		l.state.Key = ""
		l.room.setKey("")
	}
	if p.Cause == CauseBadHello && l.config.HostKey != "" {
		p.Cause = CauseHostKey
		l.config.HostKey = ""
	}
	status := Status{State: Closed, Generation: l.status.Generation, Cause: p.Cause, Detail: p.Detail}
	final := p.Cause.Final()
	if p.Cause == CauseBadHello { // once may be a hello that was cut off on its way
		final = l.badHello
		l.badHello = true
	}
	if !final {
		status.State = Disconnected
		wait := l.config.Backoff(l.tries)
		if p.Cause == CauseServerRestart {
			wait += spread(p.Detail)
		}
		status.RetryAt = l.clock.Now().Add(wait)
		l.tries++
	}
	l.setStatus(status)
}

// forget lets go of the connection and of what belongs to it.
func (l *loop) forget() {
	close(l.connection.released)
	l.connection = nil
	l.frames = nil
	l.endUploads()
	l.questions.asked = nil
	l.questions.notBefore = time.Time{}
	l.crowd.silence()
}

// hangUp ends the connection in good order, if there is one.
func (l *loop) hangUp() {
	if l.connection != nil {
		l.connection.hangUp()
		l.forget()
	}
}

// frame takes a frame of the present connection.
func (l *loop) frame(m shared.Message) {
	c, now := l.connection, l.clock.Now()
	if m.Type == shared.TypeWelcome && c.welcomed.IsZero() {
		c.welcomed = now
		l.welcome(m)
		return
	}
	if c.welcomed.IsZero() {
		return
	}
	switch m.Type {
	case shared.TypeChat:
		if m.Edits > 0 {
			l.amended(m)
			break
		}
		if l.timeline.live(m) && !l.timeline.isMine(m) {
			l.state.Unread++
		}
		l.spoke(m.ID, now)
		l.outbox.answered(m.ID)
		l.crowd.stopped(m.User)
	case shared.TypeDelete, shared.TypeReact:
		l.amended(m)
	case shared.TypeAck:
		l.spoke(m.ID, now)
		l.timeline.acknowledged(m.ID, m.Offset)
		l.outbox.answered(m.ID)
	case shared.TypeUpload:
		l.mayUpload(m)
	case shared.TypeError:
		l.refused(m, now)
	case shared.TypePresence:
		l.crowd.presence(m)
	case shared.TypeTyping:
		if m.User != l.timeline.me {
			l.crowd.typing(m.User, now)
		}
	case shared.TypeHistory, shared.TypeSearch, shared.TypeReactions, shared.TypeNotices, shared.TypeRoles:
		l.room.skip(m.Skipped)
		l.answer(m)
	case shared.TypeNotice:
		switch {
		case m.Did != shared.DidRename && m.Offset > 0:
			l.timeline.noticed(m)
			if m.Settings != nil && m.Settings.Slow != nil { // the server says how long from now on
				l.outbox.slowed = time.Time{}
			}
			if l.timeline.isMine(m) {
				l.outbox.answered(m.ID)
			}
		case m.Did == shared.DidRename && m.By != l.timeline.by:
			l.crowd.stopped(m.User)
			l.timeline.change(Change{Kind: Renamed, By: m.By, From: m.User, To: m.About})
		}
	}
}

// spoke notes that a message that was on its way is in the log: in slow mode the next one
// has to wait.
func (l *loop) spoke(id string, now time.Time) {
	if pause := l.timeline.rules.slow(); pause > 0 && id == l.outbox.onWay && l.timeline.amendment(id) == nil {
		l.outbox.slowDown(now, pause)
	}
}

// amended takes an entry that changes others.
func (l *loop) amended(m shared.Message) {
	l.timeline.amended(m)
	if l.timeline.isMine(m) {
		l.outbox.answered(m.ID)
	}
	if m.Type == shared.TypeChat {
		l.crowd.stopped(m.User)
	}
}

func (l *loop) welcome(m shared.Message) {
	l.badHello = false
	l.state.CanChange = slices.Contains(m.Can, shared.CanChange)
	l.state.CanSearch = slices.Contains(m.Can, shared.CanSearch)
	l.connection.answers = slices.Contains(m.Can, shared.CanPing)
	l.state.MaxFile = 0
	if slices.Contains(m.Can, shared.CanFiles) {
		l.state.MaxFile = m.Limits.File
	}
	l.room.limitFile(l.state.MaxFile)
	l.setStatus(Status{State: Connected, Generation: l.status.Generation})
	l.outbox.welcome(m.Limits)
	l.crowd.welcome(m)
	l.timeline.welcome(m)
	l.welcomeHost(m)
	if !l.state.CanChange { // it would take an edit for a message
		for _, a := range slices.Clone(l.timeline.amendments) {
			l.timeline.undo(a, shared.CodeUnknownType, "")
		}
	}
	if l.state.MaxFile == 0 { // it would take the caption for a message
		for _, r := range slices.Clone(l.timeline.rows[l.timeline.fixed:]) {
			if r.Content.File != nil {
				l.timeline.fail(r.ID, shared.CodeUnknownType, "")
			}
		}
	}
	l.entered = true
	l.state.Name = cmp.Or(m.Room, l.config.Room)
	l.state.Key = l.config.Key
	l.room.setKey(l.config.Key)
	l.room.limitText(m.Limits.Message)
}

func (l *loop) refused(m shared.Message, now time.Time) {
	switch {
	case m.ID == "":
		l.unanswered(m)
	case l.uploads.asks(m.ID):
		l.mayNotUpload(m)
	case m.Code.Final() && l.timeline.fileInDoubt(m.ID): // the file is asked about again
		l.outbox.answered(m.ID)
	case m.Code.Final():
		if a := l.timeline.amendment(m.ID); a != nil {
			l.timeline.undo(a, m.Code, m.Text)
		} else {
			l.timeline.fail(m.ID, m.Code, m.Text)
		}
		l.outbox.answered(m.ID)
	case m.Code == shared.CodeRateLimited && l.timeline.rules.slow() > 0 && l.timeline.amendment(m.ID) == nil:
		l.outbox.slowDown(now, time.Duration(m.RetryMS)*time.Millisecond)
		l.outbox.refused(m.ID, now, 0)
	case m.Code == shared.CodeRateLimited:
		l.outbox.refused(m.ID, now, time.Duration(m.RetryMS)*time.Millisecond)
	default:
		l.outbox.refused(m.ID, now, l.config.Backoff(l.outbox.refusals))
	}
}
