package web_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/shared"
)

// put has the log take what a member says or changes, and returns it with its offset.
func (c *client) put(m shared.Message) shared.Message {
	c.t.Helper()
	m.ID = rand.Text()
	c.write(m)
	c.await(func(answer shared.Message) bool {
		if answer.ID == m.ID && answer.Type == shared.TypeError {
			c.t.Fatalf("the server refuses %+v: %s", m, answer.Text)
		}
		m.Offset = answer.Offset
		return answer.ID == m.ID
	})
	return m
}

func (c *client) say(text string) shared.Message {
	c.t.Helper()
	return c.put(shared.Message{Type: shared.TypeChat, Text: text})
}

func (c *client) reply(to shared.Message, text string) shared.Message {
	c.t.Helper()
	return c.put(shared.Message{Type: shared.TypeChat, Reply: to.Offset, Of: to.ID, Text: text})
}

func (c *client) edit(m shared.Message, text string) {
	c.t.Helper()
	c.put(shared.Message{Type: shared.TypeChat, Edits: m.Offset, Of: m.ID, Text: text})
}

func (c *client) delete(m shared.Message) {
	c.t.Helper()
	c.put(shared.Message{Type: shared.TypeDelete, Target: m.Offset, Of: m.ID})
}

func (c *client) react(m shared.Message, emoji string) {
	c.t.Helper()
	c.put(shared.Message{Type: shared.TypeReact, Target: m.Offset, Of: m.ID, Emoji: emoji})
}

// menu opens the menu of the message with a text, by a right click.
func (p *page) menu(text string) {
	p.t.Helper()
	bubble := "[...document.querySelectorAll('#log .bubble')].find(b => b.querySelector('p')?.textContent.includes(" + quote(text) + "))"
	p.wait("document.querySelector('.act') && " + bubble)
	eval[any](p, bubble+".dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))")
	p.wait("document.querySelector('#menu')")
}

// choose presses what a menu has under a label. If that closes the menu, what was chosen
// is done when choose returns.
func (p *page) choose(label string) {
	p.t.Helper()
	choice := "[...document.querySelectorAll('.sheet button')].find(b => b.textContent === " + quote(label) + ")"
	p.wait(choice)
	// A sheet closes by way of the history, where the browser goes back in its own time.
	if eval[bool](p, `(() => {
		let closes = false;
		history.back = () => { closes = true; History.prototype.back.call(history); };
		`+choice+`.click();
		delete history.back;
		return closes;
	})()`) {
		p.wait("!history.state?.sheet")
	}
}

// chips are the reactions that a page shows, own ones with a star.
func chips(p *page) string {
	p.t.Helper()
	return eval[string](p, "[...document.querySelectorAll('.chip')].map(e => e.textContent + (e.getAttribute('aria-pressed') === 'true' ? '*' : '')).join()")
}

// discuss fills a room with every kind of change.
func discuss(t *testing.T, s *server) {
	t.Helper()
	grace, chidi, noa, ada := dial(t, s, "Review", "Grace Hopper"), dial(t, s, "Review", "Chidi"), dial(t, s, "Review", "נועה כהן"), dial(t, s, "Review", "Ada Lovelace")
	var gone []shared.Message
	for i := range 7 {
		gone = append(gone, chidi.say(fmt.Sprintf("secret number %d", i)))
	}
	for _, m := range gone {
		chidi.delete(m)
	}
	gate := grace.say("The bus leaves from gat 3 at 19:00")
	grace.edit(gate, "The bus leaves from gate 4 at 19:00, and whoever is late waits for the next one")
	chidi.reply(gate, "Then I am there in time.")
	ada.react(gate, "👍")
	chidi.react(gate, "👍")
	noa.react(gate, "🎉")
	noa.reply(gate, "גם אני מגיעה, עם עוגה")
	one := ada.say("Who has the script?")
	chidi.react(one, "❓")
	noa.delete(noa.say("nothing"))
	code := chidi.say("It is this one:\n```\nfor f in *.jpg; do\n\tconvert \"$f\" -resize 2048x2048 -quality 80 \"small/$f\" && echo \"$f is small now, and its old one can go\"\ndone\n```\nRun it in the folder.")
	ada.reply(code, "```echo thanks``` @Chidi!")
	grace.say("Ada Lovelace: can you bring the plates?")
}

