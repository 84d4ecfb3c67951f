// Draws a room's messages.

import {$, el, button, bdi} from './dom.js';
import {links, visible, isJumbo, initials, hueOf} from './text.js';
import {clock, dayName} from './format.js';
import {t, nodes, has} from './words.js';
import {Place} from './place.js';

const together = 5 * 60e3; // ms: messages of one person are a group so long
const rightToLeft = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;
const mayFold = text => text.length > 240 || text.split('\n').length > 20;

/** The initials of a name on its colour. */
export const avatar = (name, hue = hueOf(name)) => el('span', {class: `avatar hue${hue}`, 'aria-hidden': 'true'}, initials(name));

function linked(text) {
	const out = [];
	let at = 0;
	for (const [from, to, href] of links(text)) {
		out.push(text.slice(at, from), el('a', {href, target: '_blank', rel: 'noopener noreferrer'}, text.slice(from, to)));
		at = to;
	}
	return [...out, text.slice(at)];
}

function bubble(m, state) {
	const date = new Date(m.time || m.at), time = +date ? clock(date) : '', text = visible(m.message);
	// The text's last line leaves the place for the time, which lies over it.
	return el('div', {class: isJumbo(text) ? 'bubble jumbo' : 'bubble'}, el('div', {class: 'body', dir: rightToLeft.test(text) ? 'rtl' : 'ltr'},
		el('p', {'data-time': time + (state ? ' ✓' : '')}, ...linked(text)),
		el('span', {class: 'meta'}, time ? el('time', {dateTime: date.toISOString(), title: date.toLocaleString()}, time) : '',
			state ? el('span', {class: 'mark', role: 'img', 'aria-label': t(`message.${state}`)}) : '')));
}

const sentence = ({error, why}) => has(`failed.${error}`) ? t(`failed.${error}`) : why || t('failed.refused');

export class LogView {
	/** act(what, m) is told of what is to become of a message that was not sent. */
	constructor(act, moved) {
		Object.assign(this, {act, moved, room: null, rows: new Map()});
		this.log = $('chat-log');
		this.scroller = $('scroller');
		this.place = new Place(this.scroller, this.log, () => this.read());
		Object.defineProperty(this.log, 'value', {get: () => [...this.log.children].map(({message: m}) => m.notice ? '' : `${m.user}: ${m.message}\n`).join('')});
		document.addEventListener('copy', e => this.copy(e));
	}

	/** Show another room, at the place where its reader was. */
	show(room) {
		this.leave();
		this.room = room;
		this.rows.clear();
		this.log.textContent = $('pending').textContent = $('pending').made = '';
		if (!room) return;
		this.place.stick = true;
		this.draw();
		const row = room.place && !room.place.stick && this.rows.get(room.place.entry);
		if (row) this.place.goTo(row.item, room.place.offset);
		room.place = this.place;
		this.read();
	}

	leave() {
		if (!this.room) return;
		const {stick, anchor, offset} = this.place;
		this.room.place = {stick, offset, entry: anchor?.message};
	}

	read() {
		const {scroller, room, place} = this;
		if (room && scroller.scrollTop < 400 && scroller.clientHeight) room.older();
		const entry = !place.stick && place.anchor?.message;
		const floats = entry && entry.time && scroller.scrollTop > 20 ? dayName(new Date(entry.time)) : '';
		$('floating').hidden = !floats;
		$('floating').textContent = floats;
		this.moved();
	}

	draw() {
		const {room, log, rows} = this;
		if (!room) return;
		const {entries} = room.timeline;
		this.sweep(new Set(entries));
		let next = log.firstChild, previous = null;
		const made = [];
		for (const m of entries) {
			let row = rows.get(m);
			if (!row) made.push(row = this.make(m));
			if (row.item === next) next = next.nextSibling;
			else log.insertBefore(row.item, next);
			this.decorate(row, previous);
			previous = row;
		}
		if (previous) previous.row.classList.remove('run');
		this.fold(made);
		this.drawPending();
		log.parentNode.setAttribute('aria-busy', room.batch.length > 0);
		this.place.keep();
	}

	sweep(here) {
		for (const [m, {item}] of this.rows) {
			if (here.has(m)) continue;
			item.remove();
			this.rows.delete(m);
		}
	}

