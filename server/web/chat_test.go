package web_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"parley/server/web"
	"parley/shared"
)

// TestTwoPages plays a conversation. One page is loaded by a name, which makes
// it what every page in a LAN is: not a secure context.
func TestTwoPages(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--allow-host", "parley.lan")
	ann, bob := newPerson(t), newPerson(t)
	ann.open(s.url() + "/")
	ann.wait("document.activeElement.id === 'name-input'")
	ann.keys("Ann\r")
	ann.wait("location.pathname === '/chat/' && document.querySelector('#me').textContent === 'Ann'")
	ann.enter(s.url(), "Lobby")
	ann.wait("document.querySelector('#empty').innerText.includes('Nobody has said anything yet...')")

	byName := "http://parley.lan" + s.Addr()[strings.Index(s.Addr(), ":"):]
	bob.enter(byName, "lobby")
	if eval[bool](bob, "isSecureContext") {
		t.Fatal("the page is in a secure context, as no phone in a LAN has it")
	}
	guest := eval[string](bob, "JSON.parse(localStorage.getItem('parley/name'))")
	if !strings.HasPrefix(guest, "Guest-") || len(guest) != len("Guest-1234") {
		t.Errorf("who opens a link first is called %q", guest)
	}
	ann.wait("document.querySelector('#count').textContent === '2 people here'")
	ann.waitMember(guest)

	bob.keys("hel")
	ann.wait("document.querySelector('#typing').textContent === " + quote(guest+" is typing…"))
	bob.keys("lo\r")
	ann.waitFor(guest + ": hello\n")
	ann.wait("document.querySelector('#typing').textContent === ''")
	ann.wait("getComputedStyle(document.querySelector('#empty')).display === 'none'")
	ann.say("hello yourself\\")
	bob.waitFor("Ann: hello yourself\\\n")
	bob.wait("document.querySelector('.row:not(.mine) .name').textContent === 'Ann'")
	ann.wait("document.querySelector('.mine .mark').getAttribute('aria-label') === 'Sent'")
	ann.wait("!document.querySelector('#pending').firstChild")

	bob.close()
	ann.wait("document.querySelector('#count').textContent === 'Only you are here'")
}

// TestTutorial is the Selenium suite of the Django Channels tutorial, part 4:
// two windows of one browser, typing without a click.
func TestTutorial(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	enterRoom := func(p *page, room string) {
		p.open(s.url() + "/chat/")
		p.wait("document.activeElement.id === 'room-name-input'")
		p.keys(room + "\r")
		p.wait("location.href.includes(" + quote(room) + ") && document.activeElement.id === 'chat-message-input'")
	}
	t.Run("same room", func(t *testing.T) {
		one := newPerson(t)
		enterRoom(one, "room_1")
		two := one.newTab()
		enterRoom(two, "room_1")
		one.keys("hello\r")
		one.waitFor("hello")
		two.waitFor("hello")
	})
	t.Run("other room", func(t *testing.T) {
		one := newPerson(t)
		enterRoom(one, "room_1")
		two := one.newTab()
		enterRoom(two, "room_2")
		one.keys("hello\r")
		one.waitFor("hello")
		two.keys("world\r")
		two.waitFor("world")
		if strings.Contains(two.transcript(), "hello") {
			t.Error("room_2 shows a message of room_1")
		}
	})
}

// TestEarlyKeys types before the page's script has arrived: nothing is lost.
func TestEarlyKeys(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	pages := web.New("", problem)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".js") {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		pages.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	p := newPerson(t)
	p.mayComplain = true // there is no server behind the page
	start := func(path, focus string) {
		t.Helper()
		p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, cdppage.Navigate, cdppage.NavigateParams{URL: slow.URL + path})
			return err
		}))
		p.wait("document.activeElement.id === " + quote(focus))
	}
	start("/", "name-input")
	p.keys("Ann\r")
	p.wait("location.search === '?name=Ann'")
	start("/chat/", "room-name-input")
	p.keys("room_1\r")
	p.wait("location.pathname === '/chat/room_1/' && document.activeElement.id === 'chat-message-input'")
	p.keys("hello\rwor")
	close(release)
	p.wait("document.querySelector('#pending').innerText.includes('hello')")
	p.keys("ld")
	p.wait("document.querySelector('#chat-message-input').value === 'world'")
}

