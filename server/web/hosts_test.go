package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/shared"
	"parley/shared/lang"
	"parley/shared/servertest"
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
	bob.enter(s.url(), "Class")
	bob.say("I am back")
	ann.menu("I am back")
	ann.choose("Bob …")
	ann.choose("Remove from the room")
	ann.choose("Remove from the room")
	bob.waitBanner("Ann has removed you from this room.")
	bob.wait("document.querySelector('#composer').hidden && document.querySelector('#quiet').textContent === 'You were removed from the room.'")

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
	bob.wait(writes)
}

// TestOpenAsHost opens rooms as their host, with a passphrase and without. Whoever opens
// one that is there already is told why they are no host, and goes in.
func TestOpenAsHost(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := named(t, s, "Ann")
	ann.openAsHost(s, "Attic", "correct horse")
	ann.waitNotice("Ann hosts this room")
	ann.openPeople()
	ann.wait("document.querySelector('#host-open')")
	ann.closeSheet()
	ann.enter(s.url(), "Attic") // once more, without asking again
	ann.waitNotice("Ann hosts this room")
	ann.wait("document.querySelectorAll('#chat-log .notice').length === 1")
	if kept := eval[string](ann, "localStorage.getItem('parley/key/attic')"); kept != `{"key":"correct horse"}` {
		t.Errorf("the browser keeps %s", kept)
	}

	dial(t, s, "hall", "Cleo").say("good morning")
	bob := named(t, s, "Bob")
	bob.open(s.url() + "/chat/")
	bob.wait("!document.querySelector('#lock').hidden")
	eval[any](bob, "document.querySelector('#hosting').checked = true")
	bob.lockRoom("Cellar", "", true) // which only a passphrase hides
	bob.wait("document.querySelector('#error').textContent && document.activeElement.id === 'lock-key' && location.pathname === '/chat/'")
	bob.openAsHost(s, "hall", "")
	bob.waitFor("good morning")
	bob.wait("document.querySelector('#note').textContent === 'The room was open already, so you are not its host.'")
	bob.say("good morning, too")
	bob.waitFor("Bob: good morning, too")
	bob.openPeople()
	if eval[bool](bob, "!!document.querySelector('#host-open') || 'parley/key/hall' in localStorage") {
		t.Error("the page takes its person for a host")
	}
	bob.closeSheet()
	// He is in the room that he asks for once more: he stays in it.
	bob.look(1280, 800, "light")
	bob.enter(s.url(), "hall")
	bob.wait("!document.querySelector('#lock').hidden")
	eval[any](bob, `document.querySelector('#lock').click(); document.querySelector('#hosting').click();
		document.querySelector('#room-name-input').value = 'Hall'; document.querySelector('#room-name-submit').click()`)
	bob.wait("document.querySelector('#note').textContent === 'The room was open already, so you are not its host.'")
}

