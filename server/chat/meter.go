package chat

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A meter adds up what somebody costs the server, in processor time, and says how
// long they have to wait for it. Whoever keeps below a quarter of the machine never
// waits. All who are above it share that quarter, so that the rest of the machine
// is everybody else's.
//
// The account is one number: the moment up to which everything is paid for. It
// trails the clock by the credit that is left, and passes the clock by the debt.
// Charging is one atomic addition. A nil meter costs nothing and never waits.
type meter struct {
	of     *meters
	paid   atomic.Int64 // as of.now tells the time
	debtor atomic.Bool  // it is in of.debtors

	turn sync.Mutex // held by the one who waits; others wait for that one, in order
}

// meters are the meters that share one part of the machine.
type meters struct {
	now    func() int64        // nanoseconds since the meters were made
	part   float64             // of a second of processor time, each second
	pause  func(time.Duration) // waits
	slowed func()              // is told of each wait

	over  atomic.Bool  // nobody waits any more
	heavy atomic.Int64 // how many debtors there are
	swept atomic.Int64 // when they were last looked through

	mu      sync.Mutex
	debtors map[*meter]struct{}
}

const (
	meterCredit = 100 * time.Millisecond // what may be used at once, as the time in which it is paid for
	meterDebt   = 2 * time.Second        // no debt is longer
	meterSweep  = 100 * time.Millisecond
)

// The parts of the machine, one nth of it, that all debtors get together: for what
// addresses cause, and for what goes to everyone in a room.
const (
	sourcesPart = 4
	roomsPart   = 4
)

// What things cost, by measurement on one core of a small computer, rounded up.
const (
	costRead       = 5 * time.Microsecond   // a read(2)
	costByteRead   = 50 * time.Nanosecond   // the least that makes a frame is 6 bytes
	costWritten    = 5 * time.Nanosecond    // a byte that somebody asked for
	costFrame      = 20 * time.Microsecond  // decoding, and an error as the answer
	costPing       = 10 * time.Microsecond  // and its answer
	costMessage    = 60 * time.Microsecond  // its way through the log
	costDelivery   = 8 * time.Microsecond   // to one member
	costRow        = 4 * time.Microsecond   // read from the log
	costClaim      = 200 * time.Microsecond // of a name, in the registry
	costHash       = 40 * time.Millisecond  // of a passphrase
	costRequest    = 100 * time.Microsecond // over HTTP
	costShares     = time.Millisecond       // to look whose place is to be given up
	costConnection = 200 * time.Microsecond // from the upgrade to the greeting
)

// newMeters returns meters that share a part of the machine: one nth.
func newMeters(n int, pause func(time.Duration), slowed func()) *meters {
	began := time.Now()
	m := &meters{now: func() int64 { return int64(time.Since(began)) }, part: float64(runtime.GOMAXPROCS(0)) / float64(n), pause: pause, slowed: slowed,
		debtors: make(map[*meter]struct{})}
	return m
}

func (ms *meters) newMeter() *meter {
	m := &meter{of: ms}
	m.paid.Store(ms.now() - int64(meterCredit))
	return m
}

// charge adds a cost to the account.
func (m *meter) charge(cost time.Duration) {
	if m == nil {
		return
	}
	ms := m.of
	now := ms.now()
	stretched := float64(cost) / ms.part
	if m.debtor.Load() {
		stretched *= float64(max(1, ms.heavy.Load()))
	}
	if m.pay(now, int64(stretched)) > now {
		ms.owe(m)
	}
	ms.sweep(now)
}

// pay moves the account by a cost, and returns where it is then.
func (m *meter) pay(now, cost int64) int64 {
	for {
		old := m.paid.Load()
		paid := min(max(old, now-int64(meterCredit))+cost, now+int64(meterDebt))
		if m.paid.CompareAndSwap(old, paid) {
			return paid
		}
	}
}

// debt returns how long it takes until everything is paid for.
func (m *meter) debt() time.Duration {
	return time.Duration(m.paid.Load() - m.of.now())
}

// wait returns once everything is paid for. Those who wait for one meter go on one
// after the other, so that none of them takes the others' share.
func (m *meter) wait() {
	if m == nil || m.debt() <= 0 {
		return
	}
	m.turn.Lock()
	defer m.turn.Unlock()
	m.of.slowed()
	m.of.owe(m)
	for d := m.debt(); d > 0 && !m.of.over.Load(); d = m.debt() {
		m.of.pause(min(d, meterSweep))
	}
	m.charge(costRead) // at once, or the next would go on with this one
}

// owe counts a meter among the debtors.
func (ms *meters) owe(m *meter) {
	if m.debtor.Swap(true) {
		return
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.debtors[m] = struct{}{}
	ms.heavy.Store(int64(len(ms.debtors)))
}

// sweep takes those off the debtors, from time to time, who have credit again.
func (ms *meters) sweep(now int64) {
	last := ms.swept.Load()
	if ms.heavy.Load() == 0 || now-last < int64(meterSweep) || !ms.swept.CompareAndSwap(last, now) {
		return
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	for m := range ms.debtors {
		if m.debt() <= -meterCredit/4 {
			delete(ms.debtors, m)
			m.debtor.Store(false)
		}
	}
	ms.heavy.Store(int64(len(ms.debtors)))
}

// rested reports whether a meter has all its credit, so that a new one is the same.
func (m *meter) rested() bool {
	return m == nil || m.paid.Load() <= m.of.now()-int64(meterCredit)
}
