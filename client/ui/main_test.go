package ui

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"parley/client/session"
	"parley/shared/servertest"
)

// noon is when the tests take place: a Wednesday.
var noon = time.Date(2025, time.March, 12, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	now = func() time.Time { return noon }
	os.Exit(servertest.Main(m, goleak.IgnoreCurrent())) // Fyne's desktop driver has one goroutine from the start
}

// queue is the UI goroutine's queue, which a test drains itself.
type queue struct {
	mu    sync.Mutex
	funcs []func()
	added chan struct{}
}

func newQueue() *queue { return &queue{added: make(chan struct{}, 1)} }

func (q *queue) post(f func()) {
	q.mu.Lock()
	q.funcs = append(q.funcs, f)
	q.mu.Unlock()
	select {
	case q.added <- struct{}{}:
	default:
	}
}

// drain runs what waits.
func (q *queue) drain() {
	q.mu.Lock()
	funcs := q.funcs
	q.funcs = nil
	q.mu.Unlock()
	for _, f := range funcs {
		f()
	}
}

// world is an app in Fyne's test driver. Its rooms are real ones that reach no
// server; what a server would cause is fed to them as changes.
type world struct {
	t      testing.TB
	app    fyne.App
	window fyne.Window
	queue  *queue
	client *client
	info   session.ServerInfo
	fault  error // of the server, when set
	active []session.RoomInfo
	closed bool // the window has been closed by the test
	ended  bool // and the app
}

// newWorld starts the app in a window of a size. prefs may change the settings
// before.
func newWorld(t testing.TB, size fyne.Size, settings func(prefs)) *world {
	t.Helper()
	w := &world{t: t, app: test.NewApp(), queue: newQueue()}
	w.info = session.ServerInfo{Name: "Kitchen", Version: "1.2.3", People: 3, Rooms: 2}
	w.window = test.NewWindow(nil)
	p := prefs{w.app.Preferences()}
	p.setLanguage("en")
	p.setLook(lookLight)
	p.setName("Ann")
	p.setServer("http://192.0.2.1:8000")
	if settings != nil {
		settings(p)
	}
	b := newBridge(w.queue.post)
	w.client = newClient(w.app, w.window, b, network{
		probe: func(context.Context, string, *session.Pins) (session.ServerInfo, error) { return w.info, w.fault },
		rooms: func(context.Context, string, *session.Pins) ([]session.RoomInfo, error) { return w.active, w.fault },
		open:  w.open,
	}, nil)
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
func (w *world) room(name string, people ...string) *conversation {
	w.t.Helper()
	w.client.enter(name)
	conv := w.client.find(name)
	conv.apply([]session.Change{
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

// settle drains the queue until cond holds.
func (w *world) settle(cond func() bool) {
	w.t.Helper()
	limit := time.After(deadline)
	for {
		w.queue.drain()
		if cond() {
			return
		}
		select {
		case <-w.queue.added:
		case <-limit:
			w.t.Fatal("what the test waits for did not happen")
		}
	}
}

var phone = fyne.NewSize(412, 860)

// onPhone makes the app believe for the rest of the test that it is on a phone,
// or on a desktop.
func onPhone(t testing.TB, on bool) {
	t.Helper()
	was := isPhone
	isPhone = func() bool { return on }
	t.Cleanup(func() { isPhone = was })
}

// said makes a message of somebody else; n tells it from others and is its
// minute after ten.
func said(n int, user, text string) session.Item {
	return session.Item{ID: fmt.Sprint("id", n), Offset: int64(n), User: user, Text: text,
		Time: noon.Add(-2 * time.Hour).Add(time.Duration(n) * time.Minute)}
}

// own makes a message of ours.
func own(n int, text string) session.Item {
	item := said(n, "Ann", text)
	item.Mine = true
	return item
}

func appended(items ...session.Item) []session.Change {
	return []session.Change{{Kind: session.Append, Items: items}}
}

// many makes n messages of several lengths by three people.
func many(from, n int) []session.Item {
	words := []string{"dinner", "who", "the dashboard went red", "yes", "https://example.org/a", "a longer sentence that has to wrap on a phone at least once or twice"}
	users := []string{"Bob", "Cleo", "Ann"}
	items := make([]session.Item, n)
	for i := range items {
		k := from + i
		text := words[k%len(words)] + " " + words[(k/3)%len(words)]
		if k%3 == 2 {
			items[i] = own(k, text)
		} else {
			items[i] = said(k, users[k%3], text)
		}
	}
	return items
}

// deadline bounds each wait of a test; what is waited for comes far earlier, and
// when it does not the test fails.
const deadline = 60 * time.Second
