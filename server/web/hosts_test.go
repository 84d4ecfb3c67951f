package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/shared"
)

// openAsHost opens a new room from the list, as its host.
func (p *page) openAsHost(s *server, room, key string) {
	p.t.Helper()
	p.open(s.url() + "/chat/")
	p.wait("!document.querySelector('#lock').hidden")
	eval[any](p, `document.querySelector('#lock').click(); document.querySelector('#hosting').click();
		document.querySelector('#room-name-input').value = `+quote(room)+`; document.querySelector('#lock-key').value = `+quote(key)+`;
		document.querySelector('#room-name-submit').click()`)
	p.wait("location.pathname.startsWith('/chat/') && location.pathname !== '/chat/'")
	p.waitConnected()
}

// named opens a page of a person with a name.
func named(t *testing.T, s *server, name string) *page {
	t.Helper()
	p := newPerson(t)
	p.open(s.url() + "/static/icon.svg")
	p.setName(name)
	return p
}

// notices are the centred lines that a page shows.
func notices(p *page) []string {
	p.t.Helper()
	return eval[[]string](p, "[...document.querySelectorAll('#chat-log .notice')].map(e => e.textContent)")
}

func (p *page) waitNotice(text string) {
	p.t.Helper()
	p.wait("[...document.querySelectorAll('#chat-log .notice')].some(e => e.textContent === " + quote(text) + ")")
}

func (p *page) waitBanner(text string) {
	p.t.Helper()
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent === " + quote(text))
}

// openHost opens the host's sheet.
func (p *page) openHost() {
	p.t.Helper()
	p.openPeople()
	eval[any](p, "document.querySelector('#host-open').click()")
	p.wait("document.querySelector('#host-quiet')")
}

func (p *page) closeSheet() {
	p.t.Helper()
	p.keys("\x1b")
	p.wait("!document.querySelector('.sheet')")
}

const (
	writes  = "!document.querySelector('#composer').hidden"
	isQuiet = "document.querySelector('#composer').hidden && document.querySelector('#quiet').textContent === 'Only hosts write here now.'"
)

// TestClass has one pupil of three post ten messages and leave. All of them go by way
// of one, and he does not come back as somebody else; the two at his address stay.
func TestClass(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := named(t, s, "Ann")
	ann.openAsHost(s, "Class", "")
	ann.waitNotice("Ann hosts this room")
	pupils := map[string]*page{}
	for _, name := range []string{"Bob", "Cleo", "Dan"} {
		p := named(t, s, name)
		p.enter(s.url(), "Class")
		pupils[name] = p
	}
	bob, cleo, dan := pupils["Bob"], pupils["Cleo"], pupils["Dan"]
	cleo.say("I do the reading")
	for i := range 10 {
		bob.say(fmt.Sprintf("nonsense %d", i))
	}
	ann.waitFor("nonsense 9")
	tab := bob.newTab()
	bob.open("about:blank")

	ann.menu("nonsense 3")
	ann.choose("Bob …")
	ann.choose("Delete everything from Bob")
	ann.wait("document.querySelector('#menu').innerText.includes(\"It can't be undone\")")
	ann.choose("Delete everything from Bob")
	for _, p := range []*page{ann, cleo, dan} {
		p.waitNotice("Ann deleted everything from Bob")
		p.waitNotice("10 messages deleted")
		if got := p.transcript(); strings.Contains(got, "nonsense") || !strings.Contains(got, "reading") {
			t.Errorf("the page still shows %q", got)
		}
	}
	if got := s.logged("Class"); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "nonsense") }) {
		t.Errorf("the log has %q", got)
	}
	eval[any](ann, "document.querySelector('#chat-log .row:not(.mine)')")
	ann.openHost()
	ann.closeSheet()
	bob.enter(s.url(), "Class")
	bob.say("I am back")
	ann.menu("I am back")
	ann.choose("Bob …")
	ann.choose("Remove from the room")
	ann.choose("Remove from the room")
	bob.waitBanner("Ann has removed you from this room.")

	const beside = "Somebody was removed from this room. For 10 minutes, nobody new comes in from the same address."
	tab.open(s.url() + "/chat/Class/")
	tab.waitBanner("Ann has removed you from this room.")
	tab.setName("Robert")
	tab.open(s.url() + "/chat/Class/")
	tab.waitBanner("Ann has removed you from this room.")
	for _, name := range []string{"", "Bob", "Bobby"} {
		again := newPerson(t)
		if name != "" {
			again = named(t, s, name)
		}
		again.open(s.url() + "/chat/Class/")
		again.waitBanner(beside)
	}
	tutorial := newPerson(t)
	tutorial.open(s.url() + "/static/icon.svg")
	if how := eval[string](tutorial, `new Promise(done => {
		const socket = new WebSocket('ws://' + location.host + '/ws/chat/Class/');
		socket.onopen = () => done('in');
		socket.onerror = () => done('out');
	})`); how != "out" {
		t.Error("the tutorial's page comes in")
	}
	for _, p := range []*page{cleo, dan} {
		p.enter(s.url(), "Class")
		p.say("still here")
	}
	ann.wait("document.querySelector('#count').textContent === '3 people here'")

	// A host lets him in again.
	ann.openHost()
	ann.wait("document.querySelector('#host-barred').innerText.includes('removed by Ann')")
	ann.choose("Let in again")
	ann.wait("!document.querySelector('#host-barred li')")
	ann.closeSheet()
	eval[any](bob, "document.querySelector('#again').click()")
	bob.waitConnected()
	bob.waitNotice("Ann let Bob in again")
}

