// Draws a room's messages.

import {$, el, button, bdi, show, fill, part} from './dom.js';
import {links, visible, isJumbo, initials, hueOf} from './text.js';
import {clock, dayName} from './format.js';
import {t, count, nodes, has, ruled} from './words.js';
import {Place} from './place.js';

const together = 5 * 60e3; // ms: messages of one person are a group so long
const rightToLeft = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;
const mayFold = text => text.length > 240 || text.split('\n').length > 20;

/** The initials of a name on its colour. */
export const avatar = (name, hue = hueOf(name)) => el('span', {class: `avatar hue${hue}`, 'aria-hidden': 'true'}, initials(name));

/** A text's nodes, with its links. */
export function linked(text) {
	const out = [];
	let at = 0;
	for (const [from, to, href] of links(text)) {
		out.push(text.slice(at, from), el('a', {href, target: '_blank', rel: 'noopener noreferrer'}, text.slice(from, to)));
		at = to;
	}
	return [...out, text.slice(at)];
}

/** What is said in a message, and when. */
export function bubble(m, state) {
	const date = new Date(m.time || m.at), time = +date ? (m.edited ? `${t('message.edited')} ` : '') + clock(date) : '', text = visible(m.message);
	// The text's last line leaves the place for the time, which lies over it.
	return el('div', {class: isJumbo(text) ? 'bubble jumbo' : 'bubble'}, el('div', {class: 'body', dir: rightToLeft.test(text) ? 'rtl' : 'ltr'},
		el('p', {'data-time': time + (state ? ' ✓' : '')}, ...linked(text)),
		el('span', {class: 'meta'}, time ? el('time', {dateTime: date.toISOString(), title: date.toLocaleString()}, time) : '',
			state ? el('span', {class: 'mark', role: 'img', 'aria-label': t(`message.${state}`)}) : '')));
}

/** Why the server refused something. What a later one says is in its own words. */
export function sentence({error, why = ''}) {
	const said = ruled(why);
	if (error === 'act.refused') return t(error, {why: said || why});
	return said || (has(error) ? t(error, {why}) : has(`failed.${error}`) ? t(`failed.${error}`) : `${t('failed.refused')} ${why}`);
}

export class LogView {
	/** act(what, m) is told of what is to become of a message that was not sent. */
	constructor(app, act, moved) {
		Object.assign(this, {app, act, moved, room: null, rows: new Map()}); // focus is what had it before the last drawing
		this.log = $('chat-log');
		this.scroller = $('scroller');
		this.place = new Place(this.scroller, this.log, () => this.read());
		Object.defineProperty(this.log, 'value', {get: () => [...this.log.children].map(({message: m}) => m.notice || m.deleted ? '' : `${m.user}: ${m.message}\n`).join('')});
	}

	/** Load what draws quotes, reactions, code and mentions. */
	async dress() {
		if (this.marks) return;
		this.marks = () => {};
		this.marks = (await part('marks')).mark;
		this.again();
	}

	/** Make all rows again. */
	again() {
		if (this.room) for (const m of this.rows.keys()) this.room.timeline.changed.add(m);
		$('pending').made = '';
		this.app.changed();
	}

	// Loads what says what hosts did.
	async tell() {
		if (this.lines) return;
		this.lines = () => [];
		this.lines = (await part('notices')).lines;
		document.querySelectorAll('.notice').forEach(e => { e.made = undefined; });
		this.app.changed();
	}

	/** Show another room, at the place where its reader was. */
	show(room) {
		this.leave();
		this.room = room;
		this.rows.clear();
		this.log.textContent = $('pending').textContent = $('pending').made = '';
		if (!room) return;
		Object.assign(this.place, {stick: true, top: 0});
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
		const {entries, changed} = room.timeline, {messages, changes} = room.outbox.waiting(), made = [], runs = [];
		const focus = this.focus = document.activeElement, {act} = focus.dataset, focused = act && focus.closest('li');
		this.sweep(new Set(entries));
		let next = log.firstChild, previous = null, run = null;
		for (const m of entries) {
			let row = rows.get(m);
			const change = !m.old && changes.get(m.offset), pending = JSON.stringify(change);
			if (!row || row.pending !== pending || changed.has(m)) made.push(row = this.make({...m, ...change}, m, row, pending));
			if (row.item === next) next = next.nextSibling;
			// Deleted messages next to each other are one line, and what a host did again.
			if (row.same && run && row.same === run.same && !m.gap && m !== room.fresh && row.day === run.day) {
				run.all.push(m);
				row.item.remove();
				continue;
			}
			if (run = row.same && row) runs.push(run);
			row.all = [m];
			if (row.item.nextSibling !== next || !row.item.parentNode) log.insertBefore(row.item, next);
			this.decorate(row, previous);
			previous = row;
		}
		changed.clear();
		for (const {row, m, all} of runs) m.notice ? fill(row, all, () => this.lines ? this.lines(all) : []) : show(row, count('log.deleted', all.length));
		this.fold(made);
		this.drawPending(messages, changes);
		log.parentNode.setAttribute('aria-busy', room.batch.length > 0);
		this.place.keep();
		if (act && !focus.isConnected) (focused.querySelector(`[data-act="${act}"]`) || this.scroller).focus();
	}