// Code between backquotes, and names in a text, are found as the app finds them.
func TestPartsOfTexts(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	for _, c := range vectors[[2]json.RawMessage](t, "code") {
		got := eval[json.RawMessage](p, "import('/static/code.js').then(({parts}) => parts("+string(c[0])+"))")
		var is, want any
		if json.Unmarshal(got, &is) != nil || json.Unmarshal(c[1], &want) != nil || fmt.Sprint(is) != fmt.Sprint(want) {
			t.Errorf("%s has the parts %s, want %s", c[0], got, c[1])
		}
	}
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{"hi ann!", "Ann", true}, {"@Ann", "Ann", true}, {"annual", "Ann", false}, {"Joann", "Ann", false}, {"annual ann", "Ann", true},
		{"田中さん", "田中", true}, {"x", "", false}, {"łukaszu", "Łukasz", false}, {"ŁUKASZ", "Łukasz", true}, {"(a.b)", "a.b", true}, {"axb", "a.b", false},
		{"is it C++?", "C++", true}, {"[x](y", "[x](y", true}, {"Guest-12", "Guest-1", false},
	} {
		if got := eval[bool](p, "import('/static/marks.js').then(({names}) => names("+quote(c.text)+", "+quote(c.name)+"))"); got != c.want {
			t.Errorf("%q names %q: %v", c.text, c.name, got)
		}
	}
}

// A text as one line has of its code the first line, also if it was cut within it.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	for text, want := range map[string]string{
		"no\ncode": "no code", "It is:\n```\nfor a; do\n\tb\ndone\n```\nRun it.": "It is: for a; do… Run it.", "see ```one``` and ```two```": "see one and two",
		"cut:\n```\nfor a; do\n\techo $": "cut: for a; do…", strings.Repeat("😀", 130): strings.Repeat("😀", 120), "```": "```", "": "",
	} {
		if got := eval[string](p, "import('/static/code.js').then(({excerpt}) => excerpt("+quote(text)+"))"); got != want {
			t.Errorf("%q is %q as one line, want %q", text, got, want)
		}
	}
}

// TestCodeInOneLine shows code without its marks in a quote, the list of rooms, a hit,
// and around it.
func TestCodeInOneLine(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	code := bob.say("Run\n```\nmake it\nmake all\n```")
	p := newPerson(t)
	p.look(1280, 840, "light")
	p.enter(s.url(), "Lobby")
	p.waitFor("make it")
	p.wait("document.querySelector('#own small')?.textContent === 'Bob: Run make it…'")
	bob.reply(code, "done")
	p.wait("document.querySelector('.quote span')?.textContent === 'Run make it…'")
	p.find("ALL")
	p.wait("document.querySelector('.hit > :last-child > span')?.textContent === 'Run make it make all' && document.querySelector('mark').textContent === 'all'")
	eval[any](p, "document.querySelector('.hit').click()")
	p.wait("document.querySelector('#around code')?.textContent === 'make it\\nmake all'")
	if size := eval[string](p, "getComputedStyle(document.querySelector('#around code')).tabSize"); size != "4" {
		t.Errorf("a tab of code is %s characters wide, and a phone shows few", size)
	}
	eval[any](p, "document.querySelector('#around [data-act=copy]').click()")
	p.wait("document.querySelector('#around [data-act=copy]').getAttribute('aria-label') === 'Copied'")
}

// TestMenuOfAMessage offers what can be done with it, and nothing else.
func TestMenuOfAMessage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	m := bob.say("hello")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("hello")
	offered := func() string {
		t.Helper()
		p.menu("hello")
		got := eval[string](p, "[...document.querySelectorAll('#menu > button')].map(e => e.textContent).join()")
		p.keys("\x1b")
		p.wait("!document.querySelector('#menu')")
		return got
	}
	if got := offered(); got != "Reply,Copy" {
		t.Errorf("the menu of a stranger's message has %s", got)
	}
	bob.react(m, "🎉")
	p.wait("document.querySelector('.chip')")
	if got := offered(); got != "Who reacted,Reply,Copy" {
		t.Errorf("with a reaction it has %s", got)
	}
	bob.react(m, "")
	p.wait("!document.querySelector('.chip')")
	if got := offered(); got != "Reply,Copy" {
		t.Errorf("with none any more it has %s", got)
	}
}

