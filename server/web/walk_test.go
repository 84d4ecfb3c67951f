package web_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// speaks has a browser ask for a language.
func (p *page) speaks(lang string) {
	p.t.Helper()
	agent := eval[string](p, "navigator.userAgent")
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: lang})
		return err
	}))
}

// tabTo presses Tab, or Shift and Tab, until an element has the focus.
func (p *page) tabTo(selector string, back bool) {
	p.t.Helper()
	var opts []chromedp.KeyOption
	if back {
		opts = append(opts, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	for range 60 {
		p.do(chromedp.KeyEvent("\t", opts...))
		if eval[bool](p, "document.activeElement.matches("+quote(selector)+")") {
			return
		}
	}
	p.t.Fatalf("Tab does not lead to %s", selector)
}

// TestWalk has three people talk in two rooms, on a phone, on a desktop and in a
// second tab of the desktop's, by keyboard alone and in German.
func TestWalk(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--name", "Klasse 4b")
	ann, bob, carla := newPerson(t), newPerson(t), newPerson(t)
	for _, p := range []*page{ann, bob, carla} {
		p.speaks("de-DE,de")
	}
	ann.look(390, 844, "light")
	bob.look(1280, 840, "dark")

	// Ann says who she is, opens a room, and speaks.
	ann.open(s.url() + "/")
	ann.wait("!document.querySelector('#help') && document.documentElement.lang === 'de' && document.activeElement.id === 'name-input'")
	ann.wait("document.querySelector('#landing-server').textContent === 'Klasse 4b'")
	ann.keys("Ann\r")
	ann.wait("location.pathname === '/chat/' && document.activeElement.id === 'room-name-input' && document.querySelector('#me').textContent === 'Ann'")
	ann.keys("Kueche\r")
	ann.wait("location.pathname === '/chat/Kueche/'")
	ann.keys("Hallo\r")
	ann.waitFor("Hallo")
	ann.wait("document.querySelector('#count').textContent === 'Nur du bist hier'")

	// Bob follows a link, and is heard at once, as a guest. No tap; what is
	// measured begins with the link.
	began := time.Now()
	bob.open(s.url() + "/chat/Kueche/")
	bob.wait("document.activeElement.id === 'chat-message-input'")
	bob.keys("Moin\r")
	ann.waitFor("Moin")
	t.Logf("from the link to the first message that another sees: no tap, %d ms", time.Since(began).Milliseconds())
	bob.wait("document.querySelector('#guest').innerText.includes('Wie heißt du?')")
	bob.tabTo("#guest button", true)
	bob.keys("\r")
	bob.wait("document.activeElement.id === 'guest-name'")
	bob.keys("Bob\r")
	bob.wait("document.querySelector('#guest').hidden && document.activeElement.id === 'chat-message-input'")
	ann.wait("/^Guest-\\d{4} heißt jetzt Bob\\.$/.test(document.querySelector('.notice')?.textContent)")
	bob.wait("document.querySelector('#me').textContent === 'Bob'")
	bob.keys("Ich bin es\r")
	bob.wait("document.querySelectorAll('.row.mine').length === 2")

	// He opens another room, where Carla is.
	carla.open(s.url() + "/chat/Garten/")
	carla.wait("document.activeElement.id === 'chat-message-input'")
	carla.keys("Ist hier wer?\r")
	carla.waitFor("wer?")
	bob.wait("document.querySelector('#others').innerText.includes('Garten')")
	bob.tabTo("#others a", true)
	bob.keys("\r")
	bob.wait("location.pathname === '/chat/Garten/' && document.activeElement.id === 'chat-message-input'")
	bob.waitFor("wer?")
	bob.keys("Ja, Bob\r")
	carla.waitFor("Ja, Bob")

	// What Ann writes meanwhile is counted, until the second tab has read it.
	ann.keys("Bob?\r")
	bob.wait("document.querySelector('#own .badge')?.textContent === '1' && document.title.startsWith('(1) ')")
	second := bob.newTab()
	second.speaks("de-DE,de")
	second.open(s.url() + "/chat/Kueche/")
	second.waitFor("Bob?")
	bob.wait("!document.querySelector('#own .badge')")
	second.keys("Ich bin im Garten\r")
	ann.waitFor("Bob: Ich bin im Garten")

	// What he writes offline goes out, whichever room he looks at then.
	s.Stop()
	bob.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent.startsWith('Der Server ist nicht erreichbar.')")
	bob.keys("offline geschrieben\r")
	bob.wait("document.querySelector('.waiting')?.innerText.includes('offline geschrieben')")
	bob.tabTo(`#own a[href="/chat/Kueche/"]`, true)
	bob.keys("\r")
	bob.wait("document.querySelector('#room').textContent === 'Kueche'")
	s.start()
	for _, p := range []*page{ann, bob, carla, second} {
		eval[any](p, "dispatchEvent(new Event('online'))")
	}
	carla.waitFor("offline geschrieben")
	bob.wait("document.querySelector('#banner').hidden")

	// The people, and back, with Escape.
	bob.tabTo("#open", true)
	bob.keys("\r")
	bob.wait("document.querySelector('#people') && document.activeElement.matches('.close')")
	bob.wait("document.querySelector('#members').innerText.includes('Ann')")
	bob.keys("\x1b")
	bob.wait("!document.querySelector('#people') && document.activeElement.id === 'open'")

	for room, want := range map[string][]string{"Kueche": {"Hallo", "Moin", "Ich bin es", "Bob?", "Ich bin im Garten"}, "Garten": {"Ist hier wer?", "Ja, Bob", "offline geschrieben"}} {
		if got := s.logged(room); !slices.Equal(got, want) {
			t.Errorf("%s has %q", room, got)
		}
	}
	for _, p := range []*page{ann, bob, carla, second} {
		if text := eval[string](p, "document.body.innerText"); strings.Contains(text, "here") || strings.Contains(text, "Send") {
			t.Errorf("the page speaks English: %s", text)
		}
	}
}
