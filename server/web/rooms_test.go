package web_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// members counts the server's connections.
func members(s *server) int {
	n, _ := strconv.Atoi(s.Metric("parley_connections"))
	return n
}

// TestOwnRooms has a browser that knows twenty rooms: sixteen are connected, the
// shown one among them, and a second tab takes only its own room on top.
func TestOwnRooms(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/static/icon.svg")
	p.setName("Ann")
	eval[any](p, `for (let i = 0; i < 20; i++) localStorage.setItem('parley/room/room ' + i,
		JSON.stringify({room: 'Room ' + i, epoch: '', offset: 0, more: true, entries: [], at: i + 1}))`)
	p.enter(s.url(), "Lobby")
	for members(s) < 16 {
		p.wait("document.querySelector('#count').textContent")
	}
	bob := dial(t, s, "Room 19", "Bob")
	bob.send("hello")
	p.wait("document.title.startsWith('(1) ')")
	if n := members(s); n != 17 { // with Bob
		t.Errorf("%d connections", n)
	}
	second := p.newTab()
	second.enter(s.url(), "Room%200")
	second.say("from the second tab")
	second.waitFor("from the second tab")
	for members(s) > 18 { // 16 of the tab that leads, Lobby's of the first one, Bob
		p.wait("true")
	}
}

// TestSound listens for the sound of a new message: off at first, and never of a
// room that is muted.
func TestSound(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	bob := dial(t, s, "Lobby", "Bob")
	p := newPerson(t)
	p.before("window.tones = 0; { const make = AudioContext.prototype.createOscillator; AudioContext.prototype.createOscillator = function() { tones++; return make.call(this); } }")
	p.look(1280, 840, "light")
	p.enter(s.url(), "Lobby")
	p.enter(s.url(), "Attic")
	p.wait("document.querySelector('#own').innerText.includes('Lobby')")
	p.keys("a") // no page may sound before somebody has touched it
	unread := 0
	hear := func(want string) {
		t.Helper()
		bob.send("hello")
		unread++
		p.wait(fmt.Sprintf("document.querySelector('#own .badge')?.textContent === '%d' && tones %s", unread, want))
	}
	hear("=== 0")
	eval[any](p, "localStorage.setItem('parley/sound', 'true')")
	hear("=== 2")
	eval[any](p, "localStorage.setItem('parley/mute/lobby', 'true')")
	hear("=== 2")
}

// TestGap loses the line for longer than the server lets one resume, and fills
// what is missing, which has offsets of its own.
func TestGap(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	bob := dial(t, s, "Lobby", "Bob")
	bob.send("seen")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.waitFor("seen")
	p.open("about:blank")
	for i := range 60 {
		bob.send(fmt.Sprintf("number %d.", i))
	}
	// As if it had been away for too long to resume.
	p.open(s.url() + "/static/icon.svg")
	eval[any](p, `{ const key = 'parley/room/lobby', room = JSON.parse(localStorage.getItem(key)); room.offset = 2 ** 40; localStorage.setItem(key, JSON.stringify(room)) }`)
	p.enter(s.url(), "Lobby")
	p.waitFor("number 59.")
	p.wait("document.querySelector('.gap button')")
	eval[any](p, "document.querySelector('.gap button').click()")
	p.wait("!document.querySelector('.gap')")
	got := texts(p)
	if len(got) != 61 || got[0] != "seen" || got[1] != "number 0." {
		t.Errorf("%d messages: %q", len(got), strings.Join(got, "|")[:min(200, len(strings.Join(got, "|")))])
	}
}

// TestRoomThatLooksAlike opens a room whose name looks like another's, and is told so.
func TestRoomThatLooksAlike(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	dial(t, s, "Lobby", "Cleo").say("good morning")
	bob := named(t, s, "Bob")
	bob.enter(s.url(), "L\u043ebby") // with a Cyrillic o
	bob.wait("document.querySelector('#note').textContent === 'There is also a room Lobby, which looks like this one. This one is new.'")
}