// TestSelectText selects in the menu's sheet on a touch screen, where a long press on a
// row is the menu.
func TestSelectText(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial(t, s, "Lobby", "Bob").say("two\nlines")
	p := newPerson(t)
	p.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	p.enter(s.url(), "Lobby")
	p.wait("matchMedia('(pointer:coarse)').matches")
	p.menu("two")
	p.choose("Select text")
	p.wait("document.querySelector('#selectable')")
	if got := eval[string](p, "getSelection().toString() + getComputedStyle(document.querySelector('#selectable')).userSelect"); got != "two\nlinesauto" {
		t.Errorf("selected is %q", got)
	}
}

// TestMentionIsMarked marks the row that names its reader, in both schemes.
func TestMentionIsMarked(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	for _, scheme := range []string{"light", "dark"} {
		p := newPerson(t)
		p.look(390, 844, scheme)
		p.open(s.url() + "/static/icon.svg")
		p.setName("Anna " + scheme)
		p.enter(s.url(), "Lobby")
		bob.say("@Anna " + scheme + " look")
		p.wait("document.querySelector('.named > .bubble') && getComputedStyle(document.querySelector('.named > .bubble')).boxShadow.includes('inset')")
	}
}

// The menu is loaded with the welcome: it is there if the server goes right after it.
func TestMenuComesWithTheWelcome(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial(t, s, "Lobby", "Bob").say("hello")
	p := newPerson(t)
	p.before("const later = setTimeout; window.setTimeout = (f, ms, ...a) => ms === 500 ? 0 : later(f, ms, ...a)")
	p.enter(s.url(), "Lobby")
	p.menu("hello")
}

// TestChanges has two people answer, react to, correct and delete what they said.
func TestChanges(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, bob := newPerson(t), newPerson(t)
	for name, p := range map[string]*page{"Ann": ann, "Bob": bob} {
		p.open(s.url() + "/static/icon.svg")
		p.setName(name)
		p.enter(s.url(), "Lobby")
	}
	ann.say("Gat 3")
	bob.waitFor("Gat 3")

	bob.menu("Gat 3")
	bob.choose("👍")
	for _, p := range []*page{ann, bob} {
		p.wait("document.querySelector('.chip')")
	}
	if got := chips(ann) + " " + chips(bob); got != "👍 1 👍 1*" {
		t.Errorf("the chips are %q", got)
	}
	eval[any](ann, "document.querySelector('.chip').click()")
	bob.wait("document.querySelector('.chip').textContent === '👍 2'")
	eval[any](bob, "document.querySelector('.chip').click()")
	ann.wait("document.querySelector('.chip').textContent === '👍 1' && document.querySelector('.chip').getAttribute('aria-pressed') === 'true'")

	bob.menu("Gat 3")
	bob.choose("Who reacted")
	bob.wait("document.querySelector('#who')?.innerText.includes('Ann')")
	bob.keys("\x1b")
	bob.wait("!document.querySelector('#menu')")

	bob.menu("Gat 3")
	bob.choose("Reply")
	bob.wait("document.querySelector('#about').innerText.includes('Reply to Ann') && document.activeElement.id === 'chat-message-input'")
	bob.say("Which one?")
	ann.waitFor("Which one?")
	ann.wait("document.querySelector('.quote')?.innerText.includes('Gat 3')")
	bob.wait("document.querySelector('#about').hidden && document.querySelector('.quote').innerText.includes('Ann')")

	// Arrow-Up corrects one's last message; the quote follows.
	ann.do(chromedp.KeyEvent(kb.ArrowUp))
	ann.wait("!document.querySelector('#about').hidden")
	if got := eval[string](ann, "document.querySelector('#about').innerText + document.querySelector('#chat-message-input').value"); !strings.HasPrefix(got, "Edit message") || !strings.HasSuffix(got, "Gat 3") {
		t.Errorf("Arrow-Up in an empty composer shows %q", got)
	}
	eval[any](ann, "document.querySelector('#chat-message-input').value = ''")
	ann.say("Gate 4")
	for _, p := range []*page{ann, bob} {
		p.wait("document.querySelector('.bubble p').textContent === 'Gate 4' && document.querySelector('.bubble .meta').textContent.includes('edited')")
		p.wait("document.querySelector('.quote').innerText.includes('Gate 4')")
	}
	bob.wait("[...document.querySelectorAll('[role=status]')].some(e => e.textContent === 'Ann edited a message: Gate 4')")

	ann.menu("Gate 4")
	ann.choose("Delete")
	ann.wait("document.querySelector('#menu').innerText.includes('for everyone?')")
	ann.choose("Delete")
	for _, p := range []*page{ann, bob} {
		p.wait("document.querySelector('#chat-log .notice')?.textContent === '1 message deleted'")
		p.wait("!document.querySelector('.quote').innerText.includes('Gate')")
		p.wait("!JSON.stringify(Object.entries(localStorage)).includes('Gate')")
	}
	if got := s.logged("Lobby"); !slices.Equal(got, []string{shared.TextDeleted, "Which one?"}) {
		t.Errorf("the log has %q", got)
	}
}

