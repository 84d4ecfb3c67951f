// Light or dark: as chosen, or as the system has it.

import {get} from './store.js';
import {$} from './dom.js';

export function setTheme() {
	const look = get('look') || '';
	$('dark').media = {light: 'not all', dark: 'all'}[look] || '(prefers-color-scheme:dark)';
	document.documentElement.style.colorScheme = look;
}
