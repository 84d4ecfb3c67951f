// Tells of what is unread: in the title, in the icon, and with a short sound.

import {base} from './names.js';
import {get} from './store.js';
import {$} from './dom.js';

export class Notifier {
	constructor(app) {
		Object.assign(this, {app, audio: null, last: -Infinity});
	}

	draw() {
		const {app} = this, {unread, shown} = app, away = document.hidden ? unread : unread - (shown && shown.looked ? shown.unread : 0);
		const title = `${away ? `(${away}) ` : ''}${shown ? shown.name : app.server.name || 'Parley'} · Parley`;
		if (document.title !== title) document.title = title;
		const icon = `${base}static/icon${away ? '-unread' : ''}.svg`;
		if ($('icon').getAttribute('href') !== icon) $('icon').setAttribute('href', icon);
		if (app.heard && get('sound')) this.chime();
		app.heard = 0;
	}

	/** Play two short notes, at most once in two seconds. */
	chime() {
		const Audio = window.AudioContext || window.webkitAudioContext, now = performance.now();
		if (!Audio || now - this.last < 2000) return;
		this.last = now;
		const audio = this.audio = this.audio || new Audio();
		audio.resume();
		[660, 880].forEach((frequency, i) => {
			const tone = audio.createOscillator(), gain = audio.createGain(), start = audio.currentTime + i * .12;
			tone.frequency.value = frequency;
			gain.gain.setValueAtTime(.0001, start);
			gain.gain.exponentialRampToValueAtTime(.12, start + .02);
			gain.gain.exponentialRampToValueAtTime(.0001, start + .25);
			tone.connect(gain).connect(audio.destination);
			tone.start(start);
			tone.stop(start + .3);
		});
	}
}
