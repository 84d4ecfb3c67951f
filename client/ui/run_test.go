package ui

import (
	"os"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/ui/uitest"
)

// The app says the version of FyneApp.toml, however it was built.
func TestVersion(t *testing.T) {
	toml, err := os.ReadFile("../../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []fyne.AppMetadata{
		{Version: "0.0.1", Build: 1},                         // go build: Fyne's own
		{ID: ID, Name: "Parley", Version: "7.8.9", Build: 3}, // fyne package
	} {
		want := m.Version
		if m.ID == "" {
			_, after, _ := strings.Cut(string(toml), `Version = "`)
			want, _, _ = strings.Cut(after, `"`)
		}
		got := metadata(m)
		if got.Version != want || got.ID != ID || got.Build != m.Build || !got.Migrations["fyneDo"] {
			t.Errorf("of %+v the app knows %+v, not version %s", m, got, want)
		}
	}
}

// The app asks the network for nothing before Fyne's loop runs: the answer would be
// drawn on the goroutine that has it. The app begins once, even if Android starts
// its activity again.
func TestBeginsWithTheLoop(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	l := w.app.Lifecycle()
	follow(w.client, l)
	if n := len(w.client.nav.stack); n != 0 {
		t.Fatalf("%d pages are there before the app runs", n)
	}
	started := l.(interface{ OnStarted() func() }).OnStarted()
	started()
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Fatalf("the app begins with a %T", w.client.nav.top())
	}
	w.room("Lobby", "Ann")
	started()
	w.page()
}
