// A room's messages: their order, gaps and looks.

const maxRows = 1000; // while new ones come; scrolling up brings the others back
const hues = [4, 20, 210, 224, 240, 258, 276, 300, 322, 342]; // readable with white
const clock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const longDay = new Intl.DateTimeFormat('en', {weekday: 'long', day: 'numeric', month: 'long'});

export const $ = id => document.getElementById(id);

// A new element. Text only ever becomes text nodes.
export function el(tag, attributes, ...children) {
	const e = document.createElement(tag);
	for (const [k, v] of Object.entries(attributes)) typeof v === 'string' ? e.setAttribute(k, v) : e[k] = v;
	e.append(...children);
	return e;
}

// The initials of a name on a colour of its own.
export function avatar(name) {
	const words = name.split(/[ _-]+/).filter(Boolean);
	return tint(name, el('span', {class: 'avatar', 'aria-hidden': 'true'},
		[words[0], ...words.slice(1).slice(-1)].map(w => w ? [...w][0] : '').join('').toUpperCase()));
}

function tint(name, e) {
	let hash = 0;
	for (const c of name.toLowerCase()) hash = (hash * 33 + c.codePointAt(0)) % 65521;
	e.style.setProperty('--hue', hues[hash % hues.length]);
	return e;
}

// Control characters as pictures.
const visible = text => text.replace(/\r\n?/g, '\n')
	.replace(/[\0-\x08\x0b-\x1f\x7f]/g, c => String.fromCharCode(0x2400 + (c < '\x7f' ? c.charCodeAt(0) : 0x21)));

const link = /(https?:\/\/[^\s<>"\p{Bidi_C}]*[^\s<>"\p{Bidi_C}.,;:!?')\]])/iu;
const linked = text => text.split(link).map((s, i) => i % 2 ? el('a', {href: s, target: '_blank', rel: 'noopener noreferrer'}, s) : s);

function bubble(m, state) {
	const at = new Date(m.time || m.at);
	return el('div', {class: 'bubble'}, el('div', {class: 'body'},
		el('p', {dir: 'auto'}, ...linked(visible(m.message))),
		el('span', {class: 'meta'}, +at ? el('time', {dateTime: at.toISOString()}, clock.format(at)) : '',
			state ? el('span', {class: 'mark', role: 'img', 'aria-label': state}) : '')));
}

// The row of a message in the outbox; act(what, m) is told of taps.
export function pendingRow(m, act) {
	const row = el('div', {class: `row mine ${m.error ? 'failed' : 'waiting'}`}, bubble(m, m.error ? 'Not sent' : 'Waiting'));
	if (m.error) {
		row.append(el('div', {class: 'reason', dir: 'auto'}, m.error, ...['Try again', 'Edit', 'Discard'].map(
			what => el('button', {class: 'plain', onclick: () => act(what, m)}, what))));
	}
	return row;
}

const key = m => `${m.id || m.offset} ${m.user}`; // a stranger may repeat an id
const minute = m => m.time.slice(0, 16);
const day = m => m.time && new Date(m.time).toDateString();
const daysAgo = n => new Date(new Date().setDate(new Date().getDate() - n)).toDateString();
const dayName = m => day(m) === daysAgo(0) ? 'Today' : day(m) === daysAgo(1) ? 'Yesterday' : longDay.format(new Date(m.time));

export class Timeline {
	// fill(m) is asked for what is missing before m.
	constructor(log, scroller, fill) {
		Object.assign(this, {log, scroller, fill, entries: [], known: new Map(), more: true, broken: false, stick: true});
		scroller.addEventListener('scroll', () => {
			this.stick = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
		});
		Object.defineProperty(log, 'value', {get: () => this.entries.map(m => `${m.user}: ${m.message}\n`).join('')});
	}

	// Changes the rows without moving what the reader looks at.
	keepPlace(change) {
		const {scroller, log} = this, top = e => e.getBoundingClientRect().top;
		const anchor = [...log.children].map(e => e.lastChild).find(row => row.getBoundingClientRect().bottom > top(scroller));
		const before = anchor && top(anchor);
		change();
		if (this.stick) this.toEnd();
		else if (anchor) scroller.scrollTop += top(anchor) - before;
	}

	toEnd() {
		this.stick = true;
		this.scroller.scrollTop = this.scroller.scrollHeight;
	}

	// Puts messages at the end; those already here only take a new offset.
	append(messages) {
		const {entries} = this;
		this.keepPlace(() => {
			for (const m of messages) {
				const last = entries[entries.length - 1];
				if (!this.meet(m)) {
					if (this.broken && last) m.gap = m.offset !== (last.old ? 1 : last.offset + 1);
					this.insert(entries.length, m);
					if (last && day(last) !== day(m)) entries.forEach((_, i) => this.decorate(i)); // Today is Yesterday now
				}
				this.broken = false;
			}
			if (!this.stick || entries.length <= maxRows) return;
			for (const m of entries.splice(0, entries.length - maxRows / 2)) {
				this.known.delete(key(m));
				m.item.remove();
			}
			this.more = true;
			this.decorate(0);
		});
	}

	// Puts history before the entry that it leads up to.
	prepend(next, {messages, more}) {
		this.keepPlace(() => {
			const at = this.entries.indexOf(next);
			if (at < 0) return;
			let met = !messages.length;
			for (const m of messages.reverse()) {
				if (this.meet(m)) met = true;
				else if (!met) this.insert(at, m);
			}
			next.gap = false;
			if (at) this.entries[at].gap = more && !met;
			else this.more = more && !met;
			this.decorate(at);
			this.decorate(this.entries.indexOf(next));
		});
	}

	meet(m) {
		const here = this.known.get(key(m));
		return here && Object.assign(here, {offset: m.offset, old: false});
	}

	insert(i, m) {
		const row = el('div', {class: m.mine ? 'row mine' : 'row'}, avatar(m.user), bubble(m, m.mine && 'Sent'));
		row.lastChild.prepend(tint(m.user, el('bdi', {class: 'name'}, m.user)));
		m.item = el('div', {}, row);
		this.known.set(key(m), m);
		this.entries.splice(i, 0, m);
		this.log.insertBefore(m.item, this.log.children[i] || null);
		this.decorate(i);
		this.decorate(i + 1);
	}

	// Draws what neighbours decide: lines above, the sender, the time.
	decorate(i) {
		const m = this.entries[i], previous = this.entries[i - 1];
		if (!m) return;
		const row = m.item.lastChild, lines = [], line = (name, content) => lines.push(el('div', {class: `line ${name}`}, content));
		if (m.gap) line('gap', el('button', {class: 'plain', disabled: !!m.old, onclick: () => this.fill(m)}, 'Load the messages missing here'));
		if (m.time && (!previous || day(previous) !== day(m))) line('day', dayName(m));
		if (m === this.fresh) line('fresh', 'New since you left');
		m.item.replaceChildren(...lines, row);
		const first = lines.length > 0 || !previous || previous.user !== m.user || !previous.mine !== !m.mine;
		row.classList.toggle('first', first);
		if (previous) previous.item.lastChild.classList.toggle('run', !first && minute(previous) === minute(m));
	}

	// Draws the line "New since you left" before this entry only.
	markFresh(m) {
		const marked = [this.fresh, m];
		this.fresh = m;
		for (const e of marked) this.decorate(this.entries.indexOf(e));
	}
}
