// Draws the door of a room that does not let one in as asked. It is a page of its
// own: nothing that is typed here can get into the room.

import {base, keyProblem} from './names.js';
import {$, el, button, bdi, icon, fill} from './dom.js';
import {t} from './words.js';
import {hueOf} from './text.js';

export class DoorView {
	constructor(app) {
		this.app = app;
		this.room = null;
	}

	draw(room) {
		const door = $('door');
		door.hidden = !room.door;
		if (!room.door) return fill(door, '', () => []);
		const {cause, key = '', listed, trying} = room.door, {session} = room;
		fill(door, [room.key, cause, key, listed], () => this.build(room));
		const input = $('key'), waits = trying && session.state === 'disconnected';
		// What is typed while it is tried would not be what is tried.
		if (input) input.readOnly = !!trying && !waits;
		const text = waits ? t(`cause.${session.cause}`) : trying ? t('room.connecting') : this.sentence(room);
		if ($('status-door').textContent !== text) $('status-door').textContent = text;
		door.setAttribute('aria-busy', !!trying);
	}

	sentence(room) {
		const {cause, key, bad} = room.door, wrong = cause === 'wrong_key' && key && (keyProblem(key) || bad && ['key.bad']);
		return wrong ? t(...wrong) : t(`cause.${cause}`);
	}

	build(room) {
		const {cause, key = '', listed} = room.door, open = cause === 'open_room';
		const input = el('input', {id: 'key', autocomplete: 'off', autocapitalize: 'none', spellcheck: false, value: cause === 'wrong_key' ? key : '', oninput: () => {
			if (room.door && room.door.trying) room.stay();
			this.app.changed();
		}});
		const unlisted = el('input', {type: 'checkbox', id: 'door-unlisted', checked: true});
		const form = el('form', {onsubmit: e => {
			e.preventDefault();
			if (open || input.value) room.enter(open ? '' : input.value, !(listed === false && unlisted.checked));
			this.app.changed();
		}});
		if (!open) form.append(el('label', {for: 'key'}, t('key.field')), input);
		if (!open && listed === false) form.append(el('label', {class: 'check'}, unlisted, t('lock.hidden')));
		form.append(el('button', {id: 'door-enter'}, t(open ? 'door.open' : 'key.enter')));
		setTimeout(() => (open ? $('door-enter') : input).focus());
		return [el('div', {class: `face hue${hueOf(room.name)}`}, icon('lock')), el('h1', {}, bdi(room.name)),
			el('p', {id: 'status-door', ...cause === 'needs_key' ? {role: 'status', class: 'soft'} : {role: 'alert'}}), el('p', {class: 'soft'}, cause === 'needs_key' ? t('door.ask') : ''),
			form, el('a', {href: `${base}chat/`, class: 'plain'}, t('rooms.all'))];
	}
}
