// Completes names after an @, in a list above the composer.

import {$, el, bdi} from './dom.js';
import {t} from './words.js';
import {avatar} from './logview.js';

const most = 5;

export class Names {
	constructor(app, input) {
		Object.assign(this, {app, input, names: [], chosen: 0, from: 0});
		this.list = el('ul', {id: 'names', role: 'listbox', 'aria-label': t('room.people'), hidden: true});
		$('composer').append(this.list);
		input.setAttribute('aria-autocomplete', 'list');
		input.setAttribute('aria-controls', 'names');
		for (const event of ['input', 'click']) input.addEventListener(event, () => this.look());
		input.addEventListener('blur', () => this.close());
		// Before the composer's own keys.
		document.addEventListener('keydown', e => this.key(e), true);
		this.look();
	}

	// What was typed after the last @ before the caret, and who it may be.
	look() {
		const {input, app: {shown: room}} = this, typed = /(?:^|[^\p{L}\p{Nd}])@([^@\n]{0,32})$/u.exec(input.value.slice(0, input.selectionStart));
		this.close();
		if (!typed || !room || input.selectionStart !== input.selectionEnd) return;
		const begun = typed[1].toLowerCase(), people = new Set(room.members);
		for (const {user} of room.timeline.entries) if (user) people.add(user);
		people.delete(room.me);
		this.names = [...people].filter(name => name.toLowerCase().startsWith(begun) && name.toLowerCase() !== begun).sort((a, b) => a.localeCompare(b)).slice(0, most);
		this.from = input.selectionStart - typed[1].length;
		this.chosen = 0;
		this.draw(room);
	}

	draw(room) {
		const {list, names, chosen, input} = this;
		list.hidden = !names.length;
		list.replaceChildren(...names.map((name, i) => el('li', {id: `name-${i}`, role: 'option', 'aria-selected': `${i === chosen}`, onmousedown: e => {
			e.preventDefault(); // the composer keeps the focus
			this.take(name);
		}}, avatar(name, room.color(name)), bdi(name))));
		if (names.length) input.setAttribute('aria-activedescendant', `name-${chosen}`);
		else input.removeAttribute('aria-activedescendant');
	}

	close() {
		this.names = [];
		this.draw();
	}

	take(name) {
		const {input, from} = this;
		input.setRangeText(`${name} `, from, input.selectionStart, 'end');
		this.close();
		input.dispatchEvent(new Event('input'));
	}

	key(e) {
		const {names, input, app: {shown: room}} = this, step = {ArrowUp: -1, ArrowDown: 1}[e.key];
		if (!names.length || e.target !== input || e.isComposing || e.keyCode === 229) return;
		if (step) {
			this.chosen = (this.chosen + step + names.length) % names.length;
			this.draw(room);
		} else if (e.key === 'Enter' && !e.shiftKey || e.key === 'Tab' && !e.shiftKey) this.take(names[this.chosen]);
		else if (e.key === 'Escape') this.close();
		else return;
		e.preventDefault();
		e.stopImmediatePropagation();
	}
}