// TestServerRestart stops the server under an open page and starts it again.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, bob := newPerson(t), newPerson(t)
	ann.enter(s.url(), "lobby")
	bob.enter(s.url(), "lobby")
	ann.say("before")
	bob.waitFor("before")

	s.Stop()
	ann.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.startsWith(\"The server can't be reached.\")")
	ann.say("while it is down")
	ann.wait("document.querySelector('.waiting').innerText.includes('while it is down')")
	ann.wait("/^Next try in \\d+ s\\.$/.test(document.querySelector('#countdown').textContent)")

	s.start()
	eval[any](ann, "document.querySelector('#again').click()")
	ann.waitFor("while it is down")
	ann.wait("document.querySelector('#banner').hidden && !document.querySelector('#pending').firstChild")
	bob.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[any]("dispatchEvent(new Event('online'))")(ctx, t)
		return err
	}))
	bob.waitFor("while it is down")
	for range 2 {
		ann.say("after")
		bob.waitFor("after")
		ann.open(s.url() + "/chat/lobby/")
		ann.waitConnected()
	}
	want := []string{"before", "while it is down", "after", "after"}
	for _, p := range []*page{ann, bob} {
		p.wait("document.querySelectorAll('#chat-log .bubble').length === 4")
		if got := texts(p); !slices.Equal(got, want) {
			t.Errorf("the page shows %q", got)
		}
	}
	if got := s.logged("lobby"); !slices.Equal(got, want) {
		t.Errorf("the log has %q", got)
	}
}

// texts are the messages that a page shows, without who and when.
func texts(p *page) []string {
	p.t.Helper()
	return eval[[]string](p, "[...document.querySelectorAll('#chat-log .bubble p')].map(e => e.textContent)")
}

// TestTabsShareOutbox lets three tabs of one person write while the server is
// down. One is closed before it is back, one is reloaded.
func TestTabsShareOutbox(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	one := newPerson(t)
	two, three := one.newTab(), one.newTab()
	tabs := []*page{one, two, three}
	for _, p := range tabs {
		p.enter(s.url(), "lobby")
	}
	s.Stop()
	var want []string
	for i, p := range tabs {
		p.wait("!document.querySelector('#banner').hidden")
		for j := range 5 {
			text := fmt.Sprintf("tab %d, message %d", i+1, j+1)
			want = append(want, text)
			p.say(text)
		}
	}
	for _, p := range tabs {
		p.wait("document.querySelectorAll('#pending .waiting').length === 15")
	}
	three.close()
	s.start()
	two.open(s.url() + "/chat/lobby/")
	for _, p := range tabs[:2] {
		eval[any](p, "dispatchEvent(new Event('online'))")
		for _, text := range want {
			p.waitFor(text)
		}
		p.wait("!document.querySelector('#pending').firstChild")
		got := texts(p)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("the page shows %q", got)
		}
	}
	got := s.logged("lobby")
	mine := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "tab 1") })
	if !slices.IsSorted(mine) {
		t.Errorf("a tab's messages are out of order: %q", mine)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q", got)
	}
	if left := eval[int](one, "Object.keys(localStorage).filter(k => k.startsWith('parley/out/')).length"); left != 0 {
		t.Errorf("%d messages are still in the outbox", left)
	}
}