	make(m) {
		const date = new Date(m.time), hue = this.room.color(m.user || '');
		const row = m.notice ? el('div', {class: 'notice'}, ...nodes('notice.rename', {old: bdi(m.user), name: bdi(m.about)}))
			: el('div', {class: m.mine ? 'row mine' : 'row'}, avatar(m.user, hue), bubble(m, m.mine && 'sent'));
		if (!m.notice) row.lastChild.prepend(el('bdi', {class: `name hue${hue}`}, m.user));
		const made = {m, row, date, day: m.time ? date.toDateString() : '', minute: m.time ? m.time.slice(0, 16) : '', item: el('li', {message: m}, row), drawn: ''};
		this.rows.set(m, made);
		return made;
	}

	// Draws what neighbours decide: lines above, the sender, the time.
	decorate(made, previous) {
		const {m, row, item} = made;
		const day = made.day && (!previous || previous.day !== made.day), fresh = m === this.room.fresh;
		const first = !previous || day || fresh || !!m.gap || previous.m.notice || m.notice || previous.m.user !== m.user
			|| previous.m.by !== m.by || !previous.m.mine !== !m.mine || made.date - previous.date > together;
		if (previous) previous.row.classList.toggle('run', !first && previous.minute === made.minute);
		const drawn = [day && dayName(made.date), fresh, m.gap, m.old, first].join();
		if (made.drawn === drawn) return;
		made.drawn = drawn;
		const lines = [], line = (name, content) => lines.push(el('div', {class: `line ${name}`}, el('span', {}, content)));
		if (m.gap) line('gap', button(t('log.gap'), () => this.room.fill(m), {class: 'plain', disabled: !!m.old}));
		if (day) line('day', dayName(made.date));
		if (fresh) line('fresh', t('room.fresh'));
		item.textContent = '';
		item.append(...lines, row);
		row.classList.toggle('first', first);
	}

	// A text of more than twenty lines shows the first ones, and a button for the rest.
	fold(made) {
		const long = made.filter(({m}) => m.message && mayFold(m.message)).map(({row}) => row.querySelector('p'));
		for (const p of long) p.classList.add('folded');
		const over = long.map(p => p.scrollHeight > p.clientHeight + 2);
		long.forEach((p, i) => {
			if (!over[i]) return p.classList.remove('folded');
			const more = button(t('log.unfold'), () => {
				const folded = p.classList.toggle('folded');
				more.textContent = t(folded ? 'log.unfold' : 'log.fold');
				more.setAttribute('aria-expanded', !folded);
				this.place.keep();
			}, {class: 'plain unfold', 'aria-expanded': 'false'});
			p.after(more);
		});
	}

	drawPending() {
		const shown = new Set(this.room.timeline.entries.map(m => m.id));
		const waiting = this.room.outbox.list().filter(m => !shown.has(m.id)), pending = $('pending');
		const made = JSON.stringify(waiting);
		if (made === pending.made) return;
		pending.made = made;
		pending.textContent = '';
		pending.append(...waiting.map(m => el('li', {}, this.pendingRow(m))));
	}

	pendingRow(m) {
		const row = el('div', {class: `row mine ${m.error ? 'failed' : 'waiting'}`}, bubble(m, m.error ? 'failed' : 'waiting'));
		if (m.error) {
			row.append(el('div', {class: 'reason', dir: 'auto', role: 'alert'}, el('span', {}, sentence(m)), ' ',
				...['retry', 'edit', 'discard'].map(what => button(t(`menu.${what}`), () => this.act(what, m), {class: 'plain', 'data-act': what}))));
		}
		return row;
	}

	// Several messages are copied as lines that say who and when.
	copy(e) {
		const selection = getSelection();
		if (!this.room || selection.isCollapsed) return;
		const chosen = this.room.timeline.entries.filter(m => !m.notice && selection.containsNode(this.rows.get(m)?.row.querySelector('p') || document, true));
		if (chosen.length < 2) return;
		e.clipboardData.setData('text/plain', chosen.map(m => `${m.user} ${clock(new Date(m.time))}: ${m.message}\n`).join(''));
		e.preventDefault();
	}
}
