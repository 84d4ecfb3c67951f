//go:build linux && !android

package ui

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/client/ui/uitest"
	"parley/shared"
)

// calm is the time without a frame after which the app counts as idle.
const calm = 12 * time.Second

// idle shows that the app, which nobody uses, draws no frame: on the rooms, in a
// room with the focus in the entry, and after everything that moves has moved.
func idle(t *testing.T, ctx context.Context, x *Screen, address string) {
	frames := filepath.Join(t.TempDir(), "fps") // Mesa, which draws without a graphics card, writes a line for each
	env := x.env
	x.env = append(slices.Clone(env), "GALLIUM_HUD=fps", "GALLIUM_HUD_PERIOD=0", "GALLIUM_HUD_VISIBLE=false", "GALLIUM_HUD_DUMP_DIR="+filepath.Dir(frames))
	defer func() { x.env = env }()
	x.startApp()
	x.waitTitle("Lobby – Parley") // the room that talk has ended in
	x.key("Escape")
	x.waitTitle("Rooms – Parley")
	rooms := x.waitIdle("the rooms", frames)
	cleo := join(t, ctx, address, "Lobby", "Cleo") // she answers no ping while the app is idle
	x.typeText("Lobby")
	x.key("Return")
	x.waitTitle("Lobby – Parley")
	x.typeText("this bubble rises")
	x.key("Return")
	for cleo.next(ctx, shared.TypeChat).User != "Ann" {
	}
	for range 8 { // as many as the server takes at once
		cleo.Say(ctx, "a message")
	}
	x.rest()                                                                          // before, nothing is at its place
	x.do("mousemove", "--window", x.window, "200", "400", "click", "4", "click", "4") // scrolls
	x.do("mousemove", "--window", x.window, "382", "28", "click", "1")                // opens the menu
	x.key("Escape")
	x.typeText("half a mess")
	room := x.waitIdle("a room with a draft", frames)
	x.waitTitle("Lobby – Parley")
	if room <= rooms {
		t.Errorf("%d frames in a room, %d before: they are not counted", room, rooms)
	}
	t.Logf("0 frames in %v, after %d on the rooms and %d in all", calm, rooms, room)
	x.key("ctrl+a")
	x.key("BackSpace")
	x.close()
}

// drawn is the number of frames that the app has drawn.
func (s *Screen) drawn(frames string) int {
	s.t.Helper()
	data, err := os.ReadFile(frames)
	if err != nil {
		s.t.Fatalf("Mesa counts no frames: %v", err)
	}
	return bytes.Count(data, []byte{'\n'})
}

// waitIdle waits until no frame has been drawn for a while, and returns the number of
// frames before.
func (s *Screen) waitIdle(where, frames string) int {
	s.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(uitest.Deadline)
	since, last := time.Now(), s.drawn(frames)
	for time.Since(since) < calm {
		select {
		case <-limit:
			s.t.Fatalf("%s: the app never stops drawing, after %d frames", where, last)
		case <-tick.C:
		}
		if n := s.drawn(frames); n != last {
			since, last = time.Now(), n
		}
	}
	return last
}