// TestHostileText sends what tries to leave its bubble, or to be more than text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	hostile := []string{
		`<script>document.title = "owned"</script><img src=x onerror='document.title = "owned"'>`,
		"\u202egnp.exe\u202c \u2066unclosed \u202d isolates",
		"Z" + strings.Repeat("\u0334\u0300\u0322", 60) + "algo",
		"a" + strings.Repeat("\u0301", 4000),
		strings.Repeat("W", 4096),
		strings.Repeat("\n", 4000) + "tall",
		"nul \x00 and \x1b[31mred\x1b[0m",
		"שלום <b>עולם</b> مرحبا",
		"javascript:alert(1) data:text/html,x https://example.org/a_(b)?c=d. (http://例え.jp/)",
		strings.Repeat("😀", 4096),
	}
	c := dial(t, s, "lobby", "Mallory")
	for _, text := range hostile {
		c.send(text)
	}
	for _, width := range []int64{320, 1400} {
		p := newPerson(t)
		p.look(width, 640, "light")
		p.enter(s.url(), "lobby")
		p.wait(fmt.Sprintf("document.querySelectorAll('#chat-log .bubble').length === %d", len(hostile)))
		got := texts(p)
		for i, text := range hostile {
			shown := strings.NewReplacer("\x00", "␀", "\x1b", "␛").Replace(text)
			if got[i] != shown {
				t.Errorf("%.60q is shown as %.60q", text, got[i])
			}
		}
		if n := eval[int](p, "document.querySelectorAll('#chat-log :is(script, img, b)').length"); n != 0 {
			t.Errorf("%d elements came out of texts", n)
		}
		if eval[string](p, "document.title") == "owned" {
			t.Error("a script in a text ran")
		}
		// What is painted of a text is cut at its bubble, and no bubble leaves the list.
		if out := eval[[]string](p, `[...document.querySelectorAll('.bubble')].flatMap(b => {
			const box = b.getBoundingClientRect(), list = document.querySelector('#scroller').getBoundingClientRect();
			const range = document.createRange();
			range.selectNodeContents(b.querySelector('p'));
			const wide = [...range.getClientRects()].some(r => r.left < box.left - 1 || r.right > box.right + 1);
			return wide || box.left < list.left || box.right > list.right || box.height > innerHeight || getComputedStyle(b).overflow !== 'hidden'
				? [b.textContent.slice(0, 40)] : [];
		})`); len(out) > 0 {
			t.Errorf("at %d pixels these leave their bubble: %q", width, out)
		}
		if eval[bool](p, "document.documentElement.scrollWidth > innerWidth || document.querySelector('#scroller').scrollWidth > document.querySelector('#scroller').clientWidth") {
			t.Errorf("at %d pixels the page scrolls sideways", width)
		}
		links := eval[[]string](p, "[...document.querySelectorAll('.bubble a')].map(a => [a.textContent, a.target, a.rel].join(' '))")
		if want := []string{"https://example.org/a_(b)?c=d _blank noopener noreferrer", "http://例え.jp/ _blank noopener noreferrer"}; !slices.Equal(links, want) {
			t.Errorf("the links are %q", links)
		}
	}
}

// TestHistory scrolls up through more messages than a page gets at first.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	c := dial(t, s, "lobby", "Bob")
	for i := range 130 {
		c.send(fmt.Sprintf("number %d.", i))
	}
	p := newPerson(t)
	p.look(390, 844, "light")
	p.enter(s.url(), "lobby")
	p.waitFor("number 129.")
	if strings.Contains(p.transcript(), "number 79.") {
		t.Error("a first visit shows more than the last 50")
	}
	if eval[bool](p, "!!document.querySelector('.gap')") {
		t.Error("a first visit shows a gap")
	}
	p.wait("performance.getEntriesByType('resource').some(e => e.name.endsWith('/settings.js'))") // the last part
	p.waitAtEnd()
	for _, first := range []string{"number 30.", "number 0."} {
		moved := eval[float64](p, `(async () => {
			const scroller = document.querySelector('#scroller'), log = document.querySelector('#chat-log');
			scroller.scrollTop = 300;
			const row = log.children[5], top = row.getBoundingClientRect().top, n = log.children.length;
			for (let i = 0; log.children.length === n; i++) {
				if (i === 6000) throw new Error('nothing came: ' + [n, scroller.scrollTop, scroller.scrollHeight]);
				await new Promise(r => setTimeout(r, 10));
			}
			return row.getBoundingClientRect().top - top;
		})()`)
		if moved < -1 || moved > 1 {
			t.Errorf("what is read jumped by %v pixels", moved)
		}
		p.waitFor(first)
	}
	p.wait("document.querySelectorAll('#chat-log .bubble').length === 130")

	c.send("and one more")
	p.wait("document.querySelector('#pill').textContent === '↓ 1 new'")
	if at := eval[float64](p, "document.querySelector('#scroller').scrollTop"); at > 6000 {
		t.Errorf("a new message moved the reader to %v", at)
	}
	eval[any](p, "document.querySelector('#pill').click()")
	p.wait("document.querySelector('#pill').hidden")
	if n := eval[int](p, "document.querySelectorAll('.day').length"); n != 1 {
		t.Errorf("%d day lines for one day", n)
	}
}

