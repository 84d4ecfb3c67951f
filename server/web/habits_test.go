package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// before has a script run before each page's own.
func (p *page) before(script string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// vectors reads the cases of a file that the app's tests read too.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	var file struct{ Cases []T }
	data, err := os.ReadFile("../../shared/testdata/text/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil || len(file.Cases) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	return file.Cases
}

func TestLinks(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	for _, c := range vectors[[2]json.RawMessage](t, "links") {
		var want []string
		if err := json.Unmarshal(c[1], &want); err != nil {
			t.Fatal(err)
		}
		got := eval[[]string](p, "import('/static/text.js').then(({links}) => links("+string(c[0])+").map(([, , url]) => url))")
		if !slices.Equal(got, want) {
			t.Errorf("%s has the links %q, want %q", c[0], got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	for _, c := range vectors[[2]string](t, "initials") {
		if got := eval[string](p, "import('/static/text.js').then(({initials}) => initials("+quote(c[0])+"))"); got != c[1] {
			t.Errorf("%q has the initials %q, want %q", c[0], got, c[1])
		}
	}
}

// Who goes on typing after a message is shown for as long as anybody.
func TestTypingLasts(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	got := eval[[][]string](p, `import('/static/typists.js').then(({Typists}) => {
		const typists = new Typists();
		typists.heard('Bob', 0);
		typists.said('Bob');
		const said = typists.typing(100);
		typists.heard('Bob', 3000);
		return [said, typists.typing(5500), typists.typing(7900), typists.typing(8000)];
	})`)
	if want := "[[] [Bob] [Bob] []]"; fmt.Sprint(got) != want {
		t.Errorf("typing are %v, want %s", got, want)
	}
}

// TestDays turns the page's clock past midnight, and shows a day of another year.
func TestDays(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/static/icon.svg")
	old := time.Now().AddDate(-1, 0, -1)
	eval[any](p, fmt.Sprintf(`localStorage.setItem('parley/room/lobby', JSON.stringify({room: 'Lobby', epoch: 'old', offset: 1, more: false, at: 1,
		entries: [{type: 'chat_message', id: 'x', user: 'Bob', message: 'long ago', time: %q, offset: 1}]}))`, old.UTC().Format("2006-01-02T15:04:05.000Z")))
	p.enter(s.url(), "Lobby")
	p.say("hello")
	p.waitFor("hello")
	lines := func() []string {
		return eval[[]string](p, "[...document.querySelectorAll('.day')].map(e => e.textContent)")
	}
	if got := lines(); len(got) != 2 || !strings.Contains(got[0], old.Format("2006")) || got[1] != "Today" {
		t.Errorf("the days are %q", got)
	}
	eval[any](p, `{
		const Now = Date, day = 864e5;
		window.Date = class extends Now {
			constructor(...a) { a.length ? super(...a) : super(Now.now() + day); }
			static now() { return Now.now() + day; }
		};
	}`)
	p.wait("[...document.querySelectorAll('.day')].pop().textContent === 'Yesterday'")
	p.wait("document.querySelectorAll('.day').length === 2")
}

// Each message of a run says when it was said, also the own ones of one minute.
func TestTimesOfARun(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.look(1280, 840, "light")
	p.enter(s.url(), "Lobby")
	for _, text := range []string{"first", "second", "third"} {
		p.say(text)
		p.waitFor(text)
	}
	if got := eval[string](p, "[...document.querySelectorAll('#chat-log .meta')].map(e => getComputedStyle(e).opacity + e.textContent.includes(':')).join()"); got != "1true,1true,1true" {
		t.Errorf("the times are shown as %s", got)
	}
}

func TestLongMessageFolds(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	long := bob.say(strings.Repeat("line\n", 100) + "end")
	bob.say(strings.Repeat("short\n", 18) + "end")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.wait("document.querySelectorAll('.unfold').length === 1")
	heights := "[...document.querySelectorAll('#chat-log p')].map(p => [Math.round(p.clientHeight / parseFloat(getComputedStyle(p).lineHeight)), p.scrollHeight > p.clientHeight && getComputedStyle(p).overflowY !== 'hidden'])"
	if got := fmt.Sprint(eval[[][2]any](p, heights)); got != "[[20 false] [19 false]]" {
		t.Errorf("the texts have lines and scroll: %s", got)
	}
	eval[any](p, "document.querySelector('.unfold').focus(), document.querySelector('.unfold').click()")
	whole := "document.querySelector('#chat-log p').clientHeight > 100 * 15"
	p.wait(whole)
	bob.react(long, "👍") // its row is made again
	p.wait("document.querySelector('.chip') !== null")
	if !eval[bool](p, whole+" && document.activeElement.classList.contains('unfold') && document.activeElement.ariaExpanded === 'true'") {
		t.Error("a reaction folds the message that was unfolded")
	}
	eval[any](p, "document.activeElement.click()")
	p.wait("document.querySelector('.folded + .unfold[aria-expanded=false]') !== null")
}

// TestComposition ends a composition with Enter, as input methods do, in every field.
func TestComposition(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := dialKey(t, s, "Attic", "Ann", "correct horse")
	ann.send("hello")
	p := newPerson(t)
	enter := func(path, field string) {
		t.Helper()
		p.open(s.url() + path)
		p.wait("!document.querySelector('#help') && document.querySelector(" + quote(field) + ")")
		got := eval[[]bool](p, `(() => {
			const field = document.querySelector(`+quote(field)+`);
			field.focus();
			return [{isComposing: true}, {keyCode: 229}].map(how => {
				const e = new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true, ...how});
				field.dispatchEvent(e);
				return e.defaultPrevented;
			});
		})()`)
		if !slices.Equal(got, []bool{true, true}) {
			t.Errorf("%s: Enter that ends a composition goes on: %v", field, got)
		}
	}
	enter("/", "#name-input")
	enter("/chat/", "#room-name-input")
	enter("/chat/", "#lock-key")
	enter("/chat/Lobby/", "#chat-message-input")
	enter("/chat/Attic/", "#key")
	p.enter(s.url(), "Lobby")
	eval[any](p, "document.querySelector('#chat-message-input').value = '変換'")
	eval[any](p, `document.querySelector('#chat-message-input').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))`)
	p.say("after")
	p.waitFor("after")
	if got := s.logged("Lobby"); len(got) != 1 {
		t.Errorf("the log has %q", got)
	}
}

func TestIndentationIsKept(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.say("\n  \n    indented\n  less \n\n")
	p.waitFor("indented")
	if got := s.logged("Lobby"); !slices.Equal(got, []string{"    indented\n  less"}) {
		t.Errorf("the log has %q", got)
	}
}

// A name in a sentence is isolated: it can't turn the words around.
func TestNamesAreIsolated(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	hostile := "محمد (1"
	c := dial(t, s, "Lobby", hostile)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	c.typing()
	p.wait("document.querySelector('#typing bdi')?.textContent === " + quote(hostile))
	if !eval[bool](p, "document.querySelector('#typing').scrollHeight <= document.querySelector('#typing').clientHeight + 2") {
		t.Error("who is typing has several lines, of which the header shows the first")
	}
	c.send("hello")
	p.wait("document.querySelector('#chat-log bdi.name').textContent === " + quote(hostile))
	p.open(s.url() + "/chat/")
	p.wait("document.querySelector('#own small bdi')?.textContent === " + quote(hostile))
}

// TestWhoIsTyping shows it in whole: on a phone in the place of how many are here, on a
// wide page after that.
func TestWhoIsTyping(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.enter(startServer(t).url(), "Lobby")
	eval[any](p, "document.querySelector('#typing').textContent = 'Bob is typing…'") // one who types would be shown for 5 s
	for width, counted := range map[int64]bool{360: false, 1280: true} {
		p.look(width, 640, "light")
		got := eval[[]bool](p, `(line => ['#typing', '#count'].map(x => document.querySelector(x)).map(e => {
			const {top, right, bottom} = e.getBoundingClientRect();
			return top >= line.top - 1 && bottom <= line.bottom + 1 && right <= line.right + 1 && e.scrollWidth <= e.clientWidth;
		}))(document.querySelector('#typing').parentNode.getBoundingClientRect())`)
		if want := []bool{true, counted}; !slices.Equal(got, want) {
			t.Errorf("on %d px, who is typing and how many are here are shown: %v, want %v", width, got, want)
		}
	}
}

// TestNamesBegin has a room's name in Hebrew or Arabic begin where what is below it begins.
func TestNamesBegin(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.enter(startServer(t).url(), "%D7%9E%D7%98%D7%91%D7%97")
	p.say("hello")
	const begins = `(name => { const text = document.createRange(); text.selectNodeContents(name); return text.getBoundingClientRect().left })`
	if !eval[bool](p, begins+`(document.querySelector('#room')) === document.querySelector('#count').getBoundingClientRect().left`) {
		t.Error("in the room, its name is at the other side of the header")
	}
	p.open(eval[string](p, "location.origin") + "/chat/")
	p.wait("document.querySelector('#own small')?.textContent.includes('hello')")
	if !eval[bool](p, begins+`(document.querySelector('#own .tile > bdi')) === document.querySelector('#own small:not(.when)').getBoundingClientRect().left`) {
		t.Error("in the list, its name is at the other side of the tile")
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	for _, text := range []string{"one", "two", "three"} {
		bob.send(text)
	}
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("three")
	p.wait("document.querySelector('.act')") // the part that copies is loaded a little later
	got := eval[string](p, `(() => {
		const [from, to] = [...document.querySelectorAll('#chat-log p')].slice(0, 2);
		getSelection().setBaseAndExtent(from.firstChild, 1, to.firstChild, 2);
		const data = new DataTransfer(), e = new ClipboardEvent('copy', {clipboardData: data, bubbles: true, cancelable: true});
		document.dispatchEvent(e);
		return data.getData('text/plain');
	})()`)
	clock := eval[[]string](p, "[...document.querySelectorAll('#chat-log time')].map(e => e.textContent)")
	if want := "Bob " + clock[0] + ": one\nBob " + clock[1] + ": two\n"; got != want {
		t.Errorf("copied: %q, want %q", got, want)
	}
}

func TestDroppedFile(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	if !eval[bool](p, `['dragover', 'drop'].every(type => {
		const e = new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: new DataTransfer()});
		document.querySelector('#scroller').dispatchEvent(e);
		return e.defaultPrevented;
	})`) {
		t.Error("a file that is dropped leaves the page")
	}
}

// TestBack goes back from the people to the room, and from there to the list,
// without loading anything.
func TestBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.look(390, 844, "light")
	p.open(s.url() + "/chat/")
	// Before the list's script is there, the form loads the room's address.
	p.wait("!document.querySelector('#help') && document.activeElement.id === 'room-name-input' && document.querySelector('#enter').onsubmit")
	eval[any](p, "window.same = true")
	p.keys("Lobby\r")
	p.wait("location.pathname === '/chat/Lobby/' && document.activeElement.id === 'chat-message-input'")
	p.waitConnected()
	p.openPeople()
	eval[any](p, "history.back()")
	p.wait("!document.querySelector('#people') && location.pathname === '/chat/Lobby/' && document.querySelector('#conversation').offsetParent")
	eval[any](p, "history.back()")
	p.wait("location.pathname === '/chat/' && document.querySelector('#list').offsetParent && document.activeElement.id === 'room-name-input'")
	eval[any](p, "history.forward()")
	p.wait("document.querySelector('#conversation').offsetParent && document.querySelector('#room').textContent === 'Lobby'")
	if !eval[bool](p, "window.same === true") {
		t.Error("the page was loaded again")
	}
}

// TestClockSetBack sets the clock back: messages go out as before, in their order.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.say("before")
	p.waitFor("before")
	s.Stop()
	p.wait("!document.querySelector('#banner').hidden")
	p.say("first")
	eval[any](p, "{ const now = Date.now; Date.now = () => now() - 36e5 }")
	p.say("second")
	s.start()
	eval[any](p, "dispatchEvent(new Event('online'))")
	p.waitFor("second")
	eval[any](p, "{ const now = Date.now; Date.now = () => now() - 36e5 }")
	for i := range 12 { // more than the burst: tokens come with time
		p.say(fmt.Sprintf("after %d", i))
	}
	p.waitFor("after 11")
	if got := s.logged("Lobby"); len(got) != 15 || !slices.Equal(got[:3], []string{"before", "first", "second"}) {
		t.Errorf("the log has %q", got)
	}
}

// TestForget forgets a room, and then all that this browser keeps.
func TestForget(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/static/icon.svg")
	p.setName("Ann")
	for _, room := range []string{"Lobby", "Attic"} {
		p.enter(s.url(), room)
		p.say("hello")
		p.waitFor("hello")
	}
	kept := func() string { return eval[string](p, "Object.keys(localStorage).sort().join()") }
	p.wait("'parley/room/attic' in localStorage")
	p.openPeople()
	eval[any](p, "document.querySelector('#forget').click()")
	p.wait("location.pathname === '/chat/' && !document.querySelector('#people') && document.querySelector('#own').innerText.includes('Lobby')")
	if got := kept(); strings.Contains(got, "attic") || !strings.Contains(got, "lobby") {
		t.Errorf("kept: %s", got)
	}
	eval[any](p, "document.querySelector('#settings').click()")
	p.wait("document.querySelector('#leave-device')")
	eval[any](p, "document.querySelector('#leave-device').click()")
	p.wait("location.pathname === '/' && document.activeElement.id === 'name-input' && !document.querySelector('#name-input').value")
	if got := kept(); strings.Contains(got, "room") || strings.Contains(got, "key/") {
		t.Errorf("kept: %s", got)
	}
}

// TestLanguageAndLook switches both without loading the page again, and keeps them.
func TestLanguageAndLook(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.emulate(map[string]string{"prefers-color-scheme": "light"})
	p.enter(s.url(), "Lobby")
	p.say("hello")
	p.waitFor("hello")
	p.look(1280, 840, "light")
	p.wait("document.querySelector('#list').offsetParent")
	choose := func(id, value string) {
		t.Helper()
		eval[any](p, "document.querySelector('#settings').click()")
		p.wait("document.querySelector('#settings-sheet')")
		eval[any](p, "{ const e = document.getElementById("+quote(id)+"); e.value = "+quote(value)+"; e.dispatchEvent(new Event('change')) }")
	}
	choose("language", "pl")
	p.wait("document.documentElement.lang === 'pl' && document.querySelector('#own-title').textContent === 'Twoje pokoje' && document.querySelector('.day').textContent === 'Dzisiaj' && !document.querySelector('.sheet')")
	choose("look", "dark")
	p.wait("getComputedStyle(document.body).backgroundColor === 'rgb(13, 15, 21)'")
	p.open(s.url() + "/chat/Lobby/")
	p.wait("document.documentElement.lang === 'pl' && document.querySelector('#chat-message-input').placeholder === 'Napisz wiadomość...'")
	p.wait("getComputedStyle(document.body).backgroundColor === 'rgb(13, 15, 21)'")
}
