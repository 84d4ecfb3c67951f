// Draws the room that is shown: what is above its messages and below.

import {length, blank} from './codec.js';
import {name, isGuest, tabGet, tabSet} from './store.js';
import {$, el, bdi, button, show, fill, part} from './dom.js';
import {t, count, nodes, rulings, ruled, duration} from './words.js';
import {typed} from './text.js';
import {LogView, avatar, sentence} from './logview.js';

const typingEvery = 3000; // ms

// Where a tab keeps what is typed. An answer or a correction is no draft of a message.
const kept = ({about, key}) => `${about ? 'about' : 'draft'}/${key}`;

export class RoomView {
	constructor(app) {
		Object.assign(this, {app, door: null, people: null, room: null, input: $('chat-message-input'), told: -Infinity, naming: null});
		app.log = this.log = new LogView(app, (what, m) => this.act(what, m), () => this.look());
		const {input} = this;
		input.oninput = () => this.edited();
		// A keypress comes only if the keydown was before this script.
		input.onkeydown = input.onkeypress = e => {
			if (e.key !== 'Enter' || e.shiftKey) return;
			e.preventDefault();
			this.submit();
		};
		$('composer').onsubmit = e => {
			e.preventDefault();
			this.submit();
		};
		// Else the button takes the focus, and a phone's keyboard closes.
		$('chat-message-submit').onmousedown = e => e.preventDefault();
		$('pill').onclick = () => this.log.place.toEnd();
		$('open').onclick = () => this.openPeople();
		$('search').onclick = async () => (await part('find')).openFind(app, this.room);
		$('again').onclick = () => this.again();
		document.addEventListener('visibilitychange', () => this.look());
	}

	draw() {
		const {app} = this, room = app.shown;
		if (room !== this.room) this.show(room);
		if (!room) return;
		if (room.door && !this.door) this.loadDoor();
		if (this.door && this.door.draw) this.door.draw(room);
		const closed = $('conversation').hidden;
		$('conversation').hidden = !!room.door;
		if (closed && !room.door) this.input.focus();
		if (room.door) return;
		this.drawHeader(room);
		this.drawBanner(room);
		this.drawGuest();
		this.drawQuiet(room);
		show($('room-note'), app.storage ? t(`storage.${app.storage}`) : '');
		this.log.draw();
		const {trouble} = room.outbox;
		if (trouble) this.note(sentence(trouble));
		room.outbox.trouble = '';
		const empty = room.connected && !room.head && !room.timeline.entries.length && !room.outbox.list().length;
		$('empty').hidden = !empty;
		$('log').classList.toggle('new', empty);
		this.look();
	}

	/** Show another room; what was typed in each stays with it. */
	show(room) {
		const {input} = this;
		this.room = room;
		this.naming = null;
		if (room) {
			input.value = tabGet(kept(room));
			this.grow();
			this.note('');
			this.log.show(room);
		} else this.log.leave();
	}

	drawHeader(room) {
		const {session, members} = room, typing = room.typists.typing(performance.now());
		fill($('room-face'), room.name, () => [avatar(room.name)]);
		show($('room'), room.name);
		show($('count'), room.connected ? room.count === 1 ? t('room.alone') : count('people.here', room.count)
			: session.state === 'connecting' ? t('room.connecting') : t('room.offline'));
		const [one, two] = typing;
		fill($('typing'), typing, () => !typing.length ? [] : typing.length > 2 ? [t('room.typing.several')]
			: nodes(two ? 'room.typing.two' : 'room.typing.one', {name: bdi(one), other: two && bdi(two)}));
		// Three buttons and large letters leave no room for a name; the people's sheet has the search, too.
		$('search').hidden = !room.can.includes('search') || innerWidth < 16 * parseFloat(getComputedStyle(document.body).fontSize);
		if (this.people) this.people.draw(room, members);
	}