// TestChangesWait makes changes while the server is away, over a reload: each goes
// out once.
func TestChangesWait(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	of := bob.say("Lunch?")
	one := newPerson(t)
	one.enter(s.url(), "Lobby")
	one.say("Noon")
	one.waitFor("Noon")
	two := one.newTab()
	two.enter(s.url(), "Lobby")
	for _, emoji := range []string{"👍", ""} { // what shows a reaction is loaded with the first one
		bob.react(of, emoji)
		for _, p := range []*page{one, two} {
			p.wait(fmt.Sprintf("!!document.querySelector('.chip') === %v", emoji != ""))
		}
	}
	before := s.Join("Lobby", "Carla").Welcome
	s.Stop()
	one.wait("!document.querySelector('#banner').hidden")

	// All is shown at once, in both tabs.
	one.menu("Lunch")
	one.choose("🎉")
	one.menu("Noon")
	one.choose("Edit")
	eval[any](one, "document.querySelector('#chat-message-input').value = ''")
	one.say("One")
	one.say("waits")
	one.menu("waits")
	one.choose("Edit")
	eval[any](one, "document.querySelector('#chat-message-input').value = ''")
	one.say("waits longer")
	one.say("given up")
	one.menu("given up")
	one.choose("Delete")
	one.choose("Delete")
	for _, p := range []*page{one, two} {
		p.wait("document.querySelector('.chip')?.textContent === '🎉 1'")
		p.wait("[...document.querySelectorAll('.bubble p')].map(e => e.textContent).join() === 'Lunch?,One,waits longer'")
	}
	one.open("about:blank")
	s.start()
	one.enter(s.url(), "Lobby")
	eval[any](two, "dispatchEvent(new Event('online'))")
	for _, p := range []*page{one, two} {
		p.wait("!Object.keys(localStorage).some(k => k.startsWith('parley/out/'))")
		p.wait("[...document.querySelectorAll('#chat-log .bubble p')].map(e => e.textContent).join() === 'Lunch?,One,waits longer'")
		p.wait("document.querySelector('.chip')?.textContent === '🎉 1' && document.querySelector('.chip').getAttribute('aria-pressed') === 'true'")
	}
	var got []string
	told := s.Hello("Lobby", shared.Message{User: "Dan", Epoch: before.Epoch, After: before.Offset})
	for len(got) < 3 {
		switch m := told.Next(shared.TypeReact, shared.TypeChat); {
		case m.Type == shared.TypeReact && m.Target == of.Offset:
			got = append(got, "react "+m.Emoji)
		case m.Type == shared.TypeChat && m.Edits > 0:
			got = append(got, "edit "+m.Text)
		case m.Type == shared.TypeChat:
			got = append(got, m.Text)
		}
	}
	if want := []string{"react 🎉", "edit One", "waits longer"}; !slices.Equal(got, want) {
		t.Errorf("the room was told %q, want %q", got, want)
	}
}

// TestRefusedChange has a server that lets nobody change what they said: what was
// shown is undone, with a sentence, and no text is lost.
func TestRefusedChange(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--edit-for", "0")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.say("It stays")
	p.waitFor("It stays")
	p.menu("It stays")
	p.choose("Delete")
	p.choose("Delete")
	p.wait("document.querySelector('#note').textContent.includes('nobody changes')")
	p.wait("document.querySelector('#chat-log .bubble p')?.textContent === 'It stays'")
	p.menu("It stays")
	p.choose("Edit")
	eval[any](p, "document.querySelector('#chat-message-input').value = ''")
	p.say("another text")
	p.wait("document.querySelector('.failed')?.innerText.includes('another text') && document.querySelector('.reason').textContent.includes('nobody changes')")
	p.wait("document.querySelector('#chat-log .bubble p').textContent === 'It stays'")
	eval[any](p, "document.querySelector('.reason [data-act=edit]').click()")
	p.wait("document.querySelector('#chat-message-input').value === 'another text' && !document.querySelector('.failed')")
}

