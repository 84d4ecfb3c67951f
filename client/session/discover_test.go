package session

import (
	"context"
	"net/netip"
	"testing"
)

// TestSearchHasPlacesForAll has one host tell of more servers than a search asks: the
// server that answers after it is asked all the same.
func TestSearchHasPlacesForAll(t *testing.T) {
	n := Network{Name: "w", Prefix: netip.MustParsePrefix("192.168.77.20/24")}
	ctx, cancel := context.WithCancel(t.Context())
	r := &searching{Discovery: Discovery{Pins: NewPins(nil)}, ctx: ctx, events: make(chan func()), slots: make(chan struct{}), // so that none is asked yet
		asked: map[string]bool{}, told: map[netip.Addr]int{}}
	for port := range uint16(maxFound) {
		r.found(n, netip.MustParseAddr("192.168.77.66"), []announcement{{port: 9000 + port}})
	}
	r.found(n, netip.MustParseAddr("192.168.77.50"), []announcement{{port: 8000}})
	if !r.asked["http://192.168.77.50:8000"] || len(r.asked) != maxOfHost+1 {
		t.Errorf("%d are asked: %v", len(r.asked), r.asked)
	}
	cancel()
	for r.running > 0 {
		(<-r.events)()
	}
}
