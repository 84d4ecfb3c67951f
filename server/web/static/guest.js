// The form with which a guest takes a name, below the messages.

import {el} from './dom.js';
import {t} from './words.js';

export function nameForm(view) {
	const input = el('input', {id: 'guest-name', 'aria-label': t('landing.name'), placeholder: t('landing.name'), autocomplete: 'nickname', dir: 'auto'});
	return el('form', {onsubmit: e => {
		e.preventDefault();
		const error = view.app.takeName(input.value);
		view.note(error ? t(...error) : '');
		if (error) return;
		view.naming = null;
		view.input.focus();
	}}, input, el('button', {}, t('guest.take')));
}
