package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// outbox runs a script with two tabs' outboxes of a room, a and b, and sent, what went out.
func outbox[T any](t *testing.T, script string) T {
	t.Helper()
	p := newPerson(t)
	p.open(staticServer(t) + "/static/icon.svg")
	return eval[T](p, `import('/static/outbox.js').then(async ({Outbox}) => {
		const sent = [], here = new Map(), line = {rate: 0, burst: 10};
		const open = has => new Outbox('Lobby', {send: m => sent.push(m), changed() {}, stalled() {}, slow: () => 0, find: id => has.get(id)});
		const a = open(here), b = open(new Map());
		`+script+`
	})`)
}

// TestLastEditWins refuses the first of two edits for a moment: the second waits for it.
func TestLastEditWins(t *testing.T) {
	t.Parallel()
	got := outbox[[]string](t, `
		a.connected(line);
		a.add('first', {edits: 57, of: 'x'});
		a.disconnected();
		a.add('second', {edits: 57, of: 'x'});
		a.add('other', {edits: 58, of: 'y'});
		sent.length = 0;
		a.connected(line);
		a.refused({id: sent[0].id, code: 'unavailable', message: 'Later.', retry_ms: 1});
		while (sent.length < 3) await new Promise(done => setTimeout(done, 5));
		a.drop(sent[0].id, 60);
		return sent.map(m => m.message);`)
	if want := "first other first second"; strings.Join(got, " ") != want {
		t.Errorf("went out: %q, want %s", got, want)
	}
}

// TestMessageTakenByAnotherTab has another tab take a message's echo before a change
// of it waits: the change goes out as soon as the message is here, or is undone.
func TestMessageTakenByAnotherTab(t *testing.T) {
	t.Parallel()
	const taken = `
		a.connected(line);
		a.add('mine');
		const [{id}] = sent;
		a.disconnected();
		b.drop(id, 57);
		sent.length = 0;
		a.add('corrected', {edits: 0, of: id}, id);
		a.add(undefined, {type: 'delete', target: 0, of: id}, id);
		a.connected(line);
	`
	got := outbox[json.RawMessage](t, taken+`
		here.set(id, 57);
		a.pump();
		return sent.map(m => [m.message, m.edits]);`)
	if want := `[["corrected",57]]`; string(got) != want {
		t.Errorf("went out: %s, want %s", got, want)
	}
	got = outbox[json.RawMessage](t, taken+`
		const now = performance.now();
		performance.now = () => now + 11e3;
		a.pump();
		return [sent.length, a.trouble?.error, a.list().map(m => [m.message, m.error])];`)
	if want := `[0,"not_found",[["corrected","not_found"]]]`; string(got) != want {
		t.Errorf("without its message: %s, want %s", got, want)
	}
}