// TestAway leaves a room and comes back to it.
func TestAway(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := dial(t, s, "lobby", "Bob")
	p := newPerson(t)
	p.enter(s.url(), "lobby")
	c.send("seen")
	p.waitFor("seen")
	p.open(s.url() + "/chat/")
	p.wait("document.querySelector('#rooms').innerText.includes('lobby')")
	c.send("missed")
	c.send("missed too")
	eval[any](p, "document.querySelector('#rooms a').click()")
	p.waitFor("missed too")
	p.wait("document.querySelector('.fresh').parentNode.innerText.includes('missed')")
	if got := texts(p); !slices.Equal(got, []string{"seen", "missed", "missed too"}) {
		t.Errorf("the page shows %q", got)
	}
}

// TestAnotherLog gives the page a server that has lost its data.
func TestAnotherLog(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	p := newPerson(t)
	p.enter(s.url(), "lobby")
	p.say("of the old log")
	p.waitFor("of the old log")
	p.open("about:blank")
	s.Stop()
	s.Data = t.TempDir()
	s.start("--rate", "0", "--burst", "0")
	c := dial(t, s, "lobby", "Bob")
	for i := range 60 {
		c.send(fmt.Sprintf("number %d.", i))
	}
	p.enter(s.url(), "lobby")
	p.waitFor("number 59.")
	p.wait("document.querySelector('.gap button')")
	eval[any](p, "document.querySelector('.gap button').click()")
	p.wait("!document.querySelector('.gap')")
	want := []string{"of the old log"}
	for i := range 60 {
		want = append(want, fmt.Sprintf("number %d.", i))
	}
	if got := texts(p); !slices.Equal(got, want) {
		t.Errorf("the page shows %q", got)
	}
}

// TestNameTaken has two people under one name.
func TestNameTaken(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, other := newPerson(t), newPerson(t)
	for _, p := range []*page{ann, other} {
		p.open(s.url() + "/")
		p.setName("Ann")
	}
	ann.enter(s.url(), "lobby")
	other.open(s.url() + "/chat/lobby/")
	other.wait("document.querySelector('#status').textContent === 'Somebody else has your name here.'")
	other.wait("document.querySelector('#again').textContent === 'Be Ann (2)'")
	eval[any](other, "document.querySelector('#again').click()")
	other.waitConnected()
	ann.waitMember("Ann (2)")

	rename := func(name string) {
		eval[any](other, "document.querySelector('#name').value = "+quote(name)+"; document.querySelector('#rename button').click()")
	}
	other.openPeople()
	rename("a/b")
	other.wait("document.querySelector('#name-error').textContent === \"A name can't have a slash.\"")
	rename("Zoë")
	other.wait("!document.querySelector('#people')")
	ann.waitMember("Zoë")
	other.say("it is me")
	ann.waitFor("Zoë: it is me")
}

// retry sends what was refused once more, and returns when the server has answered.
func (p *page) retry() {
	p.t.Helper()
	eval[any](p, "document.querySelector('.reason [data-act=retry]').click()")
	p.wait("Object.entries(localStorage).every(([key, value]) => !key.startsWith('parley/out/') || JSON.parse(value).error)")
}

// TestRefusedMessage has a message that the server will never take.
func TestRefusedMessage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "lobby")

	eval[any](p, "document.querySelector('#chat-message-input').value = 'x'.repeat(4097)")
	p.keys("\r")
	p.wait("document.querySelector('#note').textContent === 'That has 4097 characters, of at most 4096.'")
	eval[any](p, "document.querySelector('#chat-message-input').value = ''")

	// As if a page of another version had put it there.
	eval[any](p, `const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
		localStorage.setItem('parley/out/lobby/' + id, JSON.stringify({id, message: 'y'.repeat(5000), at: Date.now(), tab: ''}))`)
	p.enter(s.url(), "lobby")
	p.wait("document.querySelector('.failed .reason')?.textContent.includes('The message is too long.')")
	p.retry()
	p.wait("document.querySelector('.failed .reason')?.textContent.includes('The message is too long.')")
	eval[any](p, "document.querySelector('.reason [data-act=edit]').click()")
	p.wait("document.querySelector('#chat-message-input').value.length === 5000 && !document.querySelector('.failed')")
	eval[any](p, "document.querySelector('#chat-message-input').value = 'shorter'")
	p.keys("\r")
	p.waitFor("shorter")
	if got := s.logged("lobby"); !slices.Equal(got, []string{"shorter"}) {
		t.Errorf("the log has %q", got)
	}
}

