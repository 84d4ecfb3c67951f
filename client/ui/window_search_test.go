//go:build linux && !android

package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

// The real app in a real window, in a network of its own, finds the real server by its
// announcement: one tap joins.
func TestWindowFindsTheServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and the app")
	}
	if !servertest.InNamespace(t) {
		return
	}
	for _, args := range []string{"link set lo up", "link add lan0 type veth peer name far0", "link set far0 up", "link set lan0 up", "addr add 192.168.77.20/24 dev lan0"} {
		servertest.IP(t, args)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*uitest.Deadline)
	defer cancel()
	dir := t.TempDir()
	servertest.Start(t, "--addr", "0.0.0.0:0", "--name", "Class 4b")
	for announced := false; !announced; { // once it knows that nobody else has its name
		session.Discovery{Networks: session.Networks(), Pins: session.NewPins(nil)}.Run(ctx, func(session.Nearby) { announced = true })
		if ctx.Err() != nil {
			t.Fatal("the server is not announced")
		}
	}
	x := startScreen(t, ctx, dir)
	build(t, ctx, x.bin, "parley")
	x.startApp()
	x.typeText("Ann")
	title := func() string { return strings.TrimSpace(x.do("getwindowname", x.window)) }
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for title() == "Parley" { // of the first page, where nothing is at this place before the server is listed
		x.do("mousemove", "--window", x.window, "200", "284", "click", "1")
		select {
		case <-ctx.Done():
			t.Fatal("no server was listed")
		case <-tick.C:
		}
	}
	x.close()
}
