// The page of one room: ties session, outbox and timeline to what is seen.

import {length, blank, maxText} from './codec.js';
import {personName} from './names.js';
import {name, set, get, remove, keyOf, device, onChange, loadRoom, saveRoom, tabGet, tabSet} from './store.js';
import {Outbox} from './outbox.js';
import {Session} from './session.js';
import {Timeline, pendingRow, avatar, el, $} from './timeline.js';

const show = (id, text) => { $(id).textContent = text; };
const segment = location.pathname.split('/')[2], room = decodeURIComponent(segment);
const input = $('chat-message-input'), log = $('chat-log'), scroller = $('scroller');

const kept = loadRoom(room), draft = `draft/${room}`;
let {epoch, offset} = kept; // the position up to which the room is shown
let title = room, me = name(), members = new Set(), count = 0, limit = maxText;
let current = '', head = 0; // at the welcome: the room's epoch, and the end of the replay
let away = kept.entries.length > 0; // what comes now was missed
let batch = []; // a replay, which is drawn as one
let unread = 0, typed = 0, loading = false, saving = 0;
const typists = new Map();

const timeline = new Timeline(log, scroller, fill);
const session = new Session(`${location.protocol.replace('http', 'ws')}//${location.host}/ws/chat/${segment}/`, {
	hello: () => ({type: 'hello', user: name(), device: device(), ...get(keyOf(room)), ...epoch && {epoch, after: offset}}),
	state: showState,
	frame: m => receive[m.type]?.(m),
});
const outbox = new Outbox(room, {send: m => session.send(m), stalled: () => session.lost(), changed: showPending});

const receive = {
	welcome,
	ack: m => outbox.drop(m.id),
	error: m => outbox.refused(m),
	typing: m => m.user === me || showTyping(m.user),
	chat_message(m) {
		batch.push(m);
		if (m.offset >= head) draw();
	},
	presence(m) {
		for (const user of m.users) m.event === 'join' ? members.add(user) : members.delete(user);
		count = m.count;
		showPeople();
	},
};

function welcome(m) {
	if (!m.resumed) {
		timeline.broken = true;
		if (m.epoch !== epoch) for (const e of timeline.entries) e.old = true; // its offset means nothing now
		// The position moves only with what is shown.
		if (m.epoch !== epoch || offset > m.offset) [epoch, offset] = [m.offset ? '' : m.epoch, 0];
	}
	({user: me, count, room: title, epoch: current, offset: head} = m);
	members = new Set(m.members);
	batch = [];
	limit = m.limits.message || maxText;
	log.setAttribute('aria-busy', head > offset);
	outbox.connected(m.limits);
}

function draw() {
	const messages = batch, {stick} = timeline;
	batch = [];
	const ours = new Set(outbox.list().map(m => m.id));
	for (const m of messages) {
		m.mine = m.user === me || ours.has(m.id);
		[epoch, offset] = [current, m.offset];
		typists.delete(m.user);
	}
	timeline.append(messages);
	for (const {id} of messages) if (ours.has(id)) outbox.drop(id);
	const fresh = messages.filter(m => m.item && !m.mine);
	if (away && fresh.length) {
		timeline.markFresh(fresh[0]);
		away = false;
	}
	log.setAttribute('aria-busy', false);
	away = away && document.hidden;
	if (!stick || document.hidden) unread += fresh.length;
	showUnread();
	showTyping();
	save();
}

async function fill(next) {
	if (loading || next.old || next.offset <= 1) return;
	loading = true;
	const answer = await session.history(next.offset, 50);
	loading = false;
	if (!answer) return;
	for (const m of answer.messages) m.mine = m.user === me;
	timeline.prepend(next, answer);
	save();
	older();
}

function older() {
	const [first] = timeline.entries;
	if (first && timeline.more && scroller.scrollTop < 400) fill(first);
}

const save = () => { saving = saving || setTimeout(saveNow, 300); };

function saveNow() {
	clearTimeout(saving);
	saving = 0;
	saveRoom(room, {room: title, epoch, offset, more: timeline.more, entries: timeline.entries.map(({item, ...m}) => m)});
}

function showState() {
	const {state, reason} = session, code = state === 'closed' && session.code, taken = code === 4501, locked = code === 4502 || code === 4504;
	if (state !== 'connected') outbox.disconnected();
	else older();
	const text = state === 'disconnected' ? 'You are offline.' : !code ? ''
		: taken ? `The name ${name()} belongs to somebody else here.`
		: code === 4503 ? `You were removed from this room. ${reason}` : reason || `The server ended this (${code}).`;
	if (locked) remove(keyOf(room));
	if (state !== 'connecting') {
		$('key').hidden = !locked;
		$('banner').hidden = !text;
		show('status', text);
		show('again', taken ? `Be ${reason}` : locked ? 'Enter' : 'Try now');
	}
	$('banner').onclick = e => {
		if (e.target === $('key')) return;
		const key = $('key').value;
		if (key) set(keyOf(room), {key});
		taken ? rename(reason) : session.connect();
	};
	document.body.classList.toggle('new', state === 'connected' && !head);
	countdown();
	showPeople();
}