// TestChangedWhileAway is away for longer than the server resumes, and is stopped
// while it asks what has changed: it asks again, from where it was.
func TestChangedWhileAway(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	bob := dial(t, s, "Lobby", "Bob")
	first, second, third := bob.say("first"), bob.say("second"), bob.say("third")
	bob.reply(third, "about the third")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("about the third")
	p.wait("'parley/room/lobby' in localStorage")
	p.open(s.url() + "/static/icon.svg")
	bob.edit(first, "first, corrected")
	bob.react(second, "✅")
	bob.delete(third)
	for i := range 10_000 { // as many as a resume may be behind
		if m := (shared.Message{Type: shared.TypeChat, ID: rand.Text(), Text: fmt.Sprintf("number %d.", i)}); i%500 != 0 {
			bob.write(m)
		} else {
			bob.put(m)
		}
	}
	bob.say("the last")
	// The answer is lost the first time.
	p.before(`const send = WebSocket.prototype.send; WebSocket.prototype.send = function(data) {
		if (data.includes('"changed"') && !sessionStorage.getItem('lost')) {
			sessionStorage.setItem('lost', 1);
			window.lost = true;
			return;
		}
		send.call(this, data);
	}`)
	p.enter(s.url(), "Lobby")
	p.waitFor("the last")
	p.wait("window.lost")
	p.waitFor("Bob: first\n")
	p.wait("JSON.parse(localStorage.getItem('parley/room/lobby')).since > 0")
	p.enter(s.url(), "Lobby")
	p.waitFor("Bob: first, corrected\n")
	p.wait("document.querySelector('.chip')?.textContent === '✅ 1' && document.querySelector('.notice').textContent === '1 message deleted'")
	p.wait("!JSON.parse(localStorage.getItem('parley/room/lobby')).since && !JSON.stringify(Object.entries(localStorage)).includes('\"third')")
	if text := eval[string](p, "document.querySelector('#log').innerText"); strings.Contains(strings.ReplaceAll(text, "about the third", ""), "third") {
		t.Errorf("the page still shows what was deleted: %s", text)
	}
}

// TestFind looks for what was said, and shows what was said around it.
func TestFind(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	bob := dial(t, s, "Lobby", "Bob")
	at := bob.say("The café is open")
	var numbers []shared.Message
	for i := range 400 {
		numbers = append(numbers, bob.say(fmt.Sprintf("number %d.", i)))
	}
	bob.reply(at, "still open?")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("still open?")
	p.find("CAFE")
	p.wait("document.querySelectorAll('.hit').length === 1 && document.querySelector('.hit').innerText.includes('café')")
	eval[any](p, "document.querySelector('.hit').click()")
	p.wait("document.querySelector('#around .there')?.innerText.includes('café') && document.querySelector('#around').innerText.includes('number 3.')")
	p.choose("← Back to the results")
	p.wait("document.querySelector('.hit') && document.querySelector('#find-text').value === 'CAFE'")
	eval[any](p, "document.querySelector('#find-text').value = 'number 39'; document.querySelector('#find button:not(.close)').click()")
	p.wait("document.querySelectorAll('.hit').length === 11")

	// What is deleted or edited meanwhile is so here, too.
	eval[any](p, "[...document.querySelectorAll('.hit')].find(e => e.innerText.includes('number 391.')).click()")
	p.wait("document.querySelector('#around .there')?.innerText.includes('number 391.')")
	bob.delete(numbers[391])
	p.wait("document.querySelector('#around .hit') && !document.querySelector('#around').innerText.includes('number 391.')")
	p.choose("← Back to the results")
	p.wait("document.querySelectorAll('.hit').length === 10 && !document.querySelector('#hits').innerText.includes('number 391.')")
	bob.delete(numbers[392])
	bob.edit(numbers[393], "no figure")
	p.wait("document.querySelectorAll('.hit').length === 9 && document.querySelector('#hits').innerText.includes('no figure')")
	eval[any](p, "document.querySelector('#find-text').value = 'nowhere'; document.querySelector('#find button:not(.close)').click()")
	p.wait("!document.querySelector('.hit') && document.querySelector('#find [role=status]').textContent === 'Nothing found.'")
	if gap := eval[float64](p, "document.querySelector('#find [role=status]').getBoundingClientRect().top - document.querySelector('#find-text').getBoundingClientRect().bottom"); gap < 8 {
		t.Errorf("what was not found is said %v px below the field", gap)
	}
	p.keys("\x1b")
	p.wait("!document.querySelector('#find')")

	// A quote leads there too, and to what is near in its place.
	p.wait("document.querySelector('.quote')")
	eval[any](p, "document.querySelector('.quote').click()")
	p.wait("document.querySelector('#around .there')?.innerText.includes('café')")
	p.keys("\x1b")
	p.wait("!document.querySelector('#find')")
	near := bob.say("one")
	for i := range 60 {
		bob.say(fmt.Sprintf("and %d.", i))
	}
	bob.reply(near, "about one")
	p.enter(s.url(), "Lobby")
	p.waitFor("about one")
	p.wait("document.querySelector('.quote')")
	q := newPerson(t)
	q.enter(s.url(), "Lobby")
	q.wait("document.querySelector('.quote')")
	if strings.Contains(q.transcript(), "Bob: one\n") {
		t.Fatal("the message is there already")
	}
	eval[any](q, "document.querySelector('.quote').click()")
	q.wait("document.activeElement.matches('#chat-log li') && document.activeElement.innerText.includes('one')")
}