// TestHostLink follows the link of the server's operator, whose key is nowhere then. A
// key of another server says so, and the way in is open without it.
func TestHostLink(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	wire := record(t, s.Addr())
	cleo := dial(t, s, "Hall 7", "Cleo")
	cleo.say("good morning")
	key, err := os.ReadFile(filepath.Join(s.Data, "host.key"))
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(key))
	link := func(key string) string { return "http://" + wire.addr + "/r/Hall%207#host=" + key }
	ann := newPerson(t)
	ann.before("{ const {send} = WebSocket.prototype; window.sent = []; WebSocket.prototype.send = function (frame) { sent.push(frame); return send.call(this, frame); }; }")
	ann.open(link(secret))
	ann.wait("document.activeElement.id === 'name-input' && !location.href.includes('#')")
	ann.keys("Ann\r")
	ann.waitNotice("Ann hosts this room")
	ann.mayComplain = true // the line is cut
	s.Stop()               // whoever is a host needs the key no more
	ann.wait("!document.querySelector('#banner').hidden")
	s.start()
	eval[any](ann, "document.querySelector('#again').click()")
	ann.waitConnected()
	if got := eval[[]bool](ann, "sent.filter(frame => frame.includes('\"hello\"')).map(frame => frame.includes('host_key'))"); !got[0] || got[len(got)-1] || len(got) < 2 {
		t.Errorf("of the hellos, these have the key: %v", got)
	}
	// In a page that is in the room already, too.
	bob := named(t, s, "Bob")
	bob.enter("http://"+wire.addr, "Hall%207")
	bob.setName("Bob")
	bob.enter("http://"+wire.addr, "Hall%207")
	eval[any](bob, "window.stays = true; const a = document.body.appendChild(document.createElement('a')); a.href = "+quote(link(secret))+"; a.click()")
	bob.waitNotice("Bob hosts this room")
	for _, p := range []*page{ann, bob} {
		p.openPeople()
		p.wait("document.querySelector('#host-open')")
		p.closeSheet()
		p.enter("http://"+wire.addr, "Hall%207")
		p.openPeople()
		p.wait("document.querySelector('#host-open')")
		p.closeSheet()
		kept := eval[string](p, "JSON.stringify([{...localStorage}, {...sessionStorage}]) + location.href + document.referrer")
		if strings.Contains(kept+p.visited()+s.Output.String(), secret) {
			t.Error("the operator's key is kept")
		}
	}
	if strings.Count(wire.text(), secret) > 2 || strings.Contains(wire.text(), "GET /r/Hall%207?") {
		t.Error("the key is sent more than once")
	}

	dan := named(t, s, "Dan")
	dan.open(strings.Replace(link("AAAAAAAAAAAAAAAAAAAAAAAAAA"), wire.addr, s.Addr(), 1))
	dan.waitBanner("The link's key is not that of this server's operator. Go in without it, or ask for a new link.")
	if label := eval[string](dan, "document.querySelector('#again').textContent"); label != "Go in without it" {
		t.Errorf("the way in is called %q", label)
	}
	eval[any](dan, "document.querySelector('#again').click()")
	dan.waitConnected()
	dan.waitFor("good morning")
}

// TestQuiet makes a room quiet by one tap. What somebody is writing then stays, what
// arrives later fails with the reason, and all is back after one more tap.
func TestQuiet(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, bob := named(t, s, "Ann"), named(t, s, "Bob")
	ann.openAsHost(s, "Class", "")
	bob.enter(s.url(), "Class")
	bob.say("first")
	ann.waitFor("first")
	bob.keys("a thought that")
	eval[any](bob, "(input => { input.value += '\\nhas\\nthree lines'; input.dispatchEvent(new Event('input')) })(document.querySelector('#chat-message-input'))")

	ann.tabTo("#open", true)
	ann.keys("\r")
	ann.wait("document.activeElement.matches('#people .close')")
	ann.tabTo("#host-open", false)
	ann.keys("\r")
	ann.wait("document.activeElement.matches('#host .close')")
	ann.tabTo("#host-quiet", false)
	ann.keys(" ")
	bob.wait(isQuiet)
	bob.waitNotice("Ann: only hosts write, only those who were here before come in")
	ann.wait("document.querySelector('#host-quiet').getAttribute('aria-pressed') === 'true' && document.querySelector('#host-write').value === 'hosts'")
	bob.menu("first")
	if labels := eval[string](bob, "document.querySelector('#menu').innerText"); strings.Contains(labels, "Reply") || strings.Contains(labels, "Edit") || !strings.Contains(labels, "Copy") {
		t.Errorf("while the room is quiet, the menu offers %q", labels)
	}
	bob.closeSheet()
	bob.open(s.url() + "/chat/Class/") // a reload keeps the draft, and the door lets him in
	bob.wait(isQuiet)
	bob.waitConnected()
	stranger := named(t, s, "Eve")
	stranger.open(s.url() + "/chat/Class/")
	stranger.waitBanner("Ann lets in only those who have been in this room before.")

	ann.choose("Quiet")
	bob.wait(writes + " && document.querySelector('#chat-message-input').value === 'a thought that\\nhas\\nthree lines'")
	ann.wait("document.querySelector('#host-door').value === 'open' && document.querySelector('#host-write').value === 'all'")
	bob.wait("document.querySelector('#chat-message-input').offsetHeight > 70")
	bob.keys("Z") // the focus is back, too
	bob.wait("document.querySelector('#chat-message-input').value.includes('Z')")

	// Quiet takes back what it changed, and nothing else.
	eval[any](ann, "document.querySelector('#host-door').value = 'closed'; document.querySelector('#host-door').dispatchEvent(new Event('change'))")
	bob.waitNotice("Ann: nobody else comes in")
	ann.waitNotice("Ann: nobody else comes in") // or her page would take back something else
	ann.choose("Quiet")
	bob.wait(isQuiet)
	ann.wait("document.querySelector('#host-quiet').getAttribute('aria-pressed') === 'true'")
	ann.choose("Quiet")
	bob.wait(writes)
	ann.wait("document.querySelector('#host-door').value === 'closed' && document.querySelector('#host-quiet').getAttribute('aria-pressed') === 'false'")

}

