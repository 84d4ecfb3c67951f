// The sheet of a room: who is in it, one's own name, and what can be done with it.

import {name, set, remove} from './store.js';
import {$, el, bdi, button, show, fill} from './dom.js';
import {t, count} from './words.js';
import {avatar} from './logview.js';
import {Sheets} from './sheets.js';

export class PeopleView {
	constructor(app, room, closed) {
		const sheets = Sheets.of(app);
		Object.assign(this, {app, sheets, room});
		const input = el('input', {id: 'name', autocomplete: 'nickname', dir: 'auto', value: name()});
		const form = el('form', {id: 'rename', onsubmit: e => {
			e.preventDefault();
			const error = app.takeName(input.value);
			show($('name-error'), error ? t(...error) : '');
			if (!error) sheets.close();
		}}, el('label', {for: 'name'}, t('settings.name')), input, el('p', {id: 'name-error', role: 'alert'}), el('button', {}, t('people.change')));
		const mute = el('input', {type: 'checkbox', id: 'mute', checked: room.muted, onchange: () => {
			mute.checked ? set(`mute/${room.key}`, true) : remove(`mute/${room.key}`);
			app.changed();
		}});
		sheets.open('people', t('room.people'), [
			el('ul', {id: 'members'}), el('p', {id: 'more-members', class: 'soft'}), form,
			el('label', {class: 'check'}, mute, t('people.mute')),
			this.link(),
			button(t('people.forget'), () => this.forget(), {id: 'forget', class: 'plain danger'}),
			el('p', {class: 'soft'}, t('people.forget.why')),
		], closed);
		this.draw(room);
	}

	link() {
		const copy = button(t('menu.copy.link'), async () => {
			const field = el('input', {value: location.href, readOnly: true});
			copy.after(field);
			field.select();
			// A page of a local network has no navigator.clipboard.
			const done = document.execCommand('copy');
			field.remove();
			copy.focus();
			show(copy, t(done ? 'people.copied' : 'menu.copy.link'));
		}, {class: 'plain'});
		return copy;
	}

	forget() {
		const {app, sheets, room} = this;
		sheets.closed();
		app.forget(room);
		app.toList(true);
	}

	draw({members, count: all, me}) {
		const names = [...members].sort((a, b) => a.localeCompare(b)), hidden = all - names.length;
		fill($('members'), [names, me], () => names.map(m => el('li', {}, avatar(m, this.room.color(m)), bdi(m), m === me ? el('small', {}, t('people.you')) : '')));
		show($('more-members'), hidden > 0 ? count('people.more', hidden) : '');
	}
}