// TestMenuByKeyboard reacts and answers without a mouse.
func TestMenuByKeyboard(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	bob.say("first")
	bob.say("second")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("second")
	p.wait("document.querySelector('.act')")
	p.tabTo(".act", true)
	p.keys(kb.ArrowUp)
	p.wait("document.activeElement.matches('.act') && document.activeElement.getAttribute('aria-label').includes('first')")
	p.keys("\r")
	p.wait("document.querySelector('#menu')")
	p.tabTo("#reactions button:nth-child(2)", false)
	p.keys("\r")
	p.wait("document.querySelector('.chip')?.textContent === '👎 1' && !document.querySelector('#menu')")
	p.wait("document.activeElement.matches('.act')")
	p.tabTo(".chip", true)
	p.keys("\r")
	p.wait("!document.querySelector('.chip')")
	p.tabTo(".act", true)
	p.keys("\r")
	p.wait("document.querySelector('#menu')")
	eval[any](p, "[...document.querySelectorAll('#menu button')].find(b => b.textContent === 'Reply').focus()")
	p.keys("\r")
	p.wait("document.activeElement.id === 'chat-message-input' && !document.querySelector('#about').hidden")
	p.keys("half an answer")
	p.open(s.url() + "/chat/Lobby/")
	p.wait("document.querySelector('#about')?.hidden === false && document.querySelector('#chat-message-input').value === 'half an answer'")
	p.keys("\x1b")
	p.wait("document.querySelector('#about').hidden && document.querySelector('#chat-message-input').value === 'half an answer'")
}

// What an answer or a correction is about is shown at once, not when the page next
// looks at its clock.
func TestAboutIsShownAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.before("window.setInterval = () => 0")
	p.enter(s.url(), "Lobby")
	p.say("mine")
	p.waitFor("mine")
	p.menu("mine")
	p.choose("Edit")
	p.wait("document.querySelector('#about')?.hidden === false")
	p.keys(kb.Escape)
	p.wait("document.querySelector('#about').hidden")
}

// A page whose server goes before the menu has come loads it when the server is back.
func TestMenuComesLater(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial(t, s, "Lobby", "Bob").say("hello")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("hello")
	p.wait("'parley/room/lobby' in localStorage")
	p.before(`const later = setTimeout, wait = [];
		window.setTimeout = (f, ms, ...a) => ms === 500 && wait ? wait.push(f) : later(f, ms, ...a);
		window.go = () => wait.forEach(f => f());
		window.WebSocket = class extends EventTarget { send() {} close() {} };`)
	p.do(chromedp.Reload())
	p.waitFor("hello")
	s.Stop()
	eval[any](p, "go()")
	p.wait("performance.getEntriesByType('resource').some(e => e.name.endsWith('/menu.js'))")
	if eval[bool](p, "!!document.querySelector('.act')") {
		t.Fatal("the menu came from a server that is gone")
	}
	s.start()
	p.menu("hello")
}