// TestLateForQuiet writes while the server is away, and arrives when only hosts write:
// the message failed, with the reason, and goes out once when it may.
func TestLateForQuiet(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	greet(t, s, "Class", shared.Message{User: "Ann", Host: true})
	bob := named(t, s, "Bob")
	bob.enter(s.url(), "Class")
	s.Stop()
	bob.wait("!document.querySelector('#banner').hidden")
	bob.say("what I still wanted to say")
	bob.wait("document.querySelector('.waiting')")
	bob.open("about:blank")
	s.start()
	ann := greet(t, s, "Class", shared.Message{User: "Ann"})
	ann.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	bob.open(s.url() + "/chat/Class/")
	failed := "document.querySelector('.failed .reason span')?.textContent === 'Only hosts write here now.'"
	bob.wait(failed + " && " + isQuiet)
	if got := eval[string](bob, "[...document.querySelectorAll('.reason button')].map(e => e.textContent).join()"); got != "Send again,Discard" {
		t.Errorf("the failed message offers %s", got)
	}
	bob.retry()
	bob.wait(failed)
	ann.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoAll}})
	bob.wait(writes)
	bob.retry()
	bob.waitFor("what I still wanted to say")
	bob.wait("!document.querySelector('#pending').firstChild")
	if got := s.logged("Class"); len(got) != 1 {
		t.Errorf("the log has %q", got)
	}

	// Silenced, one reads and deletes, and is told by whom.
	ann.host(shared.Message{Do: shared.DoSilence, User: "Bob"})
	bob.wait("document.querySelector('#quiet').textContent === 'Ann has silenced you. You can read, but not write.'")
	bob.menu("still wanted")
	if eval[bool](bob, "!!document.querySelector('#reactions')") {
		t.Error("whoever is silenced is offered reactions")
	}
	bob.choose("Delete")
	bob.choose("Delete")
	bob.waitNotice("1 message deleted")
	bob.enter(s.url(), "Class")
	bob.wait("document.querySelector('#quiet').textContent === 'Ann has silenced you. You can read, but not write.'")
	ann.host(shared.Message{Do: shared.DoUnsilence, User: "Bob"})
	bob.wait(writes)
}

// TestSlowMode sends three messages at once: they go out one after the other, and what
// is no message does not wait for them.
func TestSlowMode(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := greet(t, s, "Class", shared.Message{User: "Ann", Host: true})
	ann.say("gate 4")
	bob := named(t, s, "Bob")
	bob.enter(s.url(), "Class")
	bob.waitFor("gate 4")
	seconds := 3600
	ann.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Slow: &seconds}})
	bob.wait("document.querySelector('#quiet').textContent === 'Slow mode: 1 h between two messages.'")
	for _, text := range []string{"one", "two", "three"} {
		bob.say(text)
	}
	bob.waitFor("Bob: one")
	// A page that is loaded again learns from the server how long they wait.
	bob.wait("document.querySelectorAll('.waiting').length === 2")
	bob.enter(s.url(), "Class")
	bob.menu("gate 4")
	bob.choose("👍")
	bob.wait("document.querySelector('.chip[aria-pressed=true]') && document.querySelectorAll('.waiting').length === 2")
	ann.await(func(m shared.Message) bool { return m.Type == shared.TypeReact })
	seconds = 1
	ann.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Slow: &seconds}})
	bob.waitFor("Bob: three")
	if got := s.logged("Class"); !slices.Equal(got, []string{"gate 4", "one", "two", "three"}) {
		t.Errorf("the log has %q", got)
	}
}

