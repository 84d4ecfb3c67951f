package mdns

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// A host that asks all the time gets its share of the answers, and the others theirs.
// What is kept of them is bounded, also if each address asks once.
func TestAskersShare(t *testing.T) {
	a, now := newAskers(), time.Unix(1, 0)
	addr := func(i uint32) netip.Addr {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24+i)))
	}
	answers := func(from netip.Addr, questions int) (n int) {
		for range questions {
			if a.allow(from, now) {
				n++
			}
		}
		return n
	}
	if n := answers(addr(1), 1000); n != directRate {
		t.Errorf("one who asks all the time gets %d answers", n)
	}
	if n := answers(addr(2), 5); n != 5 {
		t.Errorf("another one gets %d answers of 5", n)
	}
	all := 0
	for i := range uint32(2 * mostAskers) {
		all += answers(addr(3+i), 1)
	}
	if want := directRateAll - directRate - 5; all != want || len(a.each) > mostAskers {
		t.Errorf("%d answers, not %d; %d are kept apart", all, want, len(a.each))
	}
	now = now.Add(2 * time.Second)
	if n := answers(addr(1<<20), 1); n != 1 || len(a.each) > 1 {
		t.Errorf("later, %d are answered and %d kept apart", n, len(a.each))
	}
}
