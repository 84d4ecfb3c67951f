// What can be done with a message, on a long press, a right click, or a button that
// is on one row at a time: under the pointer, or where the arrow keys lead it.

import {emojis} from './codec.js';
import {$, el, button, bdi, icon, show, fill, part} from './dom.js';
import {t, nodes} from './words.js';
import {visible} from './text.js';
import {clock} from './format.js';
import {avatar} from './logview.js';
import {Sheets} from './sheets.js';
import {About} from './about.js';
import {excerpt} from './code.js';
import {changes, react, take, copy} from './act.js';

const held = 500; // ms that a finger rests for a long press

const coarse = matchMedia('(pointer:coarse)'), wide = matchMedia('(min-width:56.25em)');

export class View {
	constructor(app) {
		const [view] = app.views, log = $('log'), {input} = view;
		Object.assign(this, {app, view, log, input, room: null, item: null, told: null, sheets: Sheets.of(app)});
		this.button = button('⋯', () => this.open(this.item), {class: 'icon act', 'data-act': 'menu', 'aria-haspopup': 'dialog',
			onkeydown: e => this.walk(e)});
		input.addEventListener('input', () => this.names || input.value.includes('@') && part('complete').then(({Names}) => { this.names = this.names || new Names(app, input); }));
		this.bar = el('div', {id: 'about', hidden: true});
		$('composer').before(this.bar);
		document.body.append(this.status = el('p', {class: 'told', role: 'status'}));

		app.log.dress();
		['find', 'complete'].forEach(part);
		document.addEventListener('copy', e => this.copy(e));
		const on = (event, f, options) => log.addEventListener(event, f, options);
		on('contextmenu', e => this.asked(e));
		on('mouseover', e => {
			const item = e.target.closest('li');
			if (item && document.activeElement !== this.button) this.lead(item);
		});
		const passive = {passive: true}, rest = () => clearTimeout(timer);
		let timer = 0, from = null;
		on('touchstart', e => {
			rest();
			from = e.touches.length === 1 && e.touches[0];
			if (from) timer = setTimeout(() => this.asked(e), held);
		}, passive);
		on('touchmove', ({touches: [{clientX, clientY}]}) => from && Math.hypot(clientX - from.clientX, clientY - from.clientY) > 10 && rest(), passive);
		on('touchcancel', rest, passive);
		// The finger that opened a sheet presses nothing there when it leaves.
		on('touchend', e => {
			rest();
			if (this.sheets.sheet && e.cancelable) e.preventDefault();
		});
		input.addEventListener('keydown', e => this.key(e));
	}

	draw() {
		const {app, view, button: b} = this, room = app.shown;
		if (!room || room.door) return;
		if (room !== this.room) {
			Object.assign(this, {room, item: null});
			About.restore(view, room);
		}
		this.drawBar(room);
		this.tell(room);
		const lost = !b.isConnected && app.log.focus === b;
		if (!this.item?.isConnected || !lost && document.activeElement !== b && !this.item.matches(':hover')) this.item = this.items.pop();
		if (this.item) this.lead(this.item);
		if (lost) b.focus();
	}

	drawBar(room) {
		const {bar} = this;
		if (room.about && !room.about.message) room.about.lost();
		const {about} = room, m = about && about.message;
		bar.hidden = !m || !!room.barrier;
		fill(bar, m && [about.aim, m.message, m.user], () => !m ? [] : [
			el('div', {role: 'status'}, el('b', {}, ...about.aim.editing ? [t('composer.edit')] : nodes('composer.reply', {name: bdi(m.user)})), el('span', {dir: 'auto'}, excerpt(m.message))),
			button(icon('close'), () => about.cancel(), {class: 'icon', 'aria-label': t('composer.cancel')}),
		]);
	}

	// Tells those who can't see it what changed while they were here.
	tell(room) {
		const c = room.told;
		if (!c || c === this.told) return;
		this.told = c;
		const m = room.timeline.find(c.targets?.[0] || c.edits || c.target), what = c.type === 'chat_message' ? 'edit' : c.type;
		if (m && !c.mine && (what !== 'react' || c.emoji)) show(this.status, t(`told.${what}`, {name: c.user, emoji: c.emoji, text: excerpt(m.message)}));
	}

	// --- the button ---

	get items() {
		return [...this.log.querySelectorAll('li')].filter(li => li.querySelector('.bubble'));
	}

	lead(item) {
		const row = item.querySelector('.row'), bubble = row && row.querySelector('.bubble'), {button: b} = this, m = item.message;
		if (!bubble || b.parentNode === row) return;
		this.item = item;
		b.setAttribute('aria-label', `${t('menu.title')} · ${m.user || this.app.shown.me}: ${excerpt(m.message)}`);
		row.append(b);
		const {offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height} = bubble;
		b.style.left = m.mine || !m.offset ? `max(0px, ${left}px - 2.75rem)` : `min(${left + width}px, 100% - 2.75rem)`;
		b.style.top = `${top + Math.min(0, (height - b.offsetHeight) / 2)}px`;
	}

	walk(e) {
		const step = {ArrowUp: -1, ArrowDown: 1}[e.key];
		if (!step) return;
		e.preventDefault();
		const {items} = this, to = items[items.indexOf(this.item) + step];
		if (!to) return;
		this.lead(to);
		this.button.focus();
	}

