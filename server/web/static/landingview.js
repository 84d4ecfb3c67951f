// Draws the page at /: which server this is, who is there, and the question for a
// name. At /r/{room}, a room's link, the answer leads into the room.

import {name, isGuest, get, set, keyOf} from './store.js';
import {$, show, fill, part} from './dom.js';
import {t, count} from './words.js';
import {avatar} from './logview.js';

export class View {
	constructor(app) {
		Object.assign(this, {app, trouble: ''});
		// What was entered before this script ran is in the address.
		const early = new URLSearchParams(location.search).get('name');
		this.link = app.invited && this.follow();
		const input = $('name-input');
		$('enter-name').onsubmit = async e => {
			e.preventDefault();
			const error = app.takeName(input.value);
			show($('name-input-error'), error ? t(...error) : '');
			if (error) return input.focus();
			await this.link;
			if (app.screen !== 'landing') return;
			app.invited ? app.enter(app.invited, true) : app.toList();
		};
		// The same link again changes only what is behind the #.
		addEventListener('hashchange', () => app.invited && location.reload());
		if (early) {
			input.value = early;
			$('enter-name').onsubmit(new Event('submit'));
		} else if (!isGuest(name()) && !input.value) {
			input.value = name();
			input.select();
		}
	}

	/** Keep the passphrase of the room's link, and go straight in if the name is known. */
	async follow() {
		const {app} = this, {invited} = app, {href} = location;
		history.replaceState(null, '', location.pathname); // nobody is to read it there
		const {key, hostKey, error, keyIgnored} = (await part('follow')).follow(href);
		this.trouble = error ? 'link.damaged' : keyIgnored && !key ? 'link.query' : '';
		// A passphrase that has opened the room is better than one that may not.
		if (key && !get(keyOf(invited))) set(keyOf(invited), {key});
		if (hostKey) app.room(invited).operate(hostKey);
		if (!this.trouble && !isGuest(name()) && app.screen === 'landing') app.enter(invited, true);
		app.changed();
	}

	draw() {
		const {app} = this, {server} = app, who = (server.who || []).slice(0, 5);
		if (app.screen !== 'landing') return;
		show($('landing-server'), app.invited || server.name || 'Parley');
		fill($('landing-who'), who, () => who.map(name => avatar(name)));
		show($('landing-count'), server.people ? `${count('people', server.people)} · ${count('landing.rooms', server.rooms)}` : '');
		show($('landing-note'), app.refusal ? t(`cause.${app.refusal}`) : this.trouble ? t(this.trouble) : app.storage ? t(`storage.${app.storage}`) : '');
	}
}
