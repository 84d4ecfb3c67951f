package web_test

import (
	"strings"
	"testing"
)

// TestLockedRoom has one person make a room with a passphrase and another one
// enter it, and what the browser keeps.
func TestLockedRoom(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, bob := newPerson(t), newPerson(t)
	ann.open(s.url() + "/chat/")
	ann.wait("!document.querySelector('#lock').hidden")
	eval[any](ann, `document.querySelector('#lock').click();
		document.querySelector('#lock-key').value = 'correct horse'; document.querySelector('#room-name-input').value = 'Attic';
		document.querySelector('#room-name-submit').click()`)
	ann.wait("location.pathname === '/chat/Attic/'")
	ann.waitConnected()
	ann.say("a secret")
	ann.waitFor("a secret")

	bob.open(s.url() + "/chat/")
	bob.wait("[...document.querySelectorAll('#rooms a')].some(a => a.innerText.includes('Attic') && a.querySelector('.when svg'))")
	eval[any](bob, "document.querySelector('#rooms a').click()")
	bob.wait("document.querySelector('#status-door')?.textContent === 'The room has a passphrase.'")
	if strings.Contains(bob.transcript(), "secret") {
		t.Error("the page shows what it must not have")
	}
	enter := func(key string) {
		eval[any](bob, "document.querySelector('#key').focus(); document.querySelector('#key').value = "+quote(key))
		bob.keys("\r")
	}
	enter("wrong horse")
	bob.wait(`document.querySelector('#status-door').textContent === 'The room has a passphrase, and this is not it.'`)
	if kept := eval[bool](bob, "'parley/key/attic' in localStorage"); kept {
		t.Error("a wrong passphrase is kept")
	}
	enter("correct horse") // which has to wait for the wrong one's sake
	bob.waitFor("a secret")
	bob.wait("document.querySelector('#door').hidden")
	for range 2 { // on this device it is not asked for again
		bob.enter(s.url(), "attic")
		bob.waitFor("a secret")
	}

	// A room that is open says so, and lets in who leaves the passphrase out.
	bob.enter(s.url(), "hall")
	ann.open(s.url() + "/")
	eval[any](ann, "localStorage.setItem('parley/key/hall', '{\"key\":\"correct horse\"}')")
	ann.open(s.url() + "/chat/hall/")
	ann.wait("document.querySelector('#status-door')?.textContent === 'The room has no passphrase: it is open to everyone.'")
	eval[any](ann, "document.querySelector('#door-enter').click()")
	ann.waitConnected()
}

// TestUnlistedRoom makes a room that is not in the list.
func TestUnlistedRoom(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.open(s.url() + "/chat/")
	p.wait("!document.querySelector('#lock').hidden")
	eval[any](p, `document.querySelector('#lock').click(); document.querySelector('#unlisted').click();
		document.querySelector('#lock-key').value = 'correct horse'; document.querySelector('#room-name-input').value = 'Attic'`)
	eval[any](p, "document.querySelector('#room-name-submit').click()")
	p.wait("location.pathname === '/chat/Attic/'")
	p.waitConnected()
	other := newPerson(t)
	other.enter(s.url(), "hall")
	other.open(s.url() + "/chat/")
	other.wait("document.querySelector('#rooms').innerText.includes('hall')")
	if strings.Contains(eval[string](other, "document.querySelector('#rooms').innerText"), "Attic") {
		t.Error("the room is in the list")
	}
}
