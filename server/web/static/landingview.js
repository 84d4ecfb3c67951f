// Draws the page at /: which server this is, who is there, and the question for a
// name.

import {name, isGuest} from './store.js';
import {$, show, fill} from './dom.js';
import {t, count} from './words.js';
import {avatar} from './logview.js';

export class View {
	constructor(app) {
		this.app = app;
		const input = $('name-input');
		$('enter-name').onsubmit = e => {
			e.preventDefault();
			const error = app.takeName(input.value);
			show($('name-input-error'), error ? t(...error) : '');
			error ? input.focus() : app.toList();
		};
		// What was entered before this script ran is in the address.
		const early = new URLSearchParams(location.search).get('name');
		if (early) {
			input.value = early;
			$('enter-name').onsubmit(new Event('submit'));
		} else if (!isGuest(name()) && !input.value) {
			input.value = name();
			input.select();
		}
	}

	draw() {
		const {app} = this, {server} = app, who = (server.who || []).slice(0, 5);
		if (app.screen !== 'landing') return;
		show($('landing-server'), server.name || 'Parley');
		fill($('landing-who'), who, () => who.map(name => avatar(name)));
		show($('landing-count'), server.people ? `${count('people', server.people)} · ${count('landing.rooms', server.rooms)}` : '');
		show($('landing-note'), app.refusal ? t(`cause.${app.refusal}`) : app.storage ? t(`storage.${app.storage}`) : '');
	}
}
