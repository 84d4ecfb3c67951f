// A room's messages that have not come back yet, a key for each. All tabs see all.
// A tab sends its own, and what another did not get out while this one was
// connected: it may be closed. Of one sent twice the server keeps one.
// Durations are the monotonic clock's, and the order is by number: a clock that is
// set changes neither.

import {newID, tab, get, set, remove, keys, onChange} from './store.js';
import {roomKey} from './names.js';

const patience = 3000; // ms for another tab to send its own
const silence = 10000; // ms without an answer after which a connection is dead

export class Outbox {
	/** on.send(frame) sends, on.changed() is told, and on.stalled() that no answer comes. */
	constructor(room, on) {
		Object.assign(this, {on, prefix: `out/${roomKey(room)}/`, flying: new Map(), seen: new Map(), limits: null});
		// What another tab takes out is about to come, mostly.
		onChange((key, value) => key.startsWith(this.prefix) && setTimeout(() => this.update(), value ? 0 : 1000));
	}

	/** The messages in order: {id, message, at, n, tab, error}. */
	list() {
		const all = keys(this.prefix).map(get).filter(m => m && m.id);
		return all.sort((a, b) => (a.n || 0) - (b.n || 0));
	}

	add(message) {
		const all = this.list(), n = all.length ? (all[all.length - 1].n || 0) + 1 : 1;
		this.put({id: newID(), message, at: Date.now(), n, tab});
	}

	put(m) {
		set(this.prefix + m.id, m);
		this.update();
	}

	retry(m) {
		this.put({...m, tab, error: ''});
	}

	/** Takes out what has come back, or was given up. */
	drop(id) {
		this.flying.delete(id);
		this.seen.delete(id);
		remove(this.prefix + id);
		this.update();
	}

	update() {
		this.on.changed();
		this.pump();
	}

	/** On an error the message goes again later, or never. */
	refused({id, code, message, retry_ms}) {
		const m = get(this.prefix + id);
		this.flying.delete(id);
		if (!m) return;
		if (code !== 'rate_limited' && code !== 'unavailable') return this.put({...m, error: code, why: message});
		this.pause = performance.now() + (retry_ms || 1000 + Math.random() * 2000);
		this.pump();
	}

	connected({rate, burst}) {
		this.limits = {rate: rate || Infinity, burst: burst || 10};
		this.since = this.filled = performance.now();
		this.tokens = this.limits.burst;
		this.pause = 0;
		this.flying.clear();
		this.pump();
	}

	disconnected() {
		this.limits = null;
	}

	/** Sends what may go now: at most burst unconfirmed, and at the server's rate. */
	pump() {
		clearTimeout(this.timer);
		if (!this.limits) return;
		const {flying, seen, limits: {rate, burst}} = this, now = performance.now();
		this.tokens = Math.min(burst, this.tokens + (now - this.filled) / 1000 * rate) || 0;
		this.filled = now;
		let wait = Infinity;
		for (const {id, message, tab: writer, error} of this.list()) {
			if (error || flying.has(id) || flying.size >= burst) continue;
			if (!seen.has(id)) seen.set(id, now);
			const theirs = writer === tab ? 0 : patience + Math.max(this.since, seen.get(id)) - now;
			const pause = Math.max(theirs, this.pause - now, (1 - this.tokens) / rate * 1000);
			if (pause > 0) {
				wait = Math.min(wait, pause);
				continue;
			}
			this.tokens--;
			flying.set(id, now);
			this.on.send({type: 'chat_message', id, message});
		}
		for (const sent of flying.values()) wait = Math.min(wait, sent + silence - now);
		if (wait <= 0) this.on.stalled();
		else if (wait < Infinity) this.timer = setTimeout(() => this.pump(), wait + 5);
	}
}
