// The sheet of what is set on this device.

import {base} from './names.js';
import {root, name, get, set, forgetAll} from './store.js';
import {$, el, button, show} from './dom.js';
import {t, languages, language, speak} from './words.js';
import {setTheme} from './theme.js';
import {Sheets} from './sheets.js';

// A language by its own name.
function ownName(code) {
	try {
		const own = new Intl.DisplayNames([code], {type: 'language'}).of(code);
		return own[0].toLocaleUpperCase(code) + own.slice(1);
	} catch {
		return code;
	}
}

/** A choice with a label, between [value, text]. */
export function choice(id, label, options, chosen, onchange) {
	const select = el('select', {id, onchange: () => onchange(select.value)}, ...options.map(([value, text]) => el('option', {value: `${value}`, selected: value === chosen}, text)));
	return el('p', {class: 'choice'}, el('label', {for: id}, label), select);
}

export function openSettings(app) {
	const sheets = Sheets.of(app);
	const input = el('input', {id: 'own-name', autocomplete: 'nickname', dir: 'auto', value: name()});
	const sound = el('input', {type: 'checkbox', id: 'sound', checked: !!get('sound'), onchange: () => {
		set('sound', sound.checked);
		if (sound.checked) app.chime(); // as a sample, and because a browser wants a tap first
	}});
	sheets.open('settings-sheet', t('settings.title'), [
		el('form', {onsubmit: e => {
			e.preventDefault();
			const error = app.takeName(input.value);
			show($('own-name-error'), error ? t(...error) : '');
			if (!error) sheets.close();
		}}, el('label', {for: 'own-name'}, t('settings.name')), input, el('p', {id: 'own-name-error', role: 'alert'}), el('button', {}, t('people.change'))),
		choice('language', t('settings.language'), [['', t('language.system')], ...languages().map(code => [code, ownName(code)])], get('lang') || '', async code => {
			await speak(code);
			sheets.close();
			app.spoke();
		}),
		choice('look', t('settings.look'), [['', t('look.system')], ['light', t('look.light')], ['dark', t('look.dark')]], get('look') || '', look => {
			set('look', look);
			setTheme();
		}),
		el('label', {class: 'check'}, sound, t('settings.sound')),
		button(t('settings.leave'), () => {
			app.rooms.forEach(room => room.close()); // which saves, for the last time
			forgetAll();
			window.indexedDB?.deleteDatabase(`${root}files`); // what upload.js keeps
			location.replace(base);
		}, {id: 'leave-device', class: 'plain danger'}),
		el('p', {class: 'soft'}, t('settings.leave.why')),
	]);
}
