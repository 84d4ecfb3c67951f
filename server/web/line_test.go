package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"parley/server/web"
	"parley/shared"
)

// hurry has the page's longest wait, for a frame, pass twenty times as fast.
const hurry = "{ const wait = setTimeout; window.setTimeout = (f, ms, ...a) => wait(f, ms >= 20e3 ? ms / 20 : ms, ...a) }"

// lineServer serves the page and a room that answers each frame but the hello by answer.
func lineServer(t *testing.T, answer func(shared.Message) []byte) string {
	t.Helper()
	page := web.New("", problem)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/ws/") {
			page.ServeHTTP(w, r)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{shared.Protocol}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			_, data, err := c.Read(r.Context())
			if err != nil {
				return
			}
			m, err := shared.Decode(data)
			if err != nil {
				return
			}
			out := answer(m)
			if m.Type == shared.TypeHello {
				out = shared.Encode(shared.Message{Type: shared.TypeWelcome, Room: "Lobby", User: m.User, Epoch: "e", Members: []string{m.User}, Count: 1})
			}
			if out != nil && c.Write(r.Context(), websocket.MessageText, out) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestDeadLine has a line that takes everything and brings nothing: who only
// reads finds out.
func TestDeadLine(t *testing.T) {
	t.Parallel()
	var pings atomic.Int32
	address := lineServer(t, func(m shared.Message) []byte {
		if m.Type == shared.TypePing {
			pings.Add(1)
		}
		return nil
	})
	p := newPerson(t)
	p.mayComplain = true
	p.before(hurry)
	p.enter(address, "Lobby")
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent === 'The server does not answer.'")
	if pings.Load() == 0 {
		t.Error("the page gave up without asking")
	}
}

// A quiet line that answers stays.
func TestQuietLine(t *testing.T) {
	t.Parallel()
	var pings, hellos atomic.Int32
	address := lineServer(t, func(m shared.Message) []byte {
		switch m.Type {
		case shared.TypeHello:
			hellos.Add(1)
		case shared.TypePing:
			pings.Add(1)
			return shared.Encode(shared.Message{Type: shared.TypePong})
		}
		return nil
	})
	p := newPerson(t)
	p.mayComplain = true
	p.before(hurry + "; { const wait = setTimeout; window.setTimeout = (f, ms, ...a) => wait(f, ms === 5e3 ? 19e3 : ms, ...a) }") // a busy machine takes its time for a pong
	p.enter(address, "Lobby")
	for pings.Load() < 3 {
		p.wait("document.querySelector('#banner').hidden")
	}
	if n := hellos.Load(); n != 1 {
		t.Errorf("the page connected %d times", n)
	}
}

// TestWrongName opens the page under a name that the server does not know. It is
// no dead page: it says which flag helps, and leads on once the flag is there.
func TestWrongName(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true
	p.look(320, 568, "light")
	site := "http://parley.lan" + s.Addr()[strings.Index(s.Addr(), ":"):]
	for _, path := range []string{"/", "/chat/", "/chat/Lobby/"} {
		p.open(site + path)
		p.wait("document.querySelector('h1').textContent === 'The server does not answer to this name'")
		p.wait("document.querySelector('code').textContent === '--allow-host parley.lan'")
		p.wait("document.documentElement.scrollWidth <= innerWidth && document.querySelector('a.button').getBoundingClientRect().bottom <= innerHeight")
		p.wait("document.styleSheets.length > 1 && document.querySelector('img').naturalWidth > 0") // which are not refused
	}
	for _, scheme := range []string{"light", "dark"} {
		p.look(320, 568, scheme)
		p.examine("page-wrong-name-" + scheme)
	}
	s.Stop()
	s.start("--allow-host", eval[string](p, "document.querySelector('code').textContent.split(' ')[1]"))
	eval[any](p, "document.querySelector('a.button').click()")
	p.waitConnected()
	p.say("hello")
	p.waitFor("hello")
}

// A page whose script does not start says so by itself.
func TestNoScript(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, network.SetBlockedURLs, network.SetBlockedURLsParams{
			URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/static/main.js", Block: true}}})
		return err
	}))
	p.open(s.url() + "/chat/Lobby/")
	p.wait("getComputedStyle(document.querySelector('#help')).visibility === 'visible' && document.querySelector('#help').innerText.includes('JavaScript')")
}

// A socket that is refused is told in its own sentence.
func TestRefusedSocket(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--max-per-address", "8")
	for i := range 8 {
		dial(t, s, "hall", fmt.Sprintf("Ann %d", i))
	}
	p := newPerson(t)
	p.mayComplain = true
	p.open(s.url() + "/chat/Lobby/")
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.startsWith('Too many connections come from this device.')")
}

// So is a room that is full.
func TestFullRoom(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--max-members", "1")
	dial(t, s, "Lobby", "Ann")
	p := newPerson(t)
	p.mayComplain = true
	p.open(s.url() + "/chat/Lobby/")
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.startsWith('The room is full.')")
}

// Behind a proxy that changes Host, the page says what the proxy must do.
func TestChangedHost(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	target, err := url.Parse(s.url())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	t.Cleanup(proxy.Close)
	p := newPerson(t)
	p.mayComplain = true
	p.open(proxy.URL + "/chat/Lobby/")
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.includes('must pass on the Host')")
}

// Offline is who is offline, and nobody else.
func TestOffline(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true
	p.enter(s.url(), "Lobby")
	says := func(text string) {
		t.Helper()
		p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.startsWith(" + quote(text) + ")")
	}
	s.Stop()
	says("The server can't be reached.")
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true})
		return err
	}))
	eval[any](p, "document.querySelector('#again').click()")
	says("This device is offline.")
}

// An address that leads nowhere is a page with a way back, in its reader's language.
func TestNowhere(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true
	for _, path := range []string{"/nowhere", "/chat/a%2Fb/", "/chat/%20/", "/chat/a/b/c"} {
		p.open(s.url() + path)
		p.wait("document.contentType === 'text/html' && document.querySelector('h1').textContent === 'Nothing here'")
		eval[any](p, "document.querySelector('a').click()")
		p.wait("location.pathname === '/chat/' && document.querySelector('#list').offsetParent")
	}
	h := web.New("", problem)
	for accept, want := range map[string]string{"text/html": "Raum", "*/*": "slash"} {
		res := get(t, h, "GET", "/chat/a%2Fb/", "Accept", accept, "Accept-Language", "de")
		body := make([]byte, 4000)
		n, _ := res.Body.Read(body)
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body[:n]), want) {
			t.Errorf("for %s: %s", accept, fmt.Sprint(res.StatusCode, string(body[:n])))
		}
	}
}
