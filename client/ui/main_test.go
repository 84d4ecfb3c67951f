package ui

import (
	"context"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(servertest.Main(m, goleak.IgnoreCurrent())) // Fyne's desktop driver has one goroutine from the start
}

// world is an app in Fyne's test driver. Its rooms are real ones that reach no
// server; what a server would cause is fed to them as changes.
type world struct {
	t      testing.TB
	app    fyne.App
	window fyne.Window
	queue  *uitest.Queue
	client router
	closed bool // the window has been closed by the test
	ended  bool // and the app

	// What the app asks for on goroutines of its own, also again and again. Once it has
	// begun, set changes it.
	mu     sync.Mutex
	now    time.Time
	info   session.ServerInfo // of the server, as the others
	fault  error              // when set
	active []session.RoomInfo
}

// set changes what mu guards.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) probe(context.Context, string, *session.Pins) (session.ServerInfo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.info, w.fault
}

func (w *world) rooms(context.Context, string, *session.Pins) ([]session.RoomInfo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.active), w.fault
}

// newWorld starts the app in a window of a size. prefs may change the settings
// before.
func newWorld(t testing.TB, size fyne.Size, settings func(prefs)) *world {
	t.Helper()
	w := &world{t: t, app: uitest.NewApp(), queue: uitest.NewQueue(), now: uitest.Noon}
	w.info = session.ServerInfo{Name: "Kitchen", Version: "1.2.3", People: 3, Rooms: 2}
	w.window = test.NewWindow(nil)
	p := prefs{w.app.Preferences()}
	p.setLanguage("en")
	p.setLook(kit.LookLight)
	p.setName("Ann")
	p.setServer("http://192.0.2.1:8000")
	if settings != nil {
		settings(p)
	}
	w.client = newRouter(w.app, w.window, options{bridge: kit.NewBridge(w.queue.Post), net: network{
		probe: w.probe, rooms: w.rooms, open: w.open,
	}, clock: w.clock, grace: backgroundGrace, system: android, folder: t.TempDir()})
	w.window.Resize(size)
	t.Cleanup(func() {
		if !w.ended {
			w.client.close()
		}
		if !w.closed {
			w.window.Close()
		}
	})
	return w
}

// open is session.Open without a way to a server: what happens is fed by feed.
func (w *world) open(c session.Config) *session.Room {
	c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH }
	c.OnWake = nil
	return session.Open(c)
}

// room enters a room and connects it with people in it.
func (w *world) room(name string, people ...string) *conversation.Room {
	w.t.Helper()
	w.client.enter(name)
	conv := w.client.find(name)
	conv.Apply([]session.Change{
		{Kind: session.Reset},
		{Kind: session.StatusChanged, Status: session.Status{State: session.Connected}},
		{Kind: session.PeopleChanged, People: people, Count: len(people)},
	})
	return conv
}

// page is the room's page on the screen.
func (w *world) page() *roomPage {
	w.t.Helper()
	p, ok := w.client.nav.top().(*roomPage)
	if !ok {
		w.t.Fatalf("the page on top is a %T", w.client.nav.top())
	}
	return p
}

// people shows who is in the room on the screen.
func (w *world) people() { showPeople(w.page()) }

// settle drains the queue until cond holds.
func (w *world) settle(cond func() bool) {
	w.t.Helper()
	limit := time.After(uitest.Deadline)
	for {
		w.queue.Drain()
		if cond() {
			return
		}
		select {
		case <-w.queue.Added:
		case <-limit:
			w.t.Fatal("what the test waits for did not happen")
		}
	}
}
