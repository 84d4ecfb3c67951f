package chat

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A meter adds up what somebody causes, in processor time, and says how long they
// have to wait for it. One alone gets a quarter of the machine. While all together
// use more than that, or the machine is busy with something else, everyone's part
// becomes smaller: it is the heavy who wait then, and not those who need little.
//
// The account is one number: the moment up to which everything is paid for. It
// trails the clock by the credit that is left, and passes the clock by the debt.
// Charging it takes a few atomic operations. A nil meter costs nothing and never
// waits.
type meter struct {
	of    *meters
	paid  atomic.Int64 // as of.now tells the time
	waits atomic.Int64 // how many there were
	turn  sync.Mutex   // held by the one who waits; others wait for that one, in order
}

// meters are the meters that share one part of the machine.
type meters struct {
	now    func() int64        // nanoseconds since the meters were made
	part   float64             // of a second of processor time, each second
	pause  func(time.Duration) // waits
	slowed func()              // is told of each wait
	over   atomic.Bool         // nobody waits any more

	total   meter        // everybody's together
	strain  atomic.Int64 // how much dearer everything is now, in hundredths
	adapted atomic.Int64 // when strain was last changed
}

const (
	meterCredit = 100 * time.Millisecond // what may be used at once, as the time in which it is paid for
	meterDebt   = 2 * time.Second        // no debt is longer
	meterPause  = 100 * time.Millisecond // no pause is longer, so that shutdown does not wait for it
	meterAdapt  = 10 * time.Millisecond  // how often strain changes
	meterLate   = 3 * time.Millisecond   // a pause that is longer by so much tells of a busy machine
	maxStrain   = 32
)

// The parts of the machine, one nth of it: for what addresses cause, and for what
// goes to everyone in a room.
const (
	sourcesPart = 4
	roomsPart   = 4
)

// What things cost, by measurement on one core of a small computer, rounded up.
const (
	costRead       = 5 * time.Microsecond   // a read(2)
	costByteRead   = 50 * time.Nanosecond   // the least that makes a frame is 6 bytes
	costWritten    = 5 * time.Nanosecond    // a byte that somebody asked for
	costBody       = 10 * time.Nanosecond   // a byte of a request's body
	costFrame      = 20 * time.Microsecond  // decoding, and an error as the answer
	costPing       = 10 * time.Microsecond  // and its answer
	costPong       = 4 * time.Microsecond   // for which the library sets two timers
	costMessage    = 60 * time.Microsecond  // its way through the log
	costDelivery   = 8 * time.Microsecond   // to one member
	costRow        = 4 * time.Microsecond   // read from the log
	costReaction   = 200 * time.Nanosecond  // to a message, read with its row
	costReacted    = 800 * time.Nanosecond  // a reaction to a message, written with another one
	costClaim      = 200 * time.Microsecond // of a name, in the registry
	costHash       = 40 * time.Millisecond  // of a passphrase
	costAccept     = 150 * time.Microsecond // of a connection
	costTLS        = 2 * time.Millisecond   // the same, with its handshake
	costRequest    = 100 * time.Microsecond // over HTTP
	costShares     = time.Millisecond       // to look whose place is to be given up
	costSync       = time.Millisecond       // of a file, which others' messages wait for
	costConnection = 200 * time.Microsecond // from the upgrade to the greeting
)

// newMeters returns meters that share a part of the machine: one nth.
func newMeters(n int, pause func(time.Duration), slowed func()) *meters {
	began := time.Now()
	ms := &meters{now: func() int64 { return int64(time.Since(began)) }, part: float64(runtime.GOMAXPROCS(0)) / float64(n),
		pause: pause, slowed: slowed}
	ms.strain.Store(100)
	ms.total.paid.Store(-int64(meterCredit))
	return ms
}

func (ms *meters) newMeter() *meter {
	m := &meter{of: ms}
	m.paid.Store(ms.now() - int64(meterCredit))
	return m
}

// costOf is what it costs to read entries from the log.
func costOf(entries []Entry) (cost time.Duration) {
	for _, e := range entries {
		cost += costRow + time.Duration(len(e.Extras().Reactions))*costReaction
	}
	return cost
}

// charge adds a cost to the account.
func (m *meter) charge(cost time.Duration) {
	if m == nil {
		return
	}
	ms := m.of
	now := ms.now()
	time := int64(float64(cost) / ms.part)
	m.pay(now, time*ms.strain.Load()/100, meterDebt)
	ms.adapt(now, ms.total.pay(now, time, meterCredit) > now)
}

// pay moves the account by a cost, up to the longest debt, and returns where it is
// then.
func (m *meter) pay(now, cost int64, longest time.Duration) int64 {
	for {
		old := m.paid.Load()
		paid := min(max(old, now-int64(meterCredit))+cost, now+int64(longest))
		if m.paid.CompareAndSwap(old, paid) {
			return paid
		}
	}
}

// debt returns how long it takes until everything is paid for.
func (m *meter) debt() time.Duration {
	return time.Duration(m.paid.Load() - m.of.now())
}

// wait returns once everything is paid for, or over says that nobody waits for it any
// more; nil never says so. Those who wait for one meter go on one after the other, so
// that none of them takes the others' share.
func (m *meter) wait(over func() bool) {
	if m == nil || m.debt() <= 0 {
		return
	}
	m.turn.Lock()
	defer m.turn.Unlock()
	m.waits.Add(1)
	m.of.slowed()
	for d := m.debt(); d > 0 && !m.of.over.Load() && (over == nil || !over()); d = m.debt() {
		d = min(d, meterPause)
		began := m.of.now()
		m.of.pause(d)
		now := m.of.now()
		m.of.adapt(now, now-began-int64(d) > int64(meterLate) || m.of.total.paid.Load() > now)
	}
	m.charge(costRead) // at once, or the next would go on with this one
}

// adapt makes everything dearer while too much is used or the machine is busy, and
// slowly cheaper after that.
func (ms *meters) adapt(now int64, busy bool) {
	last := ms.adapted.Load()
	if now-last < int64(meterAdapt) || !ms.adapted.CompareAndSwap(last, now) {
		return
	}
	strain := ms.strain.Load()
	if busy {
		ms.strain.Store(min(strain*5/4, 100*maxStrain))
		return
	}
	calm := min((now-last)/int64(meterAdapt), 100) // many periods may have gone by
	for range calm {
		strain = strain * 19 / 20
	}
	ms.strain.Store(max(strain, 100))
}

// rested reports whether a meter has all its credit, so that a new one is the same.
func (m *meter) rested() bool {
	return m == nil || m.paid.Load() <= m.of.now()-int64(meterCredit)
}
