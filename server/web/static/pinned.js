// Draws the message that a host has pinned, as one line above the others.

import {$, el, bdi, button, icon, fill} from './dom.js';
import {t} from './words.js';
import {excerpt} from './code.js';
import {goTo} from './act.js';

export class View {
	constructor(app) {
		this.app = app;
	}

	draw() {
		const {app} = this, room = app.shown, bar = $('pinned');
		if (!room) return;
		const {pinned, host} = room.rules, here = pinned && (room.timeline.find(pinned) || room.pin);
		if (pinned && here === room.pin) this.ask(room, pinned);
		const m = here && here.offset === pinned && !here.deleted && here;
		bar.hidden = !m;
		fill(bar, m && [room.key, m.user, m.message, m.file, host, t('pinned.title')], () => {
			if (!m) return [];
			const text = excerpt(m.file ? m.file.caption || m.file.name : m.message);
			return [
				el('button', {type: 'button', class: 'plain', onclick: () => goTo(app, room, pinned)},
					el('b', {'aria-hidden': 'true'}, '📌'), el('span', {class: 'told'}, `${t('pinned.title')} `), bdi(m.user), el('span', {dir: 'auto'}, text)),
				...host ? [button(icon('close'), () => room.outbox.add(undefined, {type: 'host', do: 'pin', target: 0}), {class: 'icon', 'aria-label': t('act.unpin')})] : [],
			];
		});
	}

	// Asks for a message that is not here, once in a connection.
	async ask(room, pinned) {
		if (!room.connected || room.pin?.asked === pinned) return;
		room.pin = {...room.pin, asked: pinned};
		const answer = await room.session.ask({type: 'history', before: pinned + 1, limit: 1}), [m] = answer ? answer.messages : [];
		if (!answer || room.pin.asked !== pinned) return;
		room.pin = {...m && room.take(m), asked: pinned};
		this.app.changed();
	}
}
