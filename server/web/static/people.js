// The sheet of a room: who is in it, one's own name, and what can be done with it.

import {name, set, remove} from './store.js';
import {$, el, bdi, button, show, fill, part} from './dom.js';
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
			...room.can.includes('search') ? [button(t('find.title'), async () => (await part('find')).openFind(app, room), {id: 'find-open', class: 'plain'})] : [],
			...room.rules.host ? [button(t('host.title'), async () => (await part('hosts')).openHost(app, room), {id: 'host-open', class: 'plain'})] : [],
			el('ul', {id: 'members'}), el('p', {id: 'more-members', class: 'soft'}), form,
			el('label', {class: 'check'}, mute, t('people.mute')),
			button(t('invite.title'), async () => (await part('invite')).openInvite(sheets, room), {id: 'invite-open', class: 'plain'}),
			button(t('people.forget'), () => this.forget(), {id: 'forget', class: 'plain danger'}),
			el('p', {class: 'soft'}, t('people.forget.why')),
		], closed);
		this.draw(room);
	}

	forget() {
		const {app, sheets, room} = this;
		sheets.closed();
		app.forget(room);
		app.toList(true);
	}

	/** What a host can do with somebody. */
	async act(name) {
		const {app, room, sheets} = this, {openPerson} = await part('hosts');
		openPerson(app, room, {name, whom: {user: name}}, (title, children) => {
			const {style} = sheets.open('menu', title, children);
			if (matchMedia('(min-width:56.25em)').matches) Object.assign(style, {top: '4.5rem', left: 'auto', right: '1rem'});
		});
	}

	draw({members, count: all, me, rules: {host}}) {
		const names = [...members].sort((a, b) => a.localeCompare(b)), hidden = all - names.length;
		fill($('members'), [names, me, host], () => names.map(m => el('li', {}, avatar(m, this.room.color(m)), bdi(m), m === me ? el('small', {}, t('people.you')) : host ? button('⋯', () => this.act(m), {class: 'icon', 'aria-label': m, 'aria-haspopup': 'dialog'}) : '')));
		show($('more-members'), hidden > 0 ? count('people.more', hidden) : '');
	}
}