// TestCompletesNames takes a name from the list after an @.
func TestCompletesNames(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, name := range []string{"Ada Lovelace", "Adam", "Bob"} {
		dial(t, s, "Lobby", name)
	}
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.wait("document.querySelector('.act') || document.querySelector('#about')")
	p.keys("hi @ad")
	p.wait("[...document.querySelectorAll('#names li')].map(e => e.querySelector('bdi').textContent).join() === 'Ada Lovelace,Adam'")
	p.keys(kb.ArrowDown)
	p.wait("document.querySelector('#chat-message-input').getAttribute('aria-activedescendant') === document.querySelector('#names [aria-selected=true]').id")
	p.keys("\t")
	p.wait("document.querySelector('#chat-message-input').value === 'hi @Adam ' && document.querySelector('#names').hidden")
	p.keys("and @b\x1b")
	p.wait("document.querySelector('#names').hidden")
	p.keys("ob\r")
	p.waitFor("hi @Adam and @bob")
}

// TestOrderOfChanges has copies of messages, changes and quotes come in the orders in
// which a history, a replay and what is live may bring them.
func TestOrderOfChanges(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	got := eval[[]string](p, `Promise.all([import('/static/timeline.js'), import('/static/changes.js')]).then(([{Timeline}, {carryOut}]) => {
		const say = (offset, message, more) => ({type: 'chat_message', id: 'm' + offset, user: 'Ann', offset, message, changed: 0, ...more});
		const edit = (offset, edits, message) => ({type: 'chat_message', offset, edits, message});
		const react = (offset, target, emoji, counts, mine) => ({type: 'react', offset, target, emoji, counts, mine});
		const line = m => [m.message, m.edited && 'edited', m.deleted && 'deleted', m.quote && '>' + m.quote.text, JSON.stringify(m.reactions || {}), m.reacted].filter(Boolean).join(' ');
		const play = (entries, ...steps) => {
			const room = {timeline: new Timeline(entries, false)};
			for (const step of steps) step(room.timeline, changes => carryOut(room, changes));
			return room.timeline.entries.map(line).join('; ');
		};
		const append = m => t => t.append([m]), change = (...all) => (t, carry) => carry(all);
		return [
			play([say(1, 'a')], change(edit(5, 1, 'c')), change(edit(3, 1, 'b'))),
			play([say(1, 'a')], append(say(1, 'c', {changed: 5, edited: true})), change(edit(3, 1, 'b'))),
			play([say(1, 'a')], change(edit(5, 1, 'c')), append(say(1, 'b', {changed: 3, edited: true}))),
			play([say(1, 'a', {old: true, changed: 9})], append(say(1, 'b', {changed: 3, edited: true}))),
			play([say(1, 'a')], change(react(4, 1, '👍', {'👍': 2}, true)), change(react(3, 1, '👎', {'👎': 1}, false))),
			play([say(1, 'a', {changed: 4, reactions: {'👍': 1}})], change(react(4, 1, '👍', {'👍': 1}, true))),
			play([say(1, 'a'), say(2, 'b', {reply: 1, quote: {user: 'Ann', text: 'a'}})], change(edit(3, 1, 'c'))),
			play([say(2, 'b', {reply: 1, quote: {user: 'Ann', text: 'a'}})], change({type: 'delete', offset: 3, targets: [1]})),
			play([say(1, 'a', {changed: 5}), say(2, 'b', {reply: 1, quote: {user: 'Ann', text: 'x'}})], change(edit(5, 1, 'a'))),
			play([say(1, 'a')], change({type: 'delete', offset: 3, targets: [1]}), change(edit(2, 1, 'b')), change(react(1, 1, '👍', {'👍': 1}, false))),
			play([say(1, 'a')], change(edit(3, 2, 'b'))),
		];
	})`)
	want := []string{
		"c edited {}", "c edited {}", "c edited {}", "b edited {}", `a {"👍":2} 👍`, `a {"👍":1} 👍`, "c edited {}; b >c {}", "b {}", "a {}; b >a {}", "deleted {}", "a {}",
	}
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Errorf("case %d ends as %q, want %q", i, got[i], w)
		}
	}
}

