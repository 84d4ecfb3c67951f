// All that this page knows: the rooms, the one that is shown, the server, what is
// set. Views are told of a change once, and draw what is here then.

import {base, roomKey, personName} from './names.js';
import {name, get, set, remove, keys, onChange, rooms as known, tab, storageTrouble, forgetRoom} from './store.js';
import {part} from './dom.js';
import {Room} from './room.js';

const mostConnected = 16;
const poll = 5000; // ms between two looks at the list of rooms

export class App {
	constructor() {
		Object.assign(this, {
			rooms: new Map(), shown: null, screen: '', listed: [], server: {}, refusal: '',
			storage: storageTrouble(), note: '', views: [], drawing: false, heard: 0,
		});
		onChange((key, value) => this.otherTab(key, value));
		for (const event of ['online', 'offline', 'pageshow']) addEventListener(event, () => this.wake());
		document.addEventListener('visibilitychange', () => this.wake());
		addEventListener('pagehide', () => this.leavePage());
		addEventListener('full', () => {
			this.storage = this.storage || 'full';
			this.changed();
		});
		setInterval(() => this.tick(), 500);
		setInterval(() => this.ask(), poll);
		this.ask();
	}

	/** Have the views draw, soon and once. */
	changed() {
		if (this.drawing) return;
		this.drawing = true;
		let drawn = false;
		const draw = () => {
			if (drawn) return;
			drawn = true;
			this.draw();
		};
		requestAnimationFrame(draw);
		setTimeout(draw, 100); // a hidden page has no frames
	}

	draw() {
		this.drawing = false;
		for (const view of this.views) view.draw();
	}

	/** A room, by a name in any spelling. */
	room(path) {
		const key = roomKey(path);
		if (!this.rooms.has(key)) {
			const guestTaken = () => {
				remove('name');
				this.renamed();
			};
			this.rooms.set(key, new Room(path, {changed: () => this.changed(), said: (room, messages) => this.said(room, messages), guestTaken, held: () => this.upload()}));
		}
		return this.rooms.get(key);
	}

	/** Show a room, or none. */
	show(path) {
		const room = path === null ? null : this.room(path), before = this.shown;
		if (room === before) return;
		before?.look(false);
		if (before?.saving) before.saveNow(); // or it is none of the own rooms yet
		this.shown = room;
		if (room && room.session.state !== 'connected') room.connect();
		this.connectThose();
		this.changed();
	}

	/** Send the files that wait. */
	async upload() {
		(await part('upload')).Uploads.of(this).pump();
	}

	said(room, messages) {
		if (!room.looked && !room.muted) this.heard += messages.length;
	}

	get unread() {
		let n = 0;
		for (const room of this.rooms.values()) if (!room.muted) n += room.unread;
		return n;
	}

	rename(text) {
		set('name', text);
		this.renamed();
	}

	renamed() {
		for (const room of this.rooms.values()) {
			const {state, cause} = room.session;
			if (cause === 'name_taken' || state !== 'closed' && state !== 'idle') room.connect();
		}
		this.changed();
	}

	// --- the rooms that are not shown ---

	/** The rooms of this browser, the ones last used first. */
	own() {
		const own = new Set(known().map(path => this.room(path)));
		if (this.shown) own.add(this.shown);
		return [...own];
	}

	// Only one tab keeps the rooms connected that it does not show.
	get leads() {
		return get('lead') === tab;
	}

	lead() {
		if (document.hidden) return;
		if (!this.leads) set('lead', tab);
		this.connectThose();
	}

	// Connects the rooms that are to be connected, and no others: the shown one,
	// those that have something to send, and in the tab that leads the last ones used.
	connectThose() {
		const waiting = [...new Set(keys('out/').map(key => key.split('/')[1]))];
		const wanted = new Set(waiting.map(key => this.room(this.rooms.get(key)?.path || key)));
		if (this.shown) wanted.add(this.shown);
		if (this.leads) for (const room of this.own()) if (wanted.size < mostConnected) wanted.add(room);
		for (const room of this.rooms.values()) {
			const idle = room.session.state === 'idle';
			if (wanted.has(room) && idle) room.connect();
			if (!wanted.has(room) && !idle) room.close();
		}
	}

	forget(room) {
		room.close();
		this.rooms.delete(room.key);
		forgetRoom(room.path);
		if (this.shown === room) this.shown = null;
		this.changed();
	}

	otherTab(key, value) {
		const [kind, id] = key.split('/'), room = this.rooms.get(id);
		if (kind === 'name') this.renamed();
		else if (kind === 'lead' && value) this.connectThose();
		else if (kind === 'lead' && !value) setTimeout(() => get('lead') || this.lead(), Math.random() * 500);
		else if (kind === 'read') room?.readBy(JSON.parse(value));
		else if (kind === 'room' && room && room !== this.shown && !room.connected) {
			room.close();
			this.rooms.delete(id);
			if (value) this.room(room.path);
		}
		this.changed();
	}

	// --- time and the outside ---

	wake() {
		if (!document.hidden) {
			for (const room of this.rooms.values()) room.session.tryNow();
			this.lead();
			this.ask();
		}
		this.changed();
	}

	leavePage() {
		for (const room of this.rooms.values()) if (room.saving) room.saveNow();
		if (this.leads) remove('lead');
	}

	tick() {
		const now = performance.now();
		const moves = room => room.typists.until.size || room.session.state === 'disconnected' && room.session.next > now - 1000;
		if ([...this.rooms.values()].some(moves)) this.changed();
	}

	// Asks what the server tells of itself and its rooms, while somebody looks.
	async ask() {
		if (document.hidden) return;
		const read = async path => {
			const response = await fetch(path, {cache: 'no-store'}), answer = await response.json();
			this.refusal = response.ok ? '' : answer.code || '';
			return response.ok ? answer : {};
		};
		try {
			this.server = await read(`${base}api/server`);
			this.listed = (await read(`${base}api/rooms`)).rooms || [];
		} catch {} // the rooms' own connections tell that nobody answers
		this.changed();
	}

	/** Check and take a name for this person; returns what is wrong with it, as t takes it. */
	takeName(text) {
		const {text: checked, error} = personName(text);
		if (!error && checked !== name()) this.rename(checked);
		if (!error) this.changed();
		return error;
	}
}
