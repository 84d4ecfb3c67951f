package web_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// go test ./server/web -run TestStates -screens DIR draws each state. The
// documents show some of them.
var screens = flag.String("screens", "", "folder that TestStates writes a picture of each state to")

// names are the rooms and people that every page must hold.
func names(t *testing.T) (v struct{ Rooms, People []string }) {
	t.Helper()
	data, err := os.ReadFile("../../shared/testdata/text/names.json")
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil || len(v.Rooms) == 0 || len(v.People) == 0 {
		t.Fatalf("no names: %v", err)
	}
	return v
}

// A state is what a person may come to see.
type state struct {
	name          string
	width, height int64
	media         map[string]string // media features
	lang          string
	path          string // of the page
	guest         bool
	prepare       func(p *page)
}

var dark = map[string]string{"prefers-color-scheme": "dark"}

func states() []state {
	longest := strings.Repeat("W", 64)
	inRoom := func(p *page) { p.waitConnected(); p.waitFor("Friday"); p.wait(pictureShown) }
	return []state{
		{name: "page-landing", width: 390, height: 844, path: "/", guest: true, prepare: func(p *page) { p.wait("document.querySelector('#landing-who .avatar')") }},
		{name: "page-list", width: 390, height: 844, path: "/chat/", prepare: waitList},
		{name: "page-lock", width: 390, height: 844, path: "/chat/", prepare: func(p *page) {
			waitList(p)
			eval[any](p, "document.querySelector('#lock').click()")
		}},
		{name: "page-door", width: 390, height: 844, path: "/chat/Kitchen/", prepare: func(p *page) { p.wait("document.activeElement.id === 'key'") }},
		{name: "page-phone", width: 390, height: 844, path: "/chat/Team%20Pizza/", prepare: inRoom},
		{name: "page-phone-dark", width: 390, height: 844, media: dark, path: "/chat/Team%20Pizza/", guest: true, prepare: inRoom},
		{name: "page-desktop", width: 1280, height: 840, path: "/chat/Team%20Pizza/", prepare: inRoom},
		{name: "page-desktop-dark", width: 1280, height: 840, media: dark, path: "/chat/Team%20Pizza/", prepare: inRoom},
		{name: "page-people", width: 390, height: 844, path: "/chat/Team%20Pizza/", prepare: func(p *page) { inRoom(p); p.openPeople() }},
		{name: "page-settings", width: 390, height: 844, path: "/chat/", prepare: func(p *page) {
			waitList(p)
			eval[any](p, "document.querySelector('#settings').click()")
			p.wait("document.querySelector('#settings-sheet')")
		}},
		{name: "page-long-name", width: 390, height: 844, path: "/chat/" + longest + "/", prepare: func(p *page) { p.waitConnected() }},
		{name: "page-german-320", width: 320, height: 640, lang: "de", path: "/chat/Team%20Pizza/", guest: true, prepare: func(p *page) {
			p.wait("document.querySelector('#count').textContent.includes('hier')")
			p.wait(pictureShown)
		}},
		{name: "page-forced-colors", width: 390, height: 844, media: map[string]string{"forced-colors": "active"}, path: "/chat/Team%20Pizza/", prepare: inRoom},
		{name: "page-404", width: 390, height: 844, path: "/nowhere", prepare: func(*page) {}},
		{name: "page-link-320", width: 320, height: 568, media: dark, path: "/r/" + longest, guest: true, prepare: func(p *page) {
			p.wait("document.querySelector('#landing-server').textContent.length === 64 && document.activeElement.id === 'name-input'")
		}},
		{name: "page-join-local", width: 320, height: 568, media: dark, path: "/join", prepare: func(*page) {}},
		{name: "page-app-none", width: 320, height: 568, media: dark, path: "/app", prepare: func(*page) {}},
		{name: "page-folded", width: 390, height: 844, path: "/chat/Long/", prepare: func(p *page) { p.wait("document.querySelector('.unfold')") }},
		{name: "page-double", width: 390, height: 844, path: "/chat/Team%20Pizza/", prepare: func(p *page) {
			inRoom(p)
			p.fonts(32)
		}},
		{name: "page-list-double", width: 390, height: 844, path: "/chat/", prepare: func(p *page) {
			waitList(p)
			p.fonts(32)
			const name = `[...document.querySelectorAll('.tile > bdi')].find(e => e.textContent === 'Team Pizza')`
			p.wait("getComputedStyle(" + name + ").fontSize === '32px'")
			if eval[bool](p, name+".scrollWidth > "+name+".clientWidth") {
				p.t.Error("large letters leave no room for a short name beside its time")
			}
		}},
		{name: "page-changes", width: 390, height: 844, path: "/chat/Review/", prepare: inReview},
		{name: "page-changes-dark", width: 1280, height: 840, media: dark, path: "/chat/Review/", prepare: inReview},
		{name: "page-changes-320", width: 320, height: 640, path: "/chat/Review/", lang: "de", prepare: inReview},
		{name: "page-deleted", width: 390, height: 844, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			eval[any](p, "document.querySelector('.quote').click()") // leads to its message, at the top
			p.wait("document.activeElement.matches('li') && document.querySelector('.notice').textContent === '7 messages deleted'")
		}},
		{name: "page-menu", width: 390, height: 844, path: "/chat/Review/", prepare: func(p *page) { inReview(p); p.menu("Who has the script") }},
		{name: "page-menu-dark", width: 1280, height: 840, media: dark, path: "/chat/Review/", prepare: func(p *page) { inReview(p); p.menu("Who has the script") }},
		{name: "page-menu-320", width: 320, height: 640, media: dark, path: "/chat/Review/", lang: "fr", prepare: func(p *page) { inReview(p); p.menu("gate 4 at") }},
		{name: "page-who", width: 390, height: 844, path: "/chat/Review/", prepare: whoReacted},
		{name: "page-who-dark", width: 1280, height: 840, media: dark, path: "/chat/Review/", prepare: whoReacted},
		{name: "page-about", width: 390, height: 844, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			p.menu("גם אני")
			p.choose("Reply")
			p.wait("!document.querySelector('#about').hidden")
		}},
		{name: "page-names", width: 390, height: 844, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			p.keys("Hi @")
			p.wait("document.querySelector('#names li')")
		}},
		{name: "page-find", width: 390, height: 844, media: dark, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			p.find("it")
			p.wait("document.querySelector('.hit')")
		}},
		{name: "page-around", width: 1280, height: 840, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			p.find("script")
			p.wait("document.querySelector('.hit')")
			eval[any](p, "document.querySelector('.hit').click()")
			p.wait("document.querySelector('#around .there')")
		}},
		{name: "page-changes-double", width: 390, height: 844, path: "/chat/Review/", prepare: func(p *page) {
			inReview(p)
			p.fonts(32)
			p.menu("Who has the script")
		}},
		{name: "page-changes-forced-colors", width: 390, height: 844, media: map[string]string{"forced-colors": "active"}, path: "/chat/Review/", prepare: inReview},
		{name: "page-rtl", width: 1280, height: 840, path: "/chat/Team%20Pizza/", prepare: func(p *page) {
			inRoom(p)
			eval[any](p, "document.documentElement.dir = 'rtl'")
		}},
	}
}