// TestPinned pins a message that is far away. It follows its edits, leads there, and goes
// with its message.
func TestPinned(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	ann := greet(t, s, "Class", shared.Message{User: "Ann", Host: true})
	plan := ann.say("The plan: <b>page 112</b>")
	ann.host(shared.Message{Do: shared.DoPin, Target: plan.Offset, Of: plan.ID})
	for i := range 120 {
		ann.say(fmt.Sprintf("line %d", i))
	}
	shows := func(text string) string {
		return "!document.querySelector('#pinned').hidden && document.querySelector('#pinned span[dir]').textContent === " + quote(text)
	}
	bob := named(t, s, "Bob")
	bob.enter(s.url(), "Class")
	bob.wait(shows("The plan: <b>page 112</b>"))
	if strings.Contains(bob.transcript(), "The plan") {
		t.Fatal("the message is not far away")
	}
	ann.edit(plan, "The plan: page 113")
	bob.wait(shows("The plan: page 113"))
	eval[any](bob, "document.querySelector('#pinned button').click()")
	bob.wait("document.activeElement.innerText.includes('page 113')")
	bob.wait("[...document.querySelectorAll('.notice')].some(e => e.textContent === 'Ann pinned a message')")
	bob.enter(s.url(), "Class")
	bob.wait(shows("The plan: page 113"))
	if eval[bool](bob, "!!document.querySelector('#pinned .icon')") {
		t.Error("whoever is no host can take it down")
	}

	// A host pins another one, and takes it down.
	ada := named(t, s, "Ann")
	eval[any](ada, "localStorage.setItem('parley/device', '"+quote(deviceOf("Ann"))+"')")
	ada.enter(s.url(), "Class")
	ada.menu("line 119")
	ada.choose("Pin to the top")
	bob.wait(shows("line 119"))
	ada.menu("line 118")
	ada.choose("Pin to the top")
	bob.wait(shows("line 118"))
	bob.waitNotice("Ann pinned a message")
	eval[any](ada, "document.querySelector('#pinned .icon').click()")
	for _, p := range []*page{ada, bob} {
		p.wait("document.querySelector('#pinned').hidden")
		p.waitNotice("Ann took the pinned message down")
	}
	ada.menu("line 117")
	ada.choose("Pin to the top")
	bob.wait(shows("line 117"))
	ada.menu("line 117")
	ada.choose("Delete")
	ada.choose("Delete")
	bob.wait("document.querySelector('#pinned').hidden")
	bob.enter(s.url(), "Class")
	bob.waitFor("line 119")
	bob.wait("document.querySelector('#pinned').hidden")
	// So does one that is not on the page.
	ann.host(shared.Message{Do: shared.DoPin, Target: plan.Offset, Of: plan.ID})
	cleo := named(t, s, "Cleo")
	cleo.enter(s.url(), "Class")
	cleo.wait(shows("The plan: page 113"))
	ann.delete(plan)
	cleo.wait("document.querySelector('#pinned').hidden")
}

