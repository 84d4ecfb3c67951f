//go:build linux && !android

package ui

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"parley/client/ui/uitest"
)

// The real app in a real window follows the link that it is started with, and then one that
// another start leaves for it, as a file manager or a browser does.
func TestWindowFollowsLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and the app")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*uitest.Deadline)
	defer cancel()
	first, second := startServer(t), startServer(t)
	bob, carla := join(t, ctx, first, "Team Pizza", "Bob"), join(t, ctx, second, "Garden", "Carla")
	x := startScreen(t, ctx, t.TempDir())
	build(t, ctx, x.bin, "parley", "-tags", "nosearch")
	x.startApp("http://" + first + "/r/Team Pizza")
	x.answer()
	x.typeText("Ann") // the first page asks for a name
	x.key("Tab")
	x.key("Return")
	x.waitTitle("Team Pizza – Parley")
	bob.Say(ctx, "hi")

	again := x.command("parley://" + second + "/r/Garden")
	if out, err := again.Output(); err != nil || string(out) != "Parley runs already, and asks in its window.\n" {
		t.Fatalf("the second start: %v, %q", err, out)
	}
	x.answer()
	x.waitTitle("Garden – Parley")
	carla.Say(ctx, "hi")
	x.close()
}

// answer waits until the app has taken a link, and says yes to its question.
func (s *Screen) answer() {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(uitest.Deadline)
	for left := true; left; {
		select {
		case <-limit:
			s.t.Fatal("the link is not taken")
		case <-tick.C:
		}
		files, err := filepath.Glob(filepath.Join(s.home, "fyne", ID, inboxName+"*"))
		left = err != nil || len(files) > 0
	}
	s.key("Tab")
	s.key("Return")
}
