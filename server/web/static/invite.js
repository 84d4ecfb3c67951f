// The sheet with a room's link: as a QR code, and to be copied.

import {base} from './names.js';
import {el, button, show} from './dom.js';
import {t} from './words.js';
import {makeLink} from './link.js';

/** Show the sheet in the place of the one that is open. */
export function openInvite(sheets, room) {
	const {key = ''} = room.wish, code = el('div', {id: 'invite-code'}), note = el('p', {role: 'alert'});
	const field = el('input', {id: 'invite-link', readOnly: true, 'aria-label': t('invite.link'), onfocus: () => field.select()});
	const withKey = el('input', {type: 'checkbox', id: 'invite-key', onchange: () => draw()});

	async function draw() {
		const link = field.value = makeLink(location.origin + base, room.name, withKey.checked ? key : '');
		let svg = '';
		try {
			const answer = await fetch(`${base}qr`, {method: 'POST', body: link});
			if (answer.ok) svg = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement;
		} catch {} // without a server there is no code
		if (field.value !== link) return;
		code.replaceChildren(svg);
		show(note, svg ? '' : t('invite.long'));
	}

	// A page of a local network has no navigator.clipboard. Where nothing can copy,
	// the link stays selected.
	const copy = button(t('menu.copy.link'), () => {
		field.focus();
		field.select();
		show(copy, t(document.execCommand('copy') ? 'people.copied' : 'menu.copy.link'));
	});
	const here = /^(localhost|127\..*|\[::1\])$/.test(location.hostname);
	sheets.open('invite', t('invite.title'), here ? [el('p', {class: 'soft'}, `${t('invite.here')} `, el('a', {href: `${base}join`, target: '_blank'}, `${location.origin}${base}join`))] : [
		code, note, field, copy,
		...key ? [el('label', {class: 'check'}, withKey, t('invite.key'))] : [],
	]);
	if (!here) draw();
}
