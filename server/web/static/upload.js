// Sends the files that wait in the outboxes, one after another. Their messages are in
// localStorage as others are, their bytes in IndexedDB: both survive a reload. What was
// sent stays sent: the server tells where an upload stands.

import {base} from './names.js';
import {root, get, set, keys, onChange, random, tab} from './store.js';
import {progress} from './file.js';

const patience = 10e3; // ms for another tab to send its own
const beat = 2000; // ms between two signs that a tab is sending
const hang = 30e3; // ms after which a request is given up
const part = {least: 64 << 10, most: 1 << 20, quick: 500, slow: 4000}; // bytes, ms
const fresh = 600e3; // ms for which bytes may lack their message

const now = () => performance.now();
const later = wait => { throw {wait}; };

// The files' bytes, as {id, blob, thumb, made}: in IndexedDB, or while the page is
// open.
class Bytes {
	constructor() {
		this.memory = new Map();
		this.db = new Promise(done => {
			try {
				const opening = indexedDB.open(`${root}files`, 1);
				opening.onupgradeneeded = () => opening.result.createObjectStore('files', {keyPath: 'id'});
				opening.onsuccess = () => {
					const db = opening.result;
					db.onversionchange = () => db.close();
					done(db);
				};
				opening.onerror = opening.onblocked = () => done(null);
			} catch { // switched off
				done(null);
			}
		});
	}

	async ask(mode, question) {
		const transaction = (await this.db).transaction('files', mode), request = question(transaction.objectStore('files'));
		return new Promise((done, failed) => {
			transaction.oncomplete = () => done(request.result);
			transaction.onabort = () => failed(transaction.error);
		});
	}

	/** Keep a file; returns whether it is kept longer than this page is open. */
	async put(file) {
		try {
			await this.ask('readwrite', files => files.put(file));
			return true;
		} catch {
			this.memory.set(file.id, file);
			return false;
		}
	}

	async get(id) {
		return this.memory.get(id) || this.ask('readonly', files => files.get(id)).catch(() => undefined);
	}

	async remove(id) {
		this.memory.delete(id);
		await this.ask('readwrite', files => files.delete(id)).catch(() => {});
	}

	async all() {
		return this.ask('readonly', files => files.getAllKeys()).catch(() => []);
	}
}

export class Uploads {
	/** The one that a page has. */
	static of(app) {
		return app.uploads = app.uploads || new Uploads(app);
	}

	constructor(app) {
		// current is what is being sent; here are the ids of the bytes that are kept; begun are
		// the keys of uploads by id; size is a part's.
		Object.assign(this, {app, bytes: new Bytes(), current: null, here: new Set(), begun: new Map(), urls: new Map(), seen: new Map(), heard: -Infinity, tries: 0, pause: 0, size: 4 * part.least});
		app.views.push(this);
		onChange(key => {
			if (key === 'sending') this.heard = now();
		});
		setInterval(() => this.current && set('sending', now()), beat);
		addEventListener('beforeunload', e => {
			if (this.list().every(m => !m.file.open || m.tab !== tab)) return;
			e.preventDefault();
			e.returnValue = '';
		});
		this.tidy();
	}

	/** The messages of all rooms that wait for their files. */
	list() {
		return keys('out/').map(get).filter(m => m && m.held);
	}

	// Forgets bytes that a page left behind when it was closed before they had a message.
	async tidy() {
		for (const id of await this.bytes.all()) {
			const {made} = await this.bytes.get(id) || {};
			if (!(Math.abs(Date.now() - made) < fresh)) this.here.add(id);
		}
		this.draw();
	}

	/** Have a file sent, with what is said of it; answer is {reply, of}, if it is one. */
	async add(room, {blob, name, width, height}, thumb, caption, answer) {
		const id = random(26, 'abcdefghijklmnopqrstuvwxyz234567'), kept = await this.bytes.put({id, blob, thumb, made: Date.now()});
		room.outbox.add(caption, {file: {id}, ...answer}, '', {held: Date.now(), file: {id, name, size: blob.size, type: blob.type, width, height, thumb: !!thumb, open: !kept}});
		this.here.add(id);
	}

	/** What is shown of a picture that is not sent yet: a URL, '' if there is nothing. */
	async preview(id) {
		const {thumb} = !this.urls.has(id) && await this.bytes.get(id) || {};
		if (thumb && !this.urls.has(id)) this.urls.set(id, URL.createObjectURL(thumb));
		return this.urls.get(id) || '';
	}

	// Stops what was taken back, and lets bytes go that no message needs.
	draw() {
		if (!this.here.size) return;
		const wanted = new Set(keys('out/').map(key => get(key)?.file?.id));
		if (this.current && !wanted.has(this.current.id)) this.current.stop.abort();
		for (const id of this.here) {
			if (wanted.has(id)) continue;
			this.here.delete(id);
			this.bytes.remove(id);
			const Authorization = this.begun.get(id);
			// The server keeps room for a few uploads of a device.
			if (Authorization) fetch(`${base}files/${id}`, {method: 'DELETE', headers: {Authorization}}).catch(() => {});
		}
	}