	drawBanner(room) {
		const {session} = room, {state, cause, reason} = session, taken = cause === 'name_taken';
		const bad = state === 'closed' || state === 'disconnected' && cause;
		if (state === 'connecting' && !$('banner').hidden) return; // it may be refused again
		$('banner').hidden = !bad;
		if (!bad) return;
		fill($('status'), [cause, reason, name()], () => [ruled(reason) || t(`cause.${cause}`), !ruled(reason) && (cause === 'removed' || cause === 'stopped') ? ` ${reason}` : '']);
		const seconds = Math.ceil((session.next - performance.now()) / 1000);
		show($('countdown'), state === 'disconnected' && seconds > 0 ? t('banner.next', {seconds}) : '');
		fill($('again'), [taken, reason], () => taken ? nodes('banner.be', {name: bdi(reason)}) : [t(rulings.host_key.test(reason) ? 'banner.without' : 'banner.now')]);
	}

	// Says in the place of the composer why nobody writes there; what was typed stays.
	drawQuiet({barrier, slow}) {
		const {input} = this, composer = $('composer'), quiet = !!barrier;
		show($('quiet'), quiet ? t(...barrier) : slow ? t('quiet.slow', {time: duration(slow)}) : '');
		if (composer.hidden === quiet) return;
		if (quiet) this.waits = document.activeElement === input;
		composer.hidden = quiet;
		this.grow();
		if (!quiet && this.waits && document.activeElement === document.body) input.focus();
	}

	again() {
		const {room} = this, {cause, reason} = room.session;
		cause === 'name_taken' ? this.app.rename(reason) : room.connect();
	}

	// A guest is asked for a name, and may go on typing.
	drawGuest() {
		const guest = isGuest(name());
		$('guest').hidden = !guest || !!tabGet('guest');
		if ($('guest').hidden) return;
		fill($('guest'), [name(), !!this.naming], () => this.naming ? [this.naming(this)] : [
			el('span', {}, ...nodes('guest.ask', {name: bdi(name())})),
			button(t('guest.set'), async () => {
				this.naming = (await part('guest')).nameForm;
				this.draw();
				$('guest-name').focus();
			}, {class: 'plain'}),
		]);
	}

	// Tells the room whether somebody looks at its end.
	look() {
		const {room, log: {place}} = this, visible = !document.hidden && !!room && !room.door && room === this.app.shown && $('conversation').offsetParent !== null;
		if (room) {
			const before = room.unread;
			room.look(visible && place.stick);
			if (before !== room.unread) this.app.changed();
		}
		const {unread} = room || {unread: 0};
		$('pill').hidden = place.stick;
		if (!place.stick) show($('pill'), `↓ ${unread ? count('room.new', unread) : t('log.newest')}`);
	}

	submit() {
		const {input, room} = this, text = typed(input.value), n = length(text);
		if (!room || room.door || room.barrier) return;
		this.note(n > room.limit ? t('composer.long', {n, limit: room.limit}) : '');
		if (n > room.limit || blank(text)) return;
		input.value = '';
		this.edited();
		Object.assign(this.log.place, {stick: true, top: 0});
		if (room.about) room.about.send(text);
		else room.outbox.add(text);
	}

	edited() {
		const {input, room} = this;
		this.grow();
		if (!room) return;
		tabSet(kept(room), input.value);
		if (blank(input.value)) return;
		this.note('');
		const now = performance.now();
		if (now - this.told < typingEvery) return;
		this.told = now;
		room.session.send({type: 'typing'});
	}

	grow() {
		const {style} = this.input;
		style.height = 'auto';
		style.height = `${this.input.scrollHeight + 2}px`;
	}

	note(text) {
		show($('sheet-note') || $('note'), text);
	}

	act(what, m) {
		const {outbox} = this.room;
		if (what === 'retry') return outbox.retry(m);
		outbox.drop(m.id);
		if (what !== 'edit') return;
		this.input.value = m.message;
		this.edited();
		this.input.focus();
	}

	async loadDoor() {
		this.door = {};
		const {DoorView} = await part('doorview');
		this.door = new DoorView(this.app);
		this.app.changed();
	}

	async openPeople() {
		$('open').setAttribute('aria-expanded', 'true');
		const {PeopleView} = await part('people');
		this.people = new PeopleView(this.app, this.room, () => {
			this.people = null;
			$('open').setAttribute('aria-expanded', 'false');
		});
		this.app.changed();
	}
}
