package chat

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// manualMeters are meters of one second of processor time each second, whose clock
// moves only while somebody waits.
func manualMeters() (ms *meters, now *int64, waits *int) {
	now, waits = new(int64), new(int)
	ms = newMeters(1, func(d time.Duration) { *now += int64(d) }, func() { *waits++ })
	ms.now = func() int64 { return *now }
	ms.part = 1
	return ms, now, waits
}

func TestMeterOfTheModest(t *testing.T) {
	ms, now, waits := manualMeters()
	m := ms.newMeter()
	for range 1000 {
		m.wait(nil)
		m.charge(9 * time.Millisecond)
		*now += int64(10 * time.Millisecond)
	}
	if *waits > 0 {
		t.Errorf("who keeps below the part waited %d times", *waits)
	}
}

// One address gets its part, 16 share it, and whoever needs less than 1/maxStrain of
// it never waits, whatever the others do.
func TestMeterOfTheHeavy(t *testing.T) {
	for _, n := range []int{1, 16} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			ms, now, waits := manualMeters()
			heavy, used := make([]*meter, n), make([]time.Duration, n)
			for i := range heavy {
				heavy[i] = ms.newMeter()
			}
			modest := ms.newMeter()
			end := int64(20 * time.Second)
			for next := *now; *now < end; {
				for i, m := range heavy {
					m.wait(nil)
					m.charge(5 * time.Millisecond)
					used[i] += 5 * time.Millisecond
					if *now >= next {
						before := *waits
						modest.wait(nil)
						modest.charge(3 * time.Millisecond)
						if *waits > before {
							t.Fatal("the modest one waited")
						}
						next += int64(100 * time.Millisecond)
					}
				}
			}
			var sum time.Duration
			for i, u := range used {
				sum += u
				if u < used[0]/2 || u > 2*used[0] {
					t.Errorf("number %d used %v, the first %v", i, u, used[0])
				}
			}
			if sum > time.Duration(end)*5/4 || sum < time.Duration(end)/2 {
				t.Errorf("together they used %v in 20 s", sum)
			}
		})
	}
}

// Whoever has paid has credit again, and everything costs what it did.
func TestMeterForgets(t *testing.T) {
	ms, now, waits := manualMeters()
	m := ms.newMeter()
	for range 100 {
		m.charge(time.Second)
		*now += int64(meterAdapt)
	}
	if ms.strain.Load() < 1000 {
		t.Errorf("the strain is %d", ms.strain.Load())
	}
	*now += int64(meterDebt + meterCredit)
	m.charge(0)
	if ms.strain.Load() != 100 {
		t.Errorf("the strain is %d later", ms.strain.Load())
	}
	m.charge(meterCredit - time.Millisecond)
	if m.wait(nil); *waits > 0 {
		t.Error("it has no credit")
	}
	if m.rested() {
		t.Error("it counts as rested")
	}
	if *now += int64(2 * meterCredit); !m.rested() {
		t.Error("it does not count as rested")
	}
}

func TestSource(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1",
		"::ffff:192.0.2.1":    "192.0.2.1",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::",
		"2001:db8:1:3::":      "2001:db8:1:3::",
		"fe80::1%eth0":        "fe80::",
	} {
		if got := Source(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
}

// Sources are kept as long as they have a connection or owe something.
func TestSourcesAreForgotten(t *testing.T) {
	ms, now, _ := manualMeters()
	c := &core{meters: ms}
	c.sources.make = c.newSource
	c.source("192.0.2.1")
	debtor, here := c.source("192.0.2.2"), c.source("192.0.2.3")
	*now += int64(time.Second)
	debtor.meter.charge(time.Second)
	c.sources.release("192.0.2.1")
	c.sources.release("192.0.2.2")
	c.sources.swept = time.Time{}
	c.source("192.0.2.4")
	if len(c.sources.values) != 3 || c.source("192.0.2.2") != debtor || c.source("192.0.2.3") != here {
		t.Errorf("kept: %v", c.sources.values)
	}
}

// While pauses take too long, the machine is busy with something else: the heavy
// get less, and their part again when it is over.
func TestMeterOnABusyMachine(t *testing.T) {
	ms, now, _ := manualMeters()
	late := 10 * time.Millisecond
	ms.pause = func(d time.Duration) { *now += int64(d + late) }
	m := ms.newMeter()
	use := func(seconds int64) (used time.Duration) {
		for end := *now + seconds*int64(time.Second); *now < end; {
			m.wait(nil)
			m.charge(5 * time.Millisecond)
			used += 5 * time.Millisecond
		}
		return used
	}
	use(10)
	if used := use(10); used > 10*time.Second/8 {
		t.Errorf("on a busy machine it uses %v in 10 s", used)
	}
	late = 0
	use(10)
	if used := use(10); used < 9*time.Second {
		t.Errorf("on an idle machine it uses %v in 10 s", used)
	}
}

// Whoever has gone waits for nothing.
func TestMeterOfTheGone(t *testing.T) {
	ms, now, _ := manualMeters()
	m := ms.newMeter()
	ms.pause = func(d time.Duration) {
		*now += int64(d)
		m.charge(d) // somebody else goes on using it
	}
	m.charge(10 * time.Second)
	pauses := 0
	m.wait(func() bool { pauses++; return pauses > 3 })
	if pauses != 4 || m.debt() <= 0 {
		t.Errorf("it waited %d times, with a debt of %s", pauses, m.debt())
	}
}