	/** Send what waits, and nothing twice at once. */
	async pump() {
		const {current} = this;
		if (current && current.since !== current.room.session.since) current.stop.abort(); // it was on a line that is dead
		if (current) return;
		clearTimeout(this.timer);
		const left = this.pause - now(), next = left > 0 ? undefined : this.next();
		if (left > 0) this.wake(left);
		if (!next) return;
		const {room, m} = next, {id} = m.file;
		this.current = {room, id, since: room.session.since, stop: new AbortController()};
		set('sending', now());
		try {
			await this.send(room, m);
			this.tries = 0;
		} catch (trouble) {
			if (trouble instanceof Error) throw trouble;
			this.trouble(room, m.id, trouble);
		} finally {
			this.current = null;
		}
		this.pump();
	}

	wake(wait) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.pump(), wait + 5);
	}

	// The first file that this tab is to send, of a room that is connected.
	next() {
		for (const room of this.app.rooms.values()) {
			const m = room.connected && room.outbox.list().find(m => m.held && !m.error && this.mine(room, m));
			if (m) return {room, m};
		}
	}

	// Whether this tab sends a file, or does so now: the one that chose it seems closed.
	mine(room, m) {
		const {seen} = this;
		if (m.tab === tab) return true;
		if (m.file.open) return false;
		if (!seen.has(m.id)) seen.set(m.id, now());
		const left = Math.max(seen.get(m.id), this.heard, room.session.since) + patience - now();
		if (left > 0) {
			this.wake(left);
			return false;
		}
		room.outbox.keep({...m, tab});
		this.here.add(m.file.id);
		return true;
	}

	async send(room, m) {
		const {file} = m, {id, name, size, width, height} = file;
		if (!room.can.includes('files')) throw {error: 'file.nobody'};
		const kept = await this.bytes.get(id);
		if (!kept) throw {error: 'no_copy'};
		this.here.add(id);
		const question = room.session.ask({type: 'upload', id, name, size, ...width && {width, height}});
		const answer = await Promise.race([question, new Promise(done => setTimeout(done, hang))]);
		if (!answer) later(0); // the next connection begins again
		if (answer.type === 'error') this.refused(answer);
		const Authorization = `Bearer ${answer.key}`;
		let {at} = answer;
		this.begun.set(id, Authorization);
		for (progress(id, at); at < size; progress(id, at)) {
			at = await this.part(kept, Authorization, at);
			this.tries = 0;
		}
		if (kept.thumb) {
			const {status} = await this.request('PUT', `${id}/thumb`, {Authorization}, kept.thumb);
			if (status === 401 || status === 429 || status > 499) later(0); // else it goes without
		}
		const now = room.outbox.list().find(w => w.id === m.id);
		if (!now) return;
		this.begun.delete(id);
		room.outbox.put({...now, held: 0});
	}

	refused({code, message, retry_ms}) {
		if (code === 'rate_limited') later(retry_ms);
		throw code === 'unavailable' ? {error: 'no_room'} : {why: message};
	}

	// Sends a part of a file, and returns where its upload stands then. On a slow line
	// the parts are small: it is seen that they come.
	async part({id, blob}, Authorization, at) {
		let bytes;
		try {
			bytes = await blob.slice(at, at + this.size).arrayBuffer();
		} catch { // it was changed or removed
			throw {error: 'no_copy'};
		}
		const began = now(), response = await this.request('PATCH', id, {Authorization, 'upload-offset': `${at}`}, bytes);
		const took = now() - began, {status} = response, stands = +(response.headers.get('upload-offset') || NaN);
		if (status === 413) throw {why: await why(response)};
		if (status === 507) throw {error: 'no_room'};
		if (status !== 204 && status !== 409 || !(stands >= 0 && stands <= blob.size) || status === 204 && stands <= at) later(0);
		if (took < part.quick) this.size = Math.min(2 * this.size, part.most);
		if (took > part.slow) this.size = Math.max(this.size / 2, part.least);
		return stands;
	}

	async request(method, path, headers, body) {
		const {stop} = this.current, timer = setTimeout(() => stop.abort(), hang);
		try {
			return await fetch(`${base}files/${path}`, {method, headers, body, signal: stop.signal, cache: 'no-store'});
		} catch {
			later(0); // the line is cut, or somebody took it back
		} finally {
			clearTimeout(timer);
		}
	}

	// What stopped a file: it goes on later, or it is shown as failed, to be sent again.
	trouble(room, id, {wait, error = 'not_taken', why}) {
		const m = room.outbox.list().find(w => w.id === id);
		if (!m) return;
		if (wait === undefined) return room.outbox.undo(m, error, why);
		this.tries++;
		this.pause = now() + (wait || Math.min(15e3, 250 * 2 ** this.tries) * (.5 + Math.random() / 2));
	}
}

// The server's own sentence.
const why = response => response.json().then(({detail}) => detail, () => '');
