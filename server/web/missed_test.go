package web_test

import "testing"

// keeps alters what the page has kept of the lobby, as r.
func (p *page) keeps(change string) {
	p.t.Helper()
	eval[any](p, "(() => { const r = JSON.parse(localStorage.getItem('parley/room/lobby')); "+change+
		"; localStorage.setItem('parley/room/lobby', JSON.stringify(r)); })()")
}

// passOver has a page know the secret, and stand behind its deletion without having
// heard of it.
func passOver(t *testing.T, s *server, p *page) *client {
	t.Helper()
	bob := dial(t, s, "Lobby", "Bob")
	secret := bob.say("the secret")
	p.enter(s.url(), "Lobby")
	p.waitFor("the secret")
	p.wait("localStorage.getItem('parley/room/lobby')?.includes('the secret')")
	p.open(s.url() + "/static/icon.svg")
	bob.delete(secret)
	after := bob.say("after")
	p.keeps("r.offset = 3; r.entries.push({...r.entries[0], id: " + quote(after.ID) + ", offset: 3, message: 'after'})")
	return bob
}

const secretGone = "document.querySelector('#chat-log .notice') && !localStorage.getItem('parley/room/lobby').includes('the secret')"

// TestPageFromBeforeChanges is a page that did not know changes and passed over a
// deletion, and is loaded again: it asks once for all that it missed.
func TestPageFromBeforeChanges(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	passOver(t, s, p)
	p.keeps("delete r.can; delete r.since; delete r.until")
	p.before(`const send = WebSocket.prototype.send; WebSocket.prototype.send = function(data) {
		if (data.includes('"changed"')) (window.asked ||= []).push(JSON.parse(data).changed);
		send.call(this, data);
	}`)
	p.enter(s.url(), "Lobby")
	p.waitFor("after")
	p.wait(secretGone)
	if asked := eval[string](p, "asked.join()"); asked != "1" {
		t.Errorf("it asked for the changes after %s, want 1", asked)
	}
	p.wait("!JSON.parse(localStorage.getItem('parley/room/lobby')).since")
	p.enter(s.url(), "Lobby")
	p.waitFor("after")
	if eval[bool](p, "!!window.asked") {
		t.Error("it asked once more")
	}
}

// TestAsksAgainForChanges has the server refuse the question for a moment.
func TestAsksAgainForChanges(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	passOver(t, s, p)
	p.keeps("r.since = 1; r.until = 4")
	p.before(`const send = WebSocket.prototype.send; WebSocket.prototype.send = function(data) {
		if (data.includes('"changed"') && !window.asked) {
			window.asked = true;
			return setTimeout(() => this.onmessage({data: '{"type":"error","code":"unavailable","message":"Later.","retry_ms":100}'}));
		}
		send.call(this, data);
	}`)
	p.enter(s.url(), "Lobby")
	p.wait("window.asked")
	p.wait(secretGone)
}

// TestQuestionEnds has a server repeat its answer: it is not asked for ever.
func TestQuestionEnds(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	got := eval[int](p, `Promise.all([import('/static/room.js'), import('/static/changes.js')]).then(async ([{Room}, {catchUp}]) => {
		const room = new Room('Lobby', {changed() {}, said() {}});
		let asked = 0;
		room.session.state = 'connected';
		room.session.send = () => ++asked < 50 && !!setTimeout(() => room.session.receive(JSON.stringify({type: 'history', more: true, changed: 5, messages: [
			{type: 'chat_message', id: 'm', user: 'Bob', message: 'text', time: '2026-01-01T00:00:00Z', offset: 1, changed: 5}]})));
		room.since = 1;
		room.until = 9;
		await catchUp(room);
		while (room.since && asked < 50) await new Promise(done => setTimeout(done));
		clearTimeout(room.again);
		room.session.rest();
		return asked;
	})`)
	if got != 2 {
		t.Errorf("it asked %d times, want 2", got)
	}
}

// TestAsksForAllThatIsHere breaks the line twice within what comes after a gap: the
// newest messages may begin before the position, if changes alone came after it.
func TestAsksForAllThatIsHere(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	got := eval[string](p, `import('/static/room.js').then(({Room}) => {
		const room = new Room('Lobby', {changed() {}, said() {}});
		const welcome = (epoch, offset) => room.receive({type: 'welcome', room: 'Lobby', user: 'Ann', epoch, offset, resumed: false, can: ['change'], limits: {}, members: [], count: 1});
		const say = offset => room.receive({type: 'chat_message', id: 'm' + offset, user: 'Bob', message: 'text', time: '2026-01-01T00:00:00Z', offset});
		const asks = [], ask = () => asks.push(room.since + '-' + room.until);
		welcome('A', 3);
		[1, 2, 3].forEach(say);
		welcome('A', 20000); // the entries 4 to 20000 are reactions
		ask();
		say(1);
		room.apply();
		welcome('A', 20100); // and 100 messages
		ask();
		welcome('B', 1);
		say(1);
		welcome('B', 20000);
		ask();
		clearTimeout(room.saving);
		return asks.join();
	})`)
	if want := "3-4,1-4,1-2"; got != want {
		t.Errorf("it asks for %s, want %s", got, want)
	}
}
