package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// below is how far the log's end is under the lower edge of what is seen.
func (p *page) below() float64 {
	p.t.Helper()
	return eval[float64](p, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
		const {scrollHeight, scrollTop, clientHeight} = document.querySelector('#scroller');
		done(scrollHeight - scrollTop - clientHeight);
	})))`)
}

// waitAtEnd waits until the newest bubble is in sight.
func (p *page) waitAtEnd() {
	p.t.Helper()
	p.wait(`(({scrollHeight, scrollTop, clientHeight}) => clientHeight > 0 && scrollHeight - scrollTop - clientHeight < 2)(document.querySelector('#scroller'))`)
}

// TestComesBackToTheNewest leaves a room in every way there is, and comes back.
func TestComesBackToTheNewest(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	bob := dial(t, s, "Lobby", "Bob")
	for i := range 40 {
		bob.send(fmt.Sprintf("number %d.", i))
	}
	p := newPerson(t)
	p.look(390, 700, "light")
	p.enter(s.url(), "Lobby")
	p.waitFor("number 39.")
	p.waitAtEnd()

	eval[any](p, "document.querySelector('#back').click()")
	p.wait("location.pathname === '/chat/'")
	for i := range 5 {
		bob.send(fmt.Sprintf("while in the list %d", i))
	}
	p.wait("document.querySelector('#own .badge').textContent === '5'")
	p.wait("document.title.startsWith('(5) ') && document.querySelector('#icon').href.includes('unread')")
	eval[any](p, "document.querySelector('#own a').click()")
	p.waitFor("while in the list 4")
	p.wait("document.querySelector('.fresh')")
	p.waitAtEnd()
	p.wait("!document.title.startsWith('(')")

	hide := func(hidden bool) {
		eval[any](p, fmt.Sprintf("Object.defineProperty(document, 'hidden', {configurable: true, value: %v}); document.dispatchEvent(new Event('visibilitychange'))", hidden))
	}
	hide(true)
	for i := range 5 {
		bob.send(fmt.Sprintf("while hidden %d", i))
	}
	p.wait("document.title.startsWith('(5) ')")
	hide(false)
	p.waitFor("while hidden 4")
	p.waitAtEnd()
	bob.send("and on")
	p.waitFor("and on")
	p.waitAtEnd()
}

// TestPlaceIsKept changes the log's height and width in every way that it
// changes, for a reader at the end and for one in the middle.
func TestPlaceIsKept(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	bob := dial(t, s, "Lobby", "Bob")
	for i := range 45 {
		bob.send(fmt.Sprintf("number %d, with some more words so that the line breaks on a phone.", i))
	}
	p := newPerson(t)
	p.do(chromedp.EmulateViewport(390, 700))
	p.enter(s.url(), "Lobby")
	p.waitFor("number 44,")
	p.waitAtEnd()
	size := func(width, height int64) {
		p.do(chromedp.EmulateViewport(width, height))
		p.waitSize(width, height)
	}
	changes := []struct {
		name string
		do   func()
	}{
		{"the keyboard comes", func() { size(390, 400) }},
		{"the device is turned", func() { size(700, 390) }},
		{"it is turned back", func() { size(390, 700) }},
		{"a picture above has loaded", func() {
			eval[any](p, "document.querySelectorAll('#chat-log .bubble')[2].append(Object.assign(document.createElement('div'), {style: 'height: 180px'}))")
		}},
		{"the font has loaded", func() { eval[any](p, "document.querySelector('#chat-log').style.fontSize = '19px'") }},
		{"a banner comes", func() { eval[any](p, "document.querySelector('#room-note').textContent = 'Something is wrong.'") }},
		{"the composer grows", func() { eval[any](p, "document.querySelector('#composer').style.paddingTop = '90px'") }},
		{"a picture is gone", func() {
			eval[any](p, "document.querySelectorAll('#chat-log .bubble')[2].lastChild.style.height = 0")
		}},
	}
	for _, c := range changes {
		c.do()
		if below := p.below(); below > 1 {
			t.Errorf("%s: the end is %v pixels below", c.name, below)
		}
	}
	read := `(() => {
		const scroller = document.querySelector('#scroller'), edge = scroller.getBoundingClientRect().top;
		return document.querySelectorAll('#chat-log li')[20].lastChild.getBoundingClientRect().top - edge;
	})()`
	for _, c := range changes {
		eval[any](p, `new Promise(done => {
			const scroller = document.querySelector('#scroller'), row = document.querySelectorAll('#chat-log li')[20];
			scroller.scrollTop += row.lastChild.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 10;
			requestAnimationFrame(() => requestAnimationFrame(done));
		})`)
		before := eval[float64](p, read)
		c.do()
		p.below() // two frames on
		if after := eval[float64](p, read); after < before-2 || after > before+2 {
			t.Errorf("%s: what is read went from %v to %v", c.name, before, after)
		}
	}
}

// TestNothingIsWider shows every name that must fit, at every width.
func TestNothingIsWider(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	all := names(t)
	var rooms []*client
	for i, room := range all.Rooms {
		c := dial(t, s, room, all.People[i%len(all.People)])
		c.send("A message")
		rooms = append(rooms, c)
	}
	for _, person := range all.People {
		dial(t, s, all.Rooms[5], person)
	}
	p := newPerson(t)
	p.open(s.url() + "/")
	p.setName(strings.Repeat("W", 31) + "M")
	p.open(s.url() + "/chat/")
	p.wait(fmt.Sprintf("document.querySelectorAll('#others li').length === %d", len(all.Rooms)))
	check := func(where string) {
		t.Helper()
		p.settle()
		if wide := p.wider(); len(wide) > 0 {
			t.Errorf("%s: these are wider than the screen: %q", where, wide)
		}
	}
	for _, size := range []struct {
		width int64
		font  string
	}{{320, ""}, {360, ""}, {390, ""}, {768, ""}, {390, "200%"}, {320, "200%"}} {
		p.do(chromedp.EmulateViewport(size.width, 800))
		eval[any](p, "document.documentElement.style.fontSize = "+quote(size.font))
		for i, room := range all.Rooms {
			where := fmt.Sprintf("%d pixels, font %q, room %s", size.width, size.font, room)
			check(where + ", the list")
			eval[any](p, "[...document.querySelectorAll('#rooms a')].find(a => decodeURIComponent(a.pathname).toLowerCase() === "+
				quote("/chat/"+room+"/")+".toLowerCase()).click()")
			p.waitConnected()
			rooms[i].typing()
			p.wait("document.querySelector('#typing').textContent")
			check(where)
			if i == 5 {
				p.openPeople()
				check(where + ", people")
				eval[any](p, "history.back()")
				p.wait("!document.querySelector('#people')")
			}
			if out := eval[float64](p, "document.querySelector('#chat-message-submit').getBoundingClientRect().right - innerWidth"); out > 0 {
				t.Errorf("%s: Send is %v pixels outside", where, out)
			}
			eval[any](p, "document.querySelector('#back').click()")
			p.wait("location.pathname === '/chat/'")
		}
	}
	eval[any](p, "document.querySelector('#own a').click()")
	s.Stop()
	p.wait("!document.querySelector('#banner').hidden && document.querySelector('#status').textContent")
	check("offline")
}
