package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// site is a name with several programs below it: those that are passed on to, each
// below a path, and one that has all else.
type site struct {
	*httptest.Server
	mu        sync.Mutex
	elsewhere []string // what was asked of the other program
}

// newSite passes each base path on to a server. If strips, it takes the path away.
func newSite(t *testing.T, strips bool, servers map[string]*server) *site {
	t.Helper()
	s := &site{}
	mux := http.NewServeMux()
	for base, server := range servers {
		target, err := url.Parse(server.url())
		if err != nil {
			t.Fatal(err)
		}
		var passOn http.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		}}
		if strips {
			passOn = http.StripPrefix(base, passOn)
		}
		mux.Handle(base+"/", passOn)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.elsewhere = append(s.elsewhere, r.URL.Path)
		http.NotFound(w, r)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestBasePath walks through the page below a path: behind a proxy that passes the
// path on, behind one that takes it away, and without a proxy.
func TestBasePath(t *testing.T) {
	t.Parallel()
	for name, strips := range map[string]bool{"passed on": false, "taken away": true} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, "--base-path", "/parley")
			proxy := newSite(t, strips, map[string]*server{"/parley": s})
			walkBelow(t, s, proxy.URL)
			for _, path := range proxy.elsewhere {
				t.Errorf("the page asks for %s", path)
			}
		})
	}
	t.Run("no proxy", func(t *testing.T) {
		s := startServer(t, "--base-path", "/parley")
		walkBelow(t, s, s.url())
	})
}

func walkBelow(t *testing.T, s *server, site string) {
	bob := dial(t, s, "chat", "Bob")
	ann := newPerson(t)
	ann.mayComplain = true // of the name that can't be
	at := func(path string) {
		t.Helper()
		ann.wait("location.pathname === " + quote("/parley"+path))
	}
	ann.open(site + "/parley/")
	ann.wait("document.activeElement.id === 'name-input'")
	ann.keys("Ann\r")
	at("/chat/")
	ann.wait("document.querySelector('#others a')?.pathname === '/parley/chat/chat/'")
	eval[any](ann, "document.querySelector('#others a').click()") // a room called chat
	at("/chat/chat/")
	ann.waitConnected()
	bob.send("hello Ann")
	ann.waitFor("hello Ann")
	ann.say("hello Bob")
	ann.wait("!document.querySelector('#pending').firstChild")
	ann.do(chromedp.Reload())
	ann.waitFor("hello Bob")
	ann.wait("document.querySelector('#icon').href.endsWith('/parley/static/icon.svg') && document.querySelector('#more')")
	eval[any](ann, "document.querySelector('#back').click()")
	at("/chat/")
	ann.wait("document.querySelector('#own a')?.pathname === '/parley/chat/chat/'")
	ann.open(site + "/parley/r/Book%20Club")
	at("/chat/Book%20Club/")
	ann.waitConnected()
	ann.open(site + "/parley/chat/?room=Team+Pizza")
	at("/chat/Team%20Pizza/")
	ann.waitConnected()
	ann.open(site + "/parley/chat/a%2Fb/")
	ann.wait("document.querySelector('h1').textContent === 'Nothing here'")
	eval[any](ann, "document.querySelector('a').click()")
	at("/chat/")
	ann.wait("!document.querySelector('#lock').hidden")
	eval[any](ann, "document.querySelector('#settings').click()")
	ann.wait("document.querySelector('#leave-device')")
	eval[any](ann, "document.querySelector('#leave-device').click()")
	at("/")
	if kept := eval[[]string](ann, "Object.keys(localStorage).filter(k => /room|out/.test(k))"); len(kept) > 0 {
		t.Errorf("after leaving the device it keeps %q", kept)
	}
}

// Two servers below one name share a browser's storage, and nothing that is in it.
func TestTwoServersBelowOneName(t *testing.T) {
	t.Parallel()
	one, two := startServer(t, "--base-path", "/one"), startServer(t, "--base-path", "/two")
	s := newSite(t, false, map[string]*server{"/one": one, "/two": two})
	p := newPerson(t)
	p.enter(s.URL+"/one", "hall")
	p.say("for the first")
	p.waitFor("for the first")
	p.wait("!document.querySelector('#pending').firstChild")
	one.Stop()
	p.say("for the first, later")
	p.wait("document.querySelector('.waiting')")

	p.enter(s.URL+"/two", "hall")
	p.say("for the second")
	p.waitFor("for the second")
	if got := p.transcript(); strings.Contains(got, "for the first") {
		t.Errorf("the second server's room shows %s", got)
	}
	p.mayComplain = true
	one.start("--base-path", "/one")
	p.enter(s.URL+"/one", "hall")
	p.waitFor("for the first, later")
	p.wait("!document.querySelector('#pending').firstChild")
	if got := two.logged("hall"); len(got) != 1 || got[0] != "for the second" {
		t.Errorf("the second server has %q", got)
	}
	if got := one.logged("hall"); len(got) != 2 {
		t.Errorf("the first server has %q", got)
	}
}