// TestFullStorage leaves the page no room to keep anything.
func TestFullStorage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/")
	p.setName("Ann")
	eval[any](p, `for (let n = 1 << 22; n; n >>= 1) {
		try { for (let i = 0; ; i++) localStorage.setItem(n + ' ' + i, 'x'.repeat(n)); } catch (e) {}
	}`)
	p.enter(s.url(), "lobby")
	p.say("kept by the server at least")
	p.waitFor("kept by the server at least")
	p.wait("document.querySelector('#room-note').textContent.startsWith('This browser can keep no more')")
	p.wait("!document.querySelector('#pending').firstChild")
}

// client is a member that is no page. It reads all the time, or the server would take it
// for gone after a minute.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	news chan bool // has one if something was heard, or the connection has ended

	mu    sync.Mutex
	heard [][]byte
	ended error
}

func dial(t *testing.T, s *server, room, name string) *client {
	t.Helper()
	return dialKey(t, s, room, name, "")
}

// deviceOf is the secret of a client's device.
func deviceOf(name string) string { return strings.Repeat("d", 20) + hex.EncodeToString([]byte(name)) }

// dialKey enters a room by its passphrase.
func dialKey(t *testing.T, s *server, room, name, key string) *client {
	t.Helper()
	return greet(t, s, room, shared.Message{User: name, Key: key})
}

// greet enters a room with a hello, which gets a device.
func greet(t *testing.T, s *server, room string, hello shared.Message) *client {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr()+"/ws/chat/"+url.PathEscape(room), &websocket.DialOptions{Subprotocols: []string{shared.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(shared.ReadLimit)
	c := &client{t: t, conn: conn, news: make(chan bool, 1)}
	go c.listen()
	hello.Type, hello.Device = shared.TypeHello, deviceOf(hello.User)
	c.write(hello)
	c.await(func(m shared.Message) bool { return m.Type == shared.TypeWelcome })
	return c
}

func (c *client) write(m shared.Message) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, shared.Encode(m)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) listen() {
	for err := error(nil); err == nil; {
		var data []byte
		_, data, err = c.conn.Read(context.Background())
		c.mu.Lock()
		if c.ended = err; err == nil {
			c.heard = append(c.heard, data)
		}
		c.mu.Unlock()
		select {
		case c.news <- true:
		default:
		}
	}
}

// next returns what was heard next.
func (c *client) next() []byte {
	c.t.Helper()
	for {
		c.mu.Lock()
		heard, ended := c.heard, c.ended
		if len(heard) > 0 {
			c.heard = heard[1:]
		}
		c.mu.Unlock()
		if len(heard) > 0 {
			return heard[0]
		}
		if ended != nil {
			c.t.Fatal(ended)
		}
		select {
		case <-c.news:
		case <-time.After(patience):
			c.t.Fatal("nothing is heard")
		}
	}
}

func (c *client) await(want func(shared.Message) bool) {
	c.t.Helper()
	for {
		if m, err := shared.Decode(c.next()); err != nil {
			c.t.Fatal(err)
		} else if want(m) {
			return
		}
	}
}

// send sends a text and waits until the room has it.
func (c *client) send(text string) {
	c.t.Helper()
	id := rand.Text()
	c.write(shared.Message{Type: shared.TypeChat, ID: id, Text: text})
	c.await(func(m shared.Message) bool { return m.ID == id })
}

// typing says that its person is typing.
func (c *client) typing() {
	c.t.Helper()
	c.write(shared.Message{Type: shared.TypeTyping})
}

// TestGuestOfThatNumber has a newcomer begin with a guest's name that somebody has:
// among 120 guests in a hall, two with one number are likely.
func TestGuestOfThatNumber(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial(t, s, "Lobby", "Guest-1234")
	p := newPerson(t)
	p.open(s.url() + "/chat/")
	p.setName("Guest-1234")
	p.open(s.url() + "/chat/Lobby/")
	p.wait(`/^2 people/.test(document.querySelector('#count').textContent)`)
	if got := eval[string](p, "JSON.parse(localStorage.getItem('parley/name'))"); got == "Guest-1234" || !strings.HasPrefix(got, "Guest-") {
		t.Errorf("the newcomer is called %q", got)
	}
}