// host has a member do something as a host.
func (c *client) host(m shared.Message) shared.Message {
	c.t.Helper()
	m.Type = shared.TypeHost
	return c.put(m)
}

// lead fills a room with what hosts do, and returns its host, who has gone when a page
// takes their device.
func lead(t *testing.T, s *server, room string) (ada, bob *client) {
	t.Helper()
	ada = greet(t, s, room, shared.Message{User: "Ada Lovelace", Host: true})
	grace, chidi := dial(t, s, room, "Grace Hopper"), dial(t, s, room, "Chidi")
	bob = dial(t, s, room, "Bob")
	noa := dial(t, s, room, "נועה כהן")
	plan := ada.say("Page 112 and 113 until Friday; whoever has a question writes it here before nine in the evening")
	grace.say("Which exercises?")
	ada.host(shared.Message{Do: shared.DoPin, Target: plan.Offset, Of: plan.ID})
	for i := range 4 {
		chidi.say(fmt.Sprintf("nonsense %d", i))
	}
	ada.host(shared.Message{Do: shared.DoDeleteAll, User: "Chidi"})
	ada.host(shared.Message{Do: shared.DoSilence, User: "Chidi"})
	noa.say("אפשר לעבוד בזוגות?")
	noa.say("nothing of value")
	ada.host(shared.Message{Do: shared.DoSilence, User: "נועה כהן"})
	ada.host(shared.Message{Do: shared.DoRemove, User: "Chidi"})
	ada.host(shared.Message{Do: shared.DoHost, User: "Grace Hopper"})
	bob.say("The ones with a star, I think")
	return ada, bob
}

// TestHostStates looks at what a host and the others come to see.
func TestHostStates(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	lead(t, s, "Class 4b")
	silent, _ := lead(t, s, "Silent")
	silent.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown}})
	slow, _ := lead(t, s, "Slow")
	slow.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(int)}})
	seconds := 300
	slow.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Slow: &seconds, Files: shared.WhoNone}})
	type view struct {
		name          string
		width, height int64
		media         map[string]string
		lang          string
		double        bool
	}
	views := []view{
		{name: "", width: 390, height: 844},
		{name: "-desktop-dark", width: 1280, height: 840, media: dark},
		{name: "-320", width: 320, height: 640, lang: "de", media: dark},
		{name: "-double", width: 360, height: 740, double: true},
		{name: "-forced", width: 390, height: 844, media: map[string]string{"forced-colors": "active"}},
	}
	show := func(name, who, room string, prepare func(p *page)) {
		for _, v := range views {
			t.Run(name+v.name, func(t *testing.T) {
				p := newPerson(t)
				p.do(chromedp.EmulateViewport(v.width, v.height))
				p.emulate(v.media)
				if v.double {
					p.fonts(32)
				}
				p.open(s.url() + "/static/icon.svg")
				p.setName(who)
				eval[any](p, "localStorage.setItem('parley/device', '"+quote(deviceOf(who))+"')")
				if v.lang != "" {
					eval[any](p, "localStorage.setItem('parley/lang', "+quote(quote(v.lang))+")")
				}
				p.open(s.url() + "/chat/" + room + "/")
				p.waitFor("with a star")
				p.wait("!document.querySelector('#pinned').hidden")
				prepare(p)
				p.examine("page-host-" + name + v.name)
			})
		}
	}
	menu := func(p *page) { p.menu("with a star") }
	person := func(p *page) {
		menu(p)
		p.choose("Bob …")
		p.wait("document.querySelector('#menu-title').textContent === 'Bob'")
	}
	show("notices", "Bob", "Class%204b", func(p *page) {
		p.wait("document.querySelectorAll('.notice').length > 4 && document.querySelector('.notice').textContent")
	})
	show("menu", "Ada Lovelace", "Class%204b", menu)
	show("person", "Ada Lovelace", "Class%204b", person)
	show("sure", "Ada Lovelace", "Class%204b", func(p *page) {
		person(p)
		eval[any](p, "[...document.querySelectorAll('#menu .danger')].pop().click()")
		p.wait("document.querySelector('#menu .danger-button')")
	})
	show("sheet", "Ada Lovelace", "Class%204b", func(p *page) {
		p.openHost()
		p.wait("document.querySelectorAll('#host-barred li').length === 3")
	})
	show("barred", "Ada Lovelace", "Class%204b", func(p *page) {
		p.openHost()
		p.wait("document.querySelectorAll('#host-barred li').length === 3")
		eval[any](p, "document.querySelector('#host-barred').scrollIntoView({block: 'end'})")
	})
	show("people", "Ada Lovelace", "Class%204b", func(p *page) { p.openPeople() })
	show("quiet", "Bob", "Silent", func(p *page) { p.wait("document.querySelector('#composer').hidden") })
	show("slow", "Bob", "Slow", func(p *page) { p.wait("document.querySelector('#quiet').textContent") })
}