	// --- the composer ---

	key(e) {
		const {input, room, view} = this;
		if (!room || e.isComposing) return;
		if (e.key === 'Escape' && room.about && !this.sheets.sheet) room.about.cancel();
		if (e.key !== 'ArrowUp' || input.value || room.about) return;
		const m = [...room.timeline.entries, ...room.outbox.waiting().messages].reverse().find(m => this.own(m));
		if (!m) return;
		e.preventDefault();
		About.begin(view, room, m, true);
	}

	// Whether a message can be edited: it is one's own, in the log or on its way there.
	own(m) {
		return m.offset ? m.mine && changes(this.room, m) : m.message && !m.error && (m.unsent || this.room.can.includes('change'));
	}

	// --- the menu ---

	asked(e) {
		const item = e.target.closest('li'), chip = e.target.closest('.chip');
		if (this.sheets.sheet || !item || !item.querySelector('.bubble') || e.target.closest('p a') || !getSelection().isCollapsed) return;
		if (e.type === 'contextmenu') e.preventDefault();
		chip ? this.who(item) : this.open(item);
	}

	open(item) {
		const {app, sheets, view} = this, room = app.shown, m = item.message, change = room.outbox.waiting().changes.get(m.offset || m.id), now = {...m, ...change};
		const more = changes(room, now), own = this.own(now), given = Object.values(m.reactions || {}).some(n => n > 0), host = more && room.rules.host;
		const action = (label, then, attributes) => button(label, () => sheets.close(then), {class: 'plain', ...attributes});
		this.beside(item, t('rooms.preview', {name: m.user || room.me, text: excerpt(now.message)}), [
			more && !room.rules.silenced && el('div', {id: 'reactions'}, ...emojis.map(e => action(e, () => react(room, m, e), {class: 'icon', 'aria-pressed': `${e === now.reacted}`}))),
			more && given && button(t('menu.who'), () => this.who(item), {class: 'plain'}),
			more && !room.barrier && action(t('menu.reply'), () => About.begin(view, room, m)),
			own && !room.barrier && action(t('menu.edit'), () => About.begin(view, room, m, true)),
			action(t('menu.copy'), () => copy(now.message) && show(this.status, t('people.copied'))),
			coarse.matches && button(t('menu.select'), () => this.select(item, now.message), {class: 'plain'}),
			host && button(t(room.rules.pinned === m.offset ? 'act.unpin' : 'act.pin'), () => part('hosts').then(({pin}) => sheets.close(() => pin(room, m))), {class: 'plain'}),
			host && !m.mine && button(`${m.user} …`, () => this.person(item), {class: 'plain', 'aria-haspopup': 'dialog'}),
			(own || host) && button(t('menu.delete'), () => this.beside(item, t('delete.ask'), [
				action(t('menu.delete'), () => take(room, m), {class: 'danger-button'}), action(t('composer.cancel')),
			]), {class: 'plain danger'}),
		].filter(Boolean));
	}

	// A finger that rests on a row opens its menu; here it selects.
	select(item, text) {
		const p = el('p', {id: 'selectable', dir: 'auto', tabIndex: 0}, visible(text));
		this.beside(item, t('menu.select'), [p]);
		getSelection().selectAllChildren(p);
	}

	// What a host can do with the one who wrote a message.
	async person(item) {
		const {app, room} = this, {user: name, by, offset: target, id: of} = item.message, {openPerson} = await part('hosts');
		openPerson(app, room, {name, by, whom: {target, of}}, (title, children) => this.beside(item, title, children));
	}

	async who(item) {
		const {room} = this, list = el('div', {id: 'who'}, '…'), place = this.beside(item, t('menu.who'), [list]);
		const answer = await room.session.ask({type: 'reactions', target: item.message.offset});
		list.replaceChildren(!answer ? t('room.offline') : el('ul', {}, ...emojis.filter(e => answer.users[e].length).map(e => el('li', {}, el('span', {}, e), ...answer.users[e].map(name => el('span', {}, avatar(name, room.color(name)), bdi(name)))))));
		place();
	}

	// Several messages are copied as lines that say who and when.
	copy(e) {
		const selection = getSelection(), {rows} = this.app.log;
		if (!this.room || selection.isCollapsed) return;
		const chosen = this.room.timeline.entries.filter(m => {
			const p = rows.get(m)?.row.querySelector('p');
			return p && selection.containsNode(p, true);
		});
		if (chosen.length < 2) return;
		e.clipboardData.setData('text/plain', chosen.map(m => `${m.user} ${clock(new Date(m.time))}: ${m.message}\n`).join(''));
		e.preventDefault();
	}

	// Opens a sheet, on a wide page where the message is. Returns what puts it there
	// again after its content changes.
	beside(item, title, children) {
		const sheet = this.sheets.open('menu', title, children);
		const {left, right, bottom} = item.querySelector('.bubble').getBoundingClientRect(), own = item.querySelector('.mine');
		const place = () => {
			if (wide.matches) Object.assign(sheet.style, {
				left: `${Math.max(8, Math.min(own ? right - sheet.offsetWidth : left, innerWidth - sheet.offsetWidth - 8))}px`,
				top: `${Math.max(8, Math.min(bottom + 4, innerHeight - sheet.offsetHeight - 8))}px`,
			});
		};
		place();
		return place;
	}
}
