package web_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/shared"
)

// TestLinkVectors has the page read the links that the server and the app read.
func TestLinkVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/testdata/links/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	links := make([]string, len(files))
	for i, f := range files {
		data, err := os.ReadFile(f)
		var v struct{ Link string }
		if err == nil {
			err = json.Unmarshal(data, &v)
		}
		if err != nil {
			t.Fatal(err)
		}
		links[i] = v.Link
	}
	p := newPerson(t)
	p.open(staticServer(t) + "/")
	list, _ := json.Marshal(links)
	results := eval[[]struct {
		shared.Link
		Error string
	}](p, `import('/static/link.js').then(({readLink}) => `+string(list)+`.map(link => readLink(link)))`)
	for i, f := range files {
		name, got := filepath.Base(f), results[i]
		if strings.HasPrefix(name, "fail_") {
			if got.Error == "" || !strings.HasPrefix(name, "fail_"+got.Error+"_") {
				t.Errorf("%s: the page says %+v", name, got)
			}
			continue
		}
		if want, err := shared.ParseLink(links[i]); err != nil || got.Error != "" || got.Link != want {
			t.Errorf("%s: the page reads it as %+v, want %+v, %v", name, got, want, err)
		}
	}
}

// visited are the addresses of a tab's history.
func (p *page) visited() (all string) {
	p.t.Helper()
	history, err := chromedp.Run(p.ctx, chromedp.NavigationEntries())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range history.Entries {
		all += e.URL + "\n"
	}
	return all
}

// TestRoomLink has a newcomer follow a locked room's link and talk, and then come
// by it again. The passphrase is in nothing that a browser sends or keeps of it.
func TestRoomLink(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	wire := record(t, s.Addr())
	ann := dialKey(t, s, "部屋 7", "Ann", "correct horse & 合言葉")
	ann.send("a secret")
	link := "http://" + wire.addr + "/r/" + url.PathEscape("部屋 7") + "#k=" + strings.ReplaceAll(url.QueryEscape("correct horse & 合言葉"), "+", "%20")

	bob := newPerson(t)
	bob.look(412, 860, "light")
	bob.open(link)
	bob.wait("document.activeElement.id === 'name-input' && document.querySelector('#landing-server').textContent === '部屋 7'")
	bob.wait("!document.querySelector('#help') && !location.href.includes('#')")
	bob.picture("page-link")
	bob.keys("Bob\r") // the one text, and the one tap
	bob.waitFor("a secret")
	bob.wait("location.pathname === " + quote("/chat/"+url.PathEscape("部屋 7")+"/") + " && document.activeElement.id === 'chat-message-input'")
	bob.say("hello")
	ann.await(func(m shared.Message) bool { return m.Text == "hello" })

	// A name that is known goes straight in.
	again := bob.newTab()
	again.open(link)
	again.waitFor("hello")
	again.wait("location.pathname.startsWith('/chat/')")

	for what, text := range map[string]string{"the wire": wire.text(), "the log": s.Output.String(), "the history": bob.visited() + again.visited(), "the address": eval[string](again, "location.href + document.referrer")} {
		for _, secret := range []string{"horse", url.QueryEscape("合言葉"), "合言葉"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the passphrase", what)
			}
		}
	}
	if !strings.Contains(wire.text(), "GET /r/"+url.PathEscape("部屋 7")+" HTTP/1.1\r\n") || !strings.Contains(bob.visited(), "/chat/") {
		t.Errorf("nothing was recorded: %.300s, %s", wire.text(), bob.visited())
	}
}

// TestRoomLinkWithAnotherKey has links whose passphrase is wrong, damaged, or in
// the query: the room asks, once, and a passphrase that has worked stays.
func TestRoomLinkWithAnotherKey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dialKey(t, s, "Attic", "Ann", "correct horse").send("a secret")
	p := newPerson(t)
	p.open(s.url() + "/r/Attic#k=wrong%20horse")
	p.wait("document.activeElement.id === 'name-input'")
	p.keys("Bob\r")
	p.wait("document.querySelector('#status-door')?.textContent === 'The room has a passphrase, and this is not it.' && document.activeElement.id === 'key'")
	p.wait("!localStorage.getItem('parley/key/attic')")
	for fragment, says := range map[string]string{
		"#k=correct%20hors%":        "The passphrase in this link is damaged.",
		"#k=short":                  "The passphrase in this link is damaged.",
		"?k=correct%20horse":        "The passphrase in this link could be read on the way",
		"?k=correct%20horse#fp=abc": "The passphrase in this link is damaged.",
	} {
		p.open(s.url() + "/r/Attic" + fragment)
		p.wait("document.querySelector('#landing-note').textContent.startsWith(" + quote(says) + ") && location.href.endsWith('/r/Attic')")
	}
	p.keys("\r")
	p.wait("document.querySelector('#status-door')?.textContent === 'The room has a passphrase.' && document.activeElement.id === 'key'")
	p.open(s.url() + "/r/Attic#k=correct%20horse")
	p.waitFor("a secret")
	p.open(s.url() + "/r/Attic#k=wrong%20horse")
	p.waitFor("a secret")
	p.waitConnected()
}