// TestEditOnItsWay corrects and deletes messages that were sent and have not come
// back: the changes wait until these have an offset.
func TestEditOnItsWay(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.before(`const send = WebSocket.prototype.send; WebSocket.prototype.send = function(data) {
		window.socket = this;
		if (!window.through && data.includes('"chat_message"')) return;
		send.call(this, data);
	}`)
	p.enter(s.url(), "Lobby")
	p.say("tpyo")
	p.say("a mistake")
	p.wait("Object.entries(localStorage).filter(([k, v]) => k.startsWith('parley/out/') && !JSON.parse(v).unsent).length === 2")
	p.menu("tpyo")
	p.choose("Edit")
	eval[any](p, "document.querySelector('#chat-message-input').value = ''")
	p.say("typo")
	p.menu("a mistake")
	p.choose("Delete")
	p.choose("Delete")
	p.wait("[...document.querySelectorAll('#pending .bubble p')].map(e => e.textContent).join() === 'typo'")
	room := s.Join("Lobby", "Carla")
	eval[any](p, "window.through = true; socket.close()")
	p.wait("!Object.keys(localStorage).some(k => k.startsWith('parley/out/'))")
	p.wait("document.querySelector('#chat-log .bubble p').textContent === 'typo' && document.querySelector('#chat-log .notice').textContent === '1 message deleted'")
	var got []string
	for range 4 {
		m := room.Next(shared.TypeChat, shared.TypeDelete)
		got = append(got, fmt.Sprint(m.Type, " ", m.Edits, m.Targets, " ", m.Text))
	}
	if want := []string{"chat_message 0 [] tpyo", "chat_message 0 [] a mistake", "chat_message 1 [] typo", "delete 0 [2] "}; !slices.Equal(got, want) {
		t.Errorf("the room was told %q, want %q", got, want)
	}
}

// TestLongPress opens the menu under a finger that rests, and who reacted on a chip;
// one that moves scrolls. When the finger leaves, it presses nothing in what it opened.
func TestLongPress(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	bob.react(bob.say("hello"), "😂")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.wait("document.querySelector('.act') && document.querySelector('.chip')")
	// What touch returns is true, evaluated, where the touch goes on to press what it is on.
	touch := func(kind, selector string, y int) string {
		return fmt.Sprintf(`(target => target.dispatchEvent(new TouchEvent(%q, {bubbles: true, cancelable: true,
			touches: [new Touch({identifier: 1, target, clientX: 50, clientY: %d})]})))(document.querySelector(%q))`, kind, y, selector)
	}
	// All in one, or the finger may rest for long before it moves.
	if !eval[bool](p, touch("touchstart", ".bubble", 100)+", "+touch("touchmove", ".bubble", 150)+", "+touch("touchend", ".bubble", 150)) {
		t.Error("what a finger presses that opened no sheet is not pressed")
	}
	eval[any](p, touch("touchstart", ".chip span", 100))
	p.wait("document.querySelector('#who')?.innerText.includes('Bob')")
	if eval[bool](p, touch("touchend", ".chip span", 100)) {
		t.Error("the finger that opened a sheet presses what is below it")
	}
	p.keys("\x1b")
	p.wait("!document.querySelector('.sheet')")
	eval[any](p, touch("touchstart", ".bubble", 100))
	p.wait("document.querySelector('#reactions')")
}

// TestEditedMessageGoes deletes the message that somebody is correcting: what was
// typed stays, behind the draft.
func TestEditedMessageGoes(t *testing.T) {
	t.Parallel()
	for _, typed := range []bool{true, false} {
		s := startServer(t)
		one := newPerson(t)
		one.enter(s.url(), "Lobby")
		one.say("Noon")
		one.waitFor("Noon")
		two := one.newTab()
		two.enter(s.url(), "Lobby")
		two.keys("a draft")
		two.menu("Noon")
		two.choose("Edit")
		two.wait("document.querySelector('#chat-message-input').value === 'Noon'")
		want := "a draft"
		if typed {
			two.keys(" or one")
			want = "a draft\nNoon or one"
		}
		one.menu("Noon")
		one.choose("Delete")
		one.choose("Delete")
		two.wait("document.querySelector('#chat-log .notice') && document.querySelector('#about').hidden")
		two.wait("document.querySelector('#chat-message-input').value === " + quote(want))
		two.do(chromedp.Reload())
		two.wait("document.querySelector('#chat-message-input').value === " + quote(want))
	}
}
