package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// lockRoom opens a new room with a passphrase, from the list.
func (p *page) lockRoom(name, key string, hidden bool) {
	p.t.Helper()
	p.wait("!document.querySelector('#lock').hidden")
	eval[any](p, fmt.Sprintf(`document.querySelector('#lock').click(); document.querySelector('#unlisted').checked = %v;
		document.querySelector('#room-name-input').value = %s; document.querySelector('#lock-key').value = %s;
		document.querySelector('#room-name-submit').click()`, hidden, quote(name), quote(key)))
}

// fillStorage leaves no byte of the storage, on a page of the server.
func (p *page) fillStorage() {
	p.t.Helper()
	eval[any](p, `for (let n = 1 << 22; n; n >>= 1) {
		try { for (let i = 0; ; i++) localStorage.setItem(n + ' ' + i, 'x'.repeat(n)); } catch (e) {}
	}`)
}

// listed are the rooms in the list of somebody else.
func listed(t *testing.T, s *server) string {
	t.Helper()
	other := newPerson(t)
	other.enter(s.url(), "hall")
	other.open(s.url() + "/chat/")
	other.wait("document.querySelector('#rooms').innerText.includes('hall')")
	return eval[string](other, "document.querySelector('#rooms').innerText")
}

// A new room that is to be hidden stays so when its first passphrase is refused,
// over a reload too.
func TestRefusedLockStaysAsAsked(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/chat/")
	p.lockRoom("Attic", "not typed \x07 everywhere", true)
	atDoor := "document.querySelector('#door-unlisted')?.checked && document.activeElement.id === 'key'"
	p.wait(atDoor)
	p.wait("document.querySelector('#status-door').textContent === \"The passphrase has a character that can't be used.\"")
	p.open(s.url() + "/chat/Attic/")
	p.wait(atDoor)
	eval[any](p, "dispatchEvent(new Event('online')); localStorage.setItem('parley/x', '1')")
	eval[any](p, "document.querySelector('#key').value = 'correct horse'")
	p.keys("\r")
	p.waitConnected()
	p.say("hello")
	p.waitFor("hello")
	if rooms := listed(t, s); strings.Contains(rooms, "Attic") {
		t.Errorf("the room is in the list: %s", rooms)
	}
	stranger := newPerson(t)
	stranger.open(s.url() + "/chat/Attic/")
	stranger.wait("document.activeElement.id === 'key'")
}

// A passphrase that is typed at the door goes to the door.
func TestTypedAtTheDoor(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := dialKey(t, s, "Attic", "Ann", "correct horse")
	ann.send("a secret")
	p := newPerson(t)
	p.open(s.url() + "/chat/Attic/")
	p.wait("document.querySelector('#status-door')")
	p.wait("document.activeElement.id === 'key' && !document.querySelector('#composer').offsetParent")
	p.keys("wrong horse\r")
	p.wait("document.querySelector('#status-door').textContent.includes('this is not it')")
	p.wait("document.activeElement.id === 'key' && !document.querySelector('#key').readOnly")
	eval[any](p, "document.querySelector('#key').value = ''")
	p.keys("correct horse\r")
	p.waitFor("a secret")
	p.wait("document.activeElement.id === 'chat-message-input'")
	p.say("hello")
	p.waitFor("hello")
	if got := p.transcript(); strings.Contains(got, "horse") {
		t.Errorf("a passphrase was said in the room: %s", got)
	}
}

// Without a storage, or with a full one, a new room is locked as asked, and what
// the page can't do is said before anything is typed.
func TestLockWithoutStorage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for kind, says := range map[string]string{"full": "This browser can keep no more", "none": "This browser keeps nothing"} {
		t.Run(kind, func(t *testing.T) {
			p := newPerson(t)
			if kind == "full" {
				p.open(s.url() + "/static/icon.svg")
				p.fillStorage()
			} else {
				p.before("for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw new DOMException('blocked', 'SecurityError') }})")
			}
			p.open(s.url() + "/")
			p.wait("document.querySelector('#landing-note').textContent.startsWith(" + quote(says) + ")")
			p.open(s.url() + "/chat/")
			p.wait("document.querySelector('#list-note').textContent.startsWith(" + quote(says) + ")")
			room := "Attic" + kind
			p.lockRoom(room, "correct horse", false)
			p.waitConnected()
			p.wait("document.querySelector('#room-note').textContent.startsWith(" + quote(says) + ")")
			p.say("hello")
			p.waitFor("hello")
			stranger := newPerson(t)
			stranger.open(s.url() + "/chat/" + room + "/")
			stranger.wait("document.activeElement.id === 'key'")
		})
	}
}