// TestRoomLinkWithoutStorage follows a link in a browser that keeps nothing.
func TestRoomLinkWithoutStorage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dialKey(t, s, "Attic", "Ann", "correct horse").send("a secret")
	p := newPerson(t)
	p.before("for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw new DOMException('blocked', 'SecurityError') }})")
	p.open(s.url() + "/r/Attic#k=correct%20horse")
	p.wait("document.querySelector('#landing-note').textContent.startsWith('This browser keeps nothing')")
	p.keys("Bob\r")
	p.waitFor("a secret")
}

// opened returns what Android gives to the app that a link of the scheme intent opens, as
// its Intent.parseUri reads it, and the extras.
func opened(t *testing.T, intent string) (data string, extras url.Values) {
	t.Helper()
	rest, isIntent := strings.CutPrefix(intent, "intent:")
	i := strings.LastIndex(rest, "#")
	body, ends := strings.CutSuffix(rest[max(i, 0):], ";end")
	body, begins := strings.CutPrefix(body, "#Intent;")
	if !isIntent || !ends || !begins {
		t.Fatalf("this is no intent: %s", intent)
	}
	extras = url.Values{}
	for part := range strings.SplitSeq(body, ";") {
		name, value, _ := strings.Cut(part, "=")
		value, err := url.PathUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		extras.Add(name, value)
	}
	return extras.Get("scheme") + ":" + rest[:i], extras
}

// The page of a room's link offers the app to Android's browsers, with all that the link
// has, and to no others. Without the app, they come to where it is.
func TestOpenInTheApp(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	link := s.url() + "/r/" + url.PathEscape("部屋 7; #1") + "#k=" + url.PathEscape("correct; horse#合言葉")
	desktop := newPerson(t)
	desktop.open(link)
	desktop.wait("document.activeElement.id === 'name-input' && !location.href.includes('#')")
	if eval[bool](desktop, "!!document.querySelector('#landing a')") {
		t.Error("a desktop is offered the app")
	}

	p := newPerson(t)
	p.before("Object.defineProperty(navigator, 'userAgent', {value: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile Safari/537.36'})")
	for _, view := range []struct {
		width  int64
		scheme string
	}{{412, "light"}, {320, "dark"}} {
		p.look(view.width, 700, view.scheme)
		p.open("about:blank")
		p.open(link)
		p.wait("document.querySelector('#landing a')?.textContent === 'Open in the app' && !location.href.includes('#')")
		p.picture("page-app-" + view.scheme)
		if wide := p.wider(); len(wide) > 0 {
			t.Errorf("at %d: wider than the window: %q", view.width, wide)
		}
	}
	data, extras := opened(t, eval[string](p, "document.querySelector('#landing a').href"))
	got, err := shared.ParseLink(data)
	if want, _ := shared.ParseLink(link); err != nil || got != want || !strings.HasPrefix(data, "parley://") {
		t.Errorf("the app gets %s: %+v, %v", data, got, err)
	}
	if extras.Get("package") != "org.parley.chat" || extras.Get("S.browser_fallback_url") != s.url()+"/app" {
		t.Errorf("the intent has %v", extras)
	}
}

// Whatever a link of a room has, the app gets it.
func TestAppLinks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/testdata/links/good_*.json")
	if err != nil {
		t.Fatal(err)
	}
	var links []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		var v struct{ Link, Room string }
		if err == nil {
			err = json.Unmarshal(data, &v)
		}
		if err != nil {
			t.Fatal(err)
		}
		if v.Room != "" {
			links = append(links, v.Link)
		}
	}
	p := newPerson(t)
	p.open(staticServer(t) + "/")
	list, _ := json.Marshal(links)
	intents := eval[[]string](p, `Promise.all(['link', 'follow'].map(name => import('/static/' + name + '.js'))).then(([{readLink}, {appLink}]) => `+string(list)+`.map(link => appLink(readLink(link), 'http://h/')))`)
	for i, link := range links {
		data, _ := opened(t, intents[i])
		want, _ := shared.ParseLink(link)
		if got, err := shared.ParseLink(data); err != nil || got.TLS != want.TLS || got.Path != want.Path || got.Room != want.Room ||
			got.Key != want.Key || got.Words != want.Words || got.HostKey != want.HostKey || strings.TrimSuffix(strings.TrimSuffix(got.Host, ":443"), ":80") != strings.TrimSuffix(want.Host, ":443") {
			t.Errorf("%s opens the app with %s: %+v, %v", link, data, got, err)
		}
	}
	if len(links) < 20 {
		t.Errorf("only %d links lead to rooms", len(links))
	}
}