	sweep(here) {
		for (const [m, {item}] of this.rows) {
			if (here.has(m)) continue;
			item.remove();
			this.rows.delete(m);
		}
	}

	// Makes a message's row of what it looks like, or makes it again.
	make(shown, m, before, pending) {
		const date = new Date(m.time), hue = this.room.color(m.user || ''), plain = m.notice || shown.deleted;
		const row = plain ? el('div', {class: 'notice'}, ...m.notice && !m.offset ? nodes('notice.rename', {old: bdi(m.user), name: bdi(m.about)}) : [])
			: el('div', {class: m.mine ? 'row mine' : 'row'}, avatar(m.user, hue), bubble(shown, m.mine && 'sent'));
		if (m.notice && m.offset) this.tell();
		if (!plain) row.lastChild.prepend(el('bdi', {class: `name hue${hue}`}, m.user));
		if (!plain && this.marks) this.marks(row, shown, m, this);
		else if (m.changed || m.reply || m.file) this.dress();
		const item = before ? before.item : el('li', {message: m});
		const made = {m, plain, row, date, day: m.time ? date.toDateString() : '', item, pending, same: m.notice ? m.offset && `${m.did} ${m.by}` : shown.deleted, drawn: ''};
		if (before) item.setAttribute('aria-live', 'off'); // #told tells it
		this.rows.set(m, made);
		return made;
	}

	// Draws what neighbours decide: lines above, the sender, the time.
	decorate(made, previous) {
		const {m, row, item} = made;
		const day = made.day && (!previous || previous.day !== made.day), fresh = m === this.room.fresh;
		const first = !previous || day || fresh || !!m.gap || previous.plain || made.plain || previous.m.user !== m.user
			|| previous.m.by !== m.by || !previous.m.mine !== !m.mine || made.date - previous.date > together;
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
		const long = made.map(({row, item}) => ({p: row.querySelector('p'), item})).filter(({p}) => p && mayFold(p.textContent));
		for (const {p} of long) p.classList.add('folded');
		const over = long.map(({p}) => p.scrollHeight > p.clientHeight + 2);
		long.forEach(({p, item}, i) => {
			if (!over[i]) return p.classList.remove('folded');
			const more = button('', () => {
				item.whole = !item.whole; // also when its row is made again
				show();
				this.place.keep();
			}, {class: 'plain unfold', 'data-act': 'fold'});
			const show = () => {
				p.classList.toggle('folded', !item.whole);
				more.textContent = t(item.whole ? 'log.fold' : 'log.unfold');
				more.setAttribute('aria-expanded', !!item.whole);
			};
			show();
			p.after(more);
		});
	}

	drawPending(messages, changes) {
		const shown = new Set(this.room.timeline.entries.map(m => m.id)), pending = $('pending');
		const waiting = messages.filter(m => !shown.has(m.id)).map(m => ({...m, ...changes.get(m.id)})).filter(m => !m.deleted);
		const made = JSON.stringify([waiting, this.room.barrier]);
		if (made === pending.made) return;
		pending.made = made;
		pending.textContent = '';
		pending.append(...waiting.map(m => el('li', {message: m}, this.pendingRow(m))));
	}

	pendingRow(m) {
		const row = el('div', {class: `row mine ${m.error ? 'failed' : 'waiting'}`}, bubble(m, m.error ? 'failed' : 'waiting'));
		if (this.marks) this.marks(row, m, m, this);
		if (m.error) {
			row.append(el('div', {class: 'reason', dir: 'auto', role: 'alert'}, el('span', {}, sentence(m)), ' ',
				...[...m.error === 'no_copy' ? [] : ['retry'], ...this.room.barrier || m.file ? [] : ['edit'], 'discard'].map(what => button(t(`menu.${what}`), () => this.act(what, m), {class: 'plain', 'data-act': what}))));
		}
		return row;
	}
}
