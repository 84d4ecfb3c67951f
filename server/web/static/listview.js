// Draws the rooms: those of this browser, those that others are in, and the way
// to open a new one.

import {roomName, roomKey, roomPath, keyProblem} from './names.js';
import {name, get, set, keyOf, tabGet} from './store.js';
import {$, el, bdi, icon, show, fill, part} from './dom.js';
import {t, count, nodes} from './words.js';
import {initials, hueOf} from './text.js';
import {excerpt} from './code.js';
import {shortTime} from './format.js';
import {avatar} from './logview.js';

const mostRows = 60;

export class View {
	constructor(app) {
		this.app = app;
		const form = $('enter');
		form.onsubmit = e => {
			e.preventDefault();
			this.submit();
		};
		$('room-name-input').oninput = $('lock-key').oninput = () => show($('error'), '');
		$('lock').hidden = false;
		$('lock').onclick = () => this.lock($('lock-fields').hidden);
		$('settings').onclick = $('me-button').onclick = () => this.openSettings();
		if (app.screen === 'list') $('room-name-input').focus();
	}

	lock(open) {
		$('lock-fields').hidden = !open;
		$('lock').setAttribute('aria-expanded', open);
		$(open ? 'lock-key' : 'room-name-input').focus();
	}

	submit() {
		const input = $('room-name-input'), open = !$('lock-fields').hidden, key = $('lock-key').value, host = open && $('hosting').checked, locked = open && !(host && !key && !$('unlisted').checked);
		const {text, error} = roomName(input.value), wrong = error || (locked ? keyProblem(key) : null);
		show($('error'), wrong ? t(...wrong) : '');
		if (wrong) return $(error ? 'room-name-input' : 'lock-key').focus();
		if (open) {
			// Somebody in a room that is here already is not to be thrown out of it.
			const known = this.app.rooms.get(roomKey(text));
			if (known && locked) this.app.forget(known);
			set(keyOf(text), {...locked ? {key, listed: !$('unlisted').checked, fresh: true} : get(keyOf(text)), host});
			if (known && !locked) known === this.app.shown ? known.connect() : known.session.rest(); // and says so in a new hello
			$('lock-key').value = '';
			$('unlisted').checked = $('hosting').checked = false;
			$('lock-fields').hidden = true;
			$('lock').setAttribute('aria-expanded', 'false');
		}
		input.value = '';
		this.app.enter(text);
	}

	draw() {
		const {app} = this, {server} = app;
		show($('server'), server.name || 'Parley');
		show($('server-about'), [location.host, server.people ? count('people', server.people) : ''].filter(Boolean).join(' · '));
		fill($('me-face'), name(), () => [avatar(name())]);
		show($('me'), name());
		show($('list-note'), app.refusal ? t(`cause.${app.refusal}`) : app.storage ? t(`storage.${app.storage}`) : '');
		if (!$('list').offsetParent) return;
		const own = app.own().filter(room => room.timeline.last || room.connected || room === app.shown), mine = new Set(own.map(room => room.key));
		const rows = own.map(room => this.ownRow(room)).sort((a, b) => b.at - a.at);
		this.rows($('own'), rows);
		const others = app.listed.filter(room => !mine.has(roomKey(room.name))).slice(0, mostRows).map(room => this.otherRow(room));
		this.rows($('others'), others);
		$('own-title').hidden = !rows.length;
		$('others-title').hidden = !others.length;
		$('none').hidden = rows.length + others.length > 0;
	}

	ownRow(room) {
		const {last} = room.timeline, typing = room.typists.typing(performance.now()), draft = room !== this.app.shown && tabGet(`draft/${room.key}`);
		const offline = room.session.state === 'disconnected';
		return {
			name: room.name, path: room.path, at: last ? Date.parse(last.time) || 0 : 0, time: last ? last.time : '', unread: room.unread, muted: room.muted,
			current: room === this.app.shown, locked: !!room.door || !!room.wish.key,
			line: typing.length ? ['room.typing.one', typing[0]] : draft ? ['rooms.draft', '', draft] : offline ? ['room.offline']
				: last && last.deleted ? ['log.deleted', 1] : last ? [last.mine ? 'rooms.preview.mine' : 'rooms.preview', last.user, last.message] : ['room.empty'],
		};
	}

	otherRow({name, count: n, last_activity: time, locked}) {
		return {name, path: name, time, unread: 0, locked, line: n ? ['people.here', n] : ['rooms.quiet']};
	}

	// Rows stay the same elements while their room is here: the focus stays too.
	rows(list, rows) {
		const before = new Map([...list.children].map(e => [e.path, e]));
		let next = list.firstChild;
		for (const row of rows) {
			const item = before.get(row.path) || Object.assign(el('li', {}), {path: row.path});
			before.delete(row.path);
			fill(item, row, () => [this.row(row)]);
			if (item === next) next = next.nextSibling;
			else list.insertBefore(item, next);
		}
		before.forEach(e => e.remove());
	}

	row({name, path, time, unread, muted, current, locked, line: [key, who, text = '']}) {
		const date = new Date(time), line = excerpt(text);
		return el('a', {href: roomPath(path), class: unread ? 'tile unread' : 'tile', ...current && {'aria-current': 'page'}},
			el('span', {class: `avatar room hue${hueOf(name)}`, 'aria-hidden': 'true'}, initials(name)),
			bdi(name), el('span', {class: 'when'}, locked ? icon('lock') : '', muted ? icon('mute') : '', +date ? el('time', {dateTime: time}, shortTime(date)) : ''),
			el('small', {class: key === 'rooms.draft' ? 'draft' : ''}, ...Number.isInteger(who) ? [count(key, who)] : nodes(key, {name: bdi(who || ''), text: bdi(line)})),
			unread ? el('b', {class: 'badge', 'aria-label': count('room.new', unread)}, unread > 99 ? '99+' : String(unread)) : '');
	}

	async openSettings() {
		const {openSettings} = await part('settings');
		openSettings(this.app);
	}
}
