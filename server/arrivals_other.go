//go:build !linux

package main

import (
	"context"
	"net/netip"
)

// clockIsKept reports whether the clock is right for all that the system tells, which
// only Linux does.
func clockIsKept(string) bool { return true }

// watchArrivals waits for those that a listener of this program has accepted: only
// Linux shows what comes before the firewall.
func watchArrivals(ctx context.Context, _ uint16, _ func(netip.Addr) bool, ready func(), came <-chan netip.Addr) (arrivals, error) {
	return awaitArrival(ctx, ready, came)
}