// TestNoticesInHistory scrolls back over what hosts did: each is where it was done, once,
// also after a reload, without a server, and in another language.
func TestNoticesInHistory(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	ann := greet(t, s, "Class", shared.Message{User: "Ann", Host: true})
	for i := range 3 {
		dial(t, s, "Class", fmt.Sprintf("Pupil %d", i))
	}
	want := []string{"Ann hosts this room"}
	var last shared.Message
	for i := range 160 {
		last = ann.say(fmt.Sprintf("line %d", i))
		want = append(want, fmt.Sprintf("line %d", i))
		switch i {
		case 10:
			for n := range 3 {
				ann.host(shared.Message{Do: shared.DoSilence, User: fmt.Sprintf("Pupil %d", n)})
			}
			want = append(want, "Ann silenced Pupil 0, Pupil 1, Pupil 2")
		case 75, 130, 159:
			for _, door := range []string{shared.DoorKnown, shared.DoorOpen} {
				ann.host(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Door: door}})
			}
			want = append(want, "Ann: everyone may come in")
		}
	}
	for i := range 220 { // more than a visit gets: its messages come without the notices
		ann.react(last, []string{"👍", ""}[i%2])
	}
	bob := named(t, s, "Bob")
	shown := func() []string {
		return eval[[]string](bob, "[...document.querySelectorAll('#chat-log p, #chat-log .notice')].map(e => e.textContent)")
	}
	all := "(document.querySelector('#scroller').scrollTop = 0, document.querySelector('.notice')?.textContent === 'Ann hosts this room')"
	bob.enter(s.url(), "Class")
	bob.waitFor("line 159")
	bob.wait(all)
	if got := shown(); !slices.Equal(got, want) {
		t.Errorf("the page shows %q", got)
	}
	bob.enter(s.url(), "Class")
	bob.wait(all)
	if got := shown(); !slices.Equal(got, want) {
		t.Errorf("after a reload the page shows %q", got)
	}
	ann.host(shared.Message{Do: shared.DoUnsilence, User: "Pupil 0"})
	bob.waitNotice("Ann lets Pupil 0 write again")
	want = append(want, "Ann lets Pupil 0 write again")
	// What happened while the page was away comes where it belongs.
	bob.open("about:blank")
	ann.host(shared.Message{Do: shared.DoUnsilence, User: "Pupil 1"})
	ann.host(shared.Message{Do: shared.DoRemove, User: "Pupil 2"})
	want[len(want)-1] = "Ann lets Pupil 0, Pupil 1 write again"
	want = append(want, "Ann removed Pupil 2")
	bob.enter(s.url(), "Class")
	bob.waitNotice("Ann removed Pupil 2")
	bob.wait(all)
	if got := shown(); !slices.Equal(got, want) {
		t.Errorf("after an absence the page shows %q", got)
	}
	if got := bob.transcript(); strings.Contains(got, "removed") {
		t.Errorf("the transcript has a notice: %q", got)
	}
}

// TestRoles has one host make another, who is one at once, and take it back.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, bob := named(t, s, "Ann"), named(t, s, "Bob")
	ann.openAsHost(s, "Class", "")
	bob.enter(s.url(), "Class")
	ann.wait("document.querySelector('#count').textContent === '2 people here'")
	person := func(name string) {
		ann.openPeople()
		ann.wait("document.querySelector('#members button')")
		eval[any](ann, "document.querySelector('#members button[aria-label="+quote(name)+"]').click()")
		ann.wait("document.querySelector('#menu-title')?.textContent === " + quote(name))
	}
	person("Bob")
	ann.choose("Make a host")
	bob.waitNotice("Ann made Bob a host")
	bob.openHost()
	bob.wait("document.querySelectorAll('#host-people li').length === 2")
	person("Bob")
	ann.choose("No longer a host")
	bob.wait("!document.querySelector('.sheet')") // his sheet is gone with it
	bob.waitNotice("Ann: Bob is no longer a host")
	bob.openPeople()
	if eval[bool](bob, "!!document.querySelector('#host-open, #members button')") {
		t.Error("whoever is no host any more is offered what hosts do")
	}
	bob.closeSheet()
	ann.openHost()
	ann.wait("document.querySelectorAll('#host-people li').length === 1 && !document.querySelector('#host-people button')")
	ann.closeSheet()

	// A name that somebody else took since is not who was silenced: the row goes by the device.
	person("Bob")
	ann.choose("Silence")
	bob.wait("document.querySelector('#composer').hidden")
	ann.openHost()
	ann.wait("document.querySelector('#host-barred').innerText.includes('silenced by Ann')")
	ann.choose("Let write again")
	bob.wait(writes)
	ann.wait("document.querySelector('#host').innerText.includes('Nobody.')")
}