function countdown() {
	const s = Math.ceil((session.next - Date.now()) / 1000);
	show('countdown', session.state === 'disconnected' && s > 0 ? `Next try in ${s} s.` : '');
}

function showPeople() {
	const hidden = count - members.size;
	show('room', title);
	show('count', session.state === 'connected' ? count === 1 ? 'Only you are here' : `${count} people here`
		: session.state === 'connecting' ? 'Connecting…' : 'Offline');
	$('members').replaceChildren(...[...members].sort().map(m => el('li', {}, avatar(m), el('bdi', {}, m), m === me ? 'you' : '')),
		hidden > 0 ? `and ${hidden} more` : '');
	if (document.activeElement !== $('name')) $('name').value = name();
}

function showPending() {
	const shown = new Set(timeline.entries.map(m => m.id));
	$('pending').replaceChildren(...outbox.list().filter(m => !shown.has(m.id)).map(m => pendingRow(m, act)));
	if (timeline.stick) timeline.toEnd();
}

function showUnread() {
	if (timeline.stick && !document.hidden) unread = 0;
	$('pill').hidden = timeline.stick;
	show('pill', unread ? `↓ ${unread} new` : '↓ Newest');
	document.title = `${document.hidden && unread ? `(${unread}) ` : ''}${title} · Parley`;
}

function showTyping(user) {
	if (user) {
		clearTimeout(typists.get(user));
		typists.set(user, setTimeout(() => typists.delete(user) && showTyping(), 5000));
	}
	const users = [...typists.keys()];
	show('typing', users[0] ? `${users.slice(0, 3).join(', ')} ${users[1] ? 'are' : 'is'} typing…` : '');
}

function grow() {
	input.style.height = '';
	input.style.height = `${input.scrollHeight + 3}px`;
	tabSet(draft, input.value);
}

function submit() {
	const text = input.value.trim(), n = length(text);
	show('note', n > limit ? `That has ${n} characters, of at most ${limit}.` : '');
	if (n > limit || blank(text)) return;
	input.value = '';
	grow();
	timeline.stick = true;
	outbox.add(text);
}

function act(what, m) {
	if (what === 'Try again') return outbox.retry(m);
	outbox.drop(m.id);
	if (what === 'Discard') return;
	input.value = m.message;
	grow();
	input.focus();
}

function rename(text) {
	set('name', text);
	session.connect();
}

// On a phone the people take the messages' place, on a desk they are beside them.
function people(force) {
	const open = document.body.classList.toggle('people', force);
	$('open').setAttribute('aria-expanded', open);
	(open ? $('name') : input).focus();
}

input.oninput = () => {
	grow();
	show('note', '');
	if (blank(input.value) || Date.now() - typed < 3000) return;
	typed = Date.now();
	session.send({type: 'typing'});
};
input.onkeydown = input.onkeypress = e => {
	if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229) return;
	e.preventDefault();
	if (e.type === 'keydown') submit();
};
$('composer').onsubmit = e => {
	e.preventDefault();
	submit();
};
// Else the button takes the focus, and a phone's keyboard closes.
$('chat-message-submit').onmousedown = e => e.preventDefault();
$('rename').onsubmit = e => {
	e.preventDefault();
	const {text, error} = personName($('name').value);
	show('name-error', error || '');
	if (error) return;
	people(false);
	rename(text);
};
$('key').onkeydown = e => e.key === 'Enter' && $('again').click();
$('open').onclick = () => people();
$('pill').onclick = () => timeline.toEnd();
addEventListener('keydown', e => e.key === 'Escape' && people(false));
scroller.addEventListener('scroll', () => {
	showUnread();
	older();
});
document.addEventListener('visibilitychange', () => {
	away = away || document.hidden;
	showUnread();
});
addEventListener('pagehide', () => saving && saveNow());
onChange(key => key === 'name' && session.connect());
addEventListener('full', () => show('note', 'This browser can keep no more: what is not sent is lost when this page closes.'));
setInterval(countdown, 500);

// What a phone's keyboard leaves of the page is the visual viewport.
window.visualViewport?.addEventListener('resize', ({target: {scale, height}}) => {
	if (scale !== 1) return;
	document.body.style.height = `${height}px`;
	scrollTo(0, 0);
});
new ResizeObserver(() => timeline.stick && timeline.toEnd()).observe(scroller);

$('room').parentNode.before(avatar(room));
timeline.append(kept.entries);
timeline.more = kept.more;
showUnread();
// What was typed before this script ran: an Enter was meant to send.
const saved = tabGet(draft), early = input.value, sent = early.lastIndexOf('\n') + 1;
input.value = early.slice(0, sent);
submit();
input.value = early.slice(sent) || saved;
grow();
input.focus();
showPending();
session.connect();