func inReview(p *page) {
	p.t.Helper()
	p.waitFor("plates")
	p.wait("document.querySelectorAll('.chip').length === 3 && document.querySelector('.act')")
}

func whoReacted(p *page) {
	p.t.Helper()
	inReview(p)
	p.menu("Who has the script")
	p.choose("Who reacted")
	p.wait("document.querySelector('#who li')")
}

// fonts sets the size of letters.
func (p *page) fonts(size int64) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.SetFontSizes, cdppage.SetFontSizesParams{FontSizes: &cdppage.FontSizes{Standard: size, Fixed: size * 13 / 16}})
		return err
	}))
}

// find looks for a text in the room that is shown.
func (p *page) find(text string) {
	p.t.Helper()
	p.wait("!document.querySelector('#search').hidden")
	eval[any](p, "document.querySelector('#search').click()")
	p.wait("document.querySelector('#find-text')")
	p.keys(text + "\r")
}

func waitList(p *page) {
	p.t.Helper()
	p.wait("document.querySelector('#rooms').innerText.includes('Team Pizza')")
}

// emulate sets the media features.
func (p *page) emulate(media map[string]string) {
	p.t.Helper()
	var features []*emulation.MediaFeature
	for name, value := range media {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	}))
}

// onATable is a picture of three tomatoes in the light of a window on their left.
func onATable(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			grain := math.Sin(float64(y)/7 + 2*math.Sin(float64(x)/90))
			light := 1.1 - float64(x)/float64(width)*.5
			c := color.RGBA{uint8((150 + 14*grain) * light), uint8((104 + 10*grain) * light), uint8((62 + 8*grain) * light), 255}
			for i, r := range []float64{86, 70, 78} {
				dx, dy := (float64(x)-float64(95+145*i))/r, (float64(y)-float64(height)*.56)/r
				d := dx*dx + dy*dy
				if shadow := (dx-.25)*(dx-.25) + (dy-.6)*(dy-.6)*4; d > 1 && shadow < 1 {
					c = color.RGBA{uint8(float64(c.R) * .6), uint8(float64(c.G) * .6), uint8(float64(c.B) * .6), 255}
				}
				if d > 1 {
					continue
				}
				lit := .45 + .55*math.Max(0, -.5*dx-.55*dy+.67*math.Sqrt(1-d))
				shine := 180 * math.Exp(-((dx+.38)*(dx+.38)+(dy+.4)*(dy+.4))*28)
				c = color.RGBA{uint8(math.Min(255, 225*lit+shine)), uint8(math.Min(255, 48*lit+shine)), uint8(math.Min(255, 32*lit+shine)), 255}
				up, across := (dy+.55)*2.2, dx
				if leaf := math.Hypot(across, up); leaf < .2+.22*math.Abs(math.Cos(2.5*math.Atan2(up, across))) {
					c = color.RGBA{uint8(70 * lit), uint8(140 * lit), uint8(50 * lit), 255}
				}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

// talk fills a server with what a class of 14 might have said.
func talk(t *testing.T, s *server) {
	t.Helper()
	grace, chidi, noa, ada := dial(t, s, "Team Pizza", "Grace Hopper"), dial(t, s, "Team Pizza", "Chidi"), dial(t, s, "Team Pizza", "נועה כהן"), dial(t, s, "Team Pizza", "Ada Lovelace")
	grace.say("Who makes the dough for Friday? https://en.wikipedia.org/wiki/Pizza has one that rests for a day.")
	dough := ada.say("I can make it for ten people.")
	grace.react(dough, "👍")
	chidi.react(dough, "👍")
	noa.react(dough, "🎉")
	chidi.reply(dough, "Then I bring tomatoes, the good ones")
	noa.say("אני מביאה גבינה, ועוד קצת זיתים")
	roof := grace.say("Friday at 18:00, on the roof")
	grace.edit(roof, "Friday at 19:00, on the roof terrace")
	ada.react(roof, "❤️")
	chidi.say("@Ada Lovelace what is in your dough?")
	ada.say("```\nflour   1000 g\nwater    620 g\nsalt      25 g\nyeast      2 g\n```")
	tomatoes := photo(t, onATable(480, 260), 1)
	chidi.file(s, "tomatoes.jpg", tomatoes, tomatoes, 480, 260, "Three of them are ripe 🍅")
	dial(t, s, "Book Club", "Amira").send("I am on page 112")
	dial(t, s, "Lobby", "Ben").send("Anyone for coffee?")
	c := dial(t, s, "Long", "Ben")
	c.send(strings.Repeat("A line of a very long message\n", 40))
	for _, name := range names(t).Rooms[2:6] {
		dial(t, s, name, "Noa").send("Good morning")
	}
	kitchen := dialKey(t, s, "Kitchen", "Yoko", "correct horse")
	kitchen.send("The dishwasher is done")
}

// TestStates looks at every state: nothing is wider than the screen, and nothing
// is wrong for those who can't see it.
func TestStates(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0", "--name", "Class 4b")
	talk(t, s)
	discuss(t, s)
	for _, state := range states() {
		t.Run(state.name, func(t *testing.T) {
			p := newPerson(t)
			p.mayComplain = state.name == "page-404"
			p.do(chromedp.EmulateViewport(state.width, state.height))
			p.emulate(state.media)
			p.open(s.url() + "/static/icon.svg")
			if !state.guest {
				p.setName("Ada Lovelace")
				eval[any](p, "localStorage.setItem('parley/device', '"+quote(deviceOf("Ada Lovelace"))+"')")
			}
			if state.lang != "" {
				eval[any](p, "localStorage.setItem('parley/lang', "+quote(quote(state.lang))+")")
			}
			if state.path != "/" && !strings.Contains(state.path, "W") {
				for _, room := range []string{"Book%20Club", "Lobby"} {
					p.open(s.url() + "/chat/" + room + "/")
					p.wait("document.querySelector('#chat-log').value")
				}
			}
			p.open(s.url() + state.path)
			state.prepare(p)
			p.examine(state.name)
		})
	}
	t.Run("page-offline", func(t *testing.T) {
		p := newPerson(t)
		p.do(chromedp.EmulateViewport(390, 844))
		p.enter(s.url(), "Team%20Pizza")
		p.wait("document.querySelector('#log code')")
		s.Stop()
		p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent")
		p.say("I write this while it is down")
		p.wait("document.querySelector('.waiting')")
		p.examine("page-offline")
	})
	t.Run("page-list-empty", func(t *testing.T) {
		p := newPerson(t)
		p.do(chromedp.EmulateViewport(390, 844))
		p.open(startServer(t, "--name", "Class 4b").url() + "/chat/")
		p.wait("document.querySelector('#none').offsetParent")
		p.examine("page-list-empty")
	})
}

// examine looks at what is shown in every way.
func (p *page) examine(name string) {
	p.t.Helper()
	p.settle()
	p.picture(name)
	if wide := p.wider(); len(wide) > 0 {
		p.t.Errorf("these are wider than the screen: %q", wide)
	}
	if cut := p.cut(); len(cut) > 0 {
		p.t.Errorf("these lines are too low for their letters: %q", cut)
	}
	for _, barrier := range p.barriers() {
		p.t.Error(barrier)
	}
}

var axe = sync.OnceValues(func() (string, error) {
	script, err := os.ReadFile("../../build/npm/node_modules/axe-core/axe.min.js")
	if err != nil {
		err = fmt.Errorf("this test needs axe-core: make npm-packages (%w)", err)
	}
	return string(script), err
})

// barriers returns what axe finds wrong with what is shown, and what is smaller
// than a finger.
func (p *page) barriers() []string {
	p.t.Helper()
	script, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	eval[any](p, script+"; 0")
	found := eval[[]string](p, `axe.run().then(({violations}) => violations.flatMap(v => v.nodes.map(n => [v.id, v.help, n.html.slice(0, 160), n.failureSummary].join(' · '))))`)
	return append(found, eval[[]string](p, `[...document.querySelectorAll('a, button, input, textarea, select')].filter(e => {
		const {width, height} = e.getBoundingClientRect(), label = e.closest('label');
		const inText = e.matches('.bubble a'), box = label ? label.getBoundingClientRect().height : height;
		return e.getClientRects().length && getComputedStyle(e).clipPath === 'none' && !inText && (box < 43.5 || !label && width < 43.5);
	}).map(e => 'smaller than a finger: ' + e.outerHTML.slice(0, 120))`)...)
}

// settle waits until what moves has come to rest.
func (p *page) settle() {
	p.t.Helper()
	p.wait("document.getAnimations().every(a => a.playState === 'finished')")
	eval[any](p, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
}

// wider returns what is cut off at a side of the window. A page with rooms scrolls inside.
func (p *page) wider() []string {
	p.t.Helper()
	return eval[[]string](p, `[...document.querySelectorAll('body *')].filter(e => {
		if (!e.getClientRects().length || e.closest('svg') || getComputedStyle(e).clipPath !== 'none') return false;
		const out = x => (({left, right}) => left < -1 || right > innerWidth + 1)(x.getBoundingClientRect());
		let cut = e.parentElement; // at an ellipsis
		while (cut && getComputedStyle(cut).textOverflow !== 'ellipsis') cut = cut.parentElement;
		return out(e) && (!cut || out(cut));
	}).map(e => e.tagName + '#' + e.id + '.' + e.className).slice(0, 5).concat(
		document.documentElement.scrollWidth > innerWidth ? ['the page'] : [],
		document.querySelector('#app') && document.documentElement.scrollHeight > innerHeight ? ['the page, in height'] : [],
		[...document.querySelectorAll('.sheet')].filter(e => e.getBoundingClientRect().top < 0 || e.getBoundingClientRect().bottom > innerHeight).map(e => e.id))`)
}

// cut returns lines that end in an ellipsis and are lower than their font's letters:
// a g would lose its tail.
func (p *page) cut() []string {
	p.t.Helper()
	return eval[[]string](p, `(context => [...document.querySelectorAll('body *')].filter(e => {
		const style = getComputedStyle(e);
		if (!e.getClientRects().length || style.textOverflow !== 'ellipsis' || style.clipPath !== 'none' || !e.textContent) return false;
		context.font = style.font;
		const {fontBoundingBoxAscent: above, fontBoundingBoxDescent: below} = context.measureText('g');
		return e.clientHeight < above + below;
	}).map(e => e.tagName + '#' + e.id + '.' + e.className + ' ' + e.textContent))(document.createElement('canvas').getContext('2d'))`)
}

func (p *page) picture(name string) {
	p.t.Helper()
	if *screens == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*screens, name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