// TestRefusedActs has the page say in its own language why a host's act was refused.
func TestRefusedActs(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := named(t, s, "Ann")
	p.enter(s.url(), "Class")
	for sentence, want := range map[string]string{
		"Only a host of this room can do that.":                       "Das kann nur, wer diesen Raum leitet.",
		"There is nobody of that name.":                               "niemanden mit diesem Namen",
		"You can't do that to yourself.":                              "bei dir selbst",
		"Bob is a host of this room. You can only take that away.":    "Bob leitet diesen Raum.",
		"Bob is a host of this room already.":                         "Bob leitet diesen Raum.",
		"Bob was removed or silenced. Take that back first.":          "Bob wurde entfernt",
		"You are the last host of this room. Make another one first.": "Außer dir leitet niemand",
		"Bob was not removed, or is let in again already.":            "schon zurückgenommen",
		"Bob was not silenced, or may write again already.":           "schon zurückgenommen",
		"Bob is no host of this room.":                                "schon zurückgenommen",
		"Something new.":                                              "Something new.",
	} {
		got := eval[string](p, `Promise.all([import('/static/words.js'), import('/static/logview.js'), import('/static/hosts.js')]).then(async ([words, {sentence}]) => {
			await words.speak('de');
			return sentence({error: 'act.refused', why: `+quote(sentence)+`});
		})`)
		if !strings.HasPrefix(got, "Das ist nicht geschehen. ") || !strings.Contains(got, want) {
			t.Errorf("%q is said as %q", sentence, got)
		}
	}
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
	grace, chidi := dial(t, s, room, strings.Repeat("W", 32)), dial(t, s, room, "Chidi")
	bob = dial(t, s, room, "Bob")
	noa := dial(t, s, room, "נועה כהן")
	plan := grace.say("Page 112 and 113 until Friday; whoever has a question writes it here before nine in the evening")
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
	ada.host(shared.Message{Do: shared.DoHost, User: strings.Repeat("W", 32)})
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
	drawn := 0
	show := func(name, who, room string, prepare func(p *page)) {
		for i, v := range views {
			if *screens == "" && i != drawn%len(views) {
				continue // one of each is enough, as long as nobody looks at them
			}
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
				p.wait("document.querySelector('#pill').hidden") // what comes after the messages moves nobody
				prepare(p)
				p.examine("page-host-" + name + v.name)
			})
		}
		drawn++
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
	show("somebody", "Ada Lovelace", "Class%204b", func(p *page) {
		p.openPeople()
		p.wait("document.querySelector('#members button')")
		eval[any](p, "document.querySelector('#members button').click()")
		p.wait("document.querySelector('#menu button.danger')")
	})
	show("quiet", "Bob", "Silent", func(p *page) { p.wait("document.querySelector('#composer').hidden") })
	show("slow", "Bob", "Slow", func(p *page) { p.wait("document.querySelector('#quiet').textContent") })
}

// Whatever the server refuses is said in each of the page's languages, with the names that
// are in it.
func TestRefusalsInEveryLanguage(t *testing.T) {
	p := newPerson(t)
	p.open(startServer(t).url() + "/r/Hall")
	list, err := json.Marshal(servertest.Refusals(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lang.Languages {
		said := eval[map[string]string](p, `Promise.all(['words', 'hosts', 'file', 'logview'].map(name => import('/static/' + name + '.js'))).then(async ([{speak}, , , {sentence}]) => {
			await speak('`+l.Code+`');
			return Object.fromEntries(`+string(list)+`.map(why => [why, sentence({error: 'of_later', why})]));
		})`)
		words, err := lang.Sentences(l.Code)
		if err != nil {
			t.Fatal(err)
		}
		for why, got := range said {
			if strings.HasPrefix(got, words["failed.refused"]) || strings.Contains(got, "{") || l.Code != "en" && got == why {
				t.Errorf("%s: %q is said as %q", l.Code, why, got)
			}
		}
		if len(said) < 20 {
			t.Errorf("%s: only %d sentences", l.Code, len(said))
		}
	}
}
