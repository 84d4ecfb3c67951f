// A room's messages and changes that have not come back yet, a key for each. All tabs see all.
// A tab sends its own, and what another did not get out while this one was
// connected: it may be closed. Of one sent twice the server keeps one.
// Durations are the monotonic clock's, and the order is by number: a clock that is
// set changes neither.

import {newID, tab, get, set, remove, keys, onChange} from './store.js';
import {roomKey} from './names.js';

const patience = 3000; // ms for another tab to send its own
const silence = 10000; // ms without an answer after which a connection is dead

// Whether it is a message of its own, no change.
const isSaid = ({message, more, file}) => !!(message || file) && !more?.edits;

export class Outbox {
	/**
	 * on.send(frame) sends, on.changed() is told, on.stalled() that no answer comes, and
	 * on.held() that files wait to be sent;
	 * on.find(id) tells the offset of one's own message, if it is here, and on.slow() the
	 * seconds between two messages.
	 */
	constructor(room, on) {
		Object.assign(this, {on, prefix: `out/${roomKey(room)}/`, flying: new Map(), seen: new Map(), orphans: new Map(), limits: null, slowed: 0});
		// What another tab takes out is about to come, mostly.
		onChange((key, value) => key.startsWith(this.prefix) && setTimeout(() => this.update(), value ? 0 : 1000));
	}

	/**
	 * What waits, in order: {id, message, more, waits, unsent, at, n, tab, error, file, held}.
	 * more are a frame's other fields; waits is the id of a message that must have its offset
	 * first; unsent is what no tab has sent, so that it may still be altered; file is shown
	 * of a message that has one, and held is when it was written, until the server has it.
	 */
	list() {
		const all = keys(this.prefix).map(key => {
			const m = get(key);
			return {at: m?.held, ...m, id: key.slice(this.prefix.length)};
		}).filter(m => m.at);
		return all.sort((a, b) => (a.n || 0) - (b.n || 0));
	}

	/** The messages that wait, and by the offset or the id of another one how it will look. */
	waiting() {
		const messages = [], changes = new Map();
		for (const m of this.list()) {
			const {message, more = {}, waits} = m;
			if (more.type === 'host') continue; // it changes no message by itself
			const target = waits || more.edits || more.target;
			if (!target || m.error) messages.push(m);
			else changes.set(target, {...changes.get(target), ...message ? {message, edited: true} : 'emoji' in more ? {reacted: more.emoji} : {deleted: true}});
		}
		return {messages, changes};
	}

	add(message, more, waits, also) {
		const all = this.list(), n = all.length ? (all[all.length - 1].n || 0) + 1 : 1;
		this.put({id: newID(), message, more, waits, unsent: true, at: Date.now(), n, tab, ...also});
	}

	put(m) {
		this.keep(m);
		this.update();
	}

	// A page of an earlier version, in another tab, passes over what names no id, and
	// takes no change for a message; nor what has no time.
	keep(m) {
		set(this.prefix + m.id, {...m, id: m.more && !m.more.reply ? undefined : m.id, at: m.held ? undefined : m.at});
	}

	// Whether the server has a file still is asked again.
	retry(m) {
		this.put({...m, tab, error: '', held: m.file && (m.held || Date.now())});
	}

	/** Takes out what has come back, with its offset, or was given up, with its changes. */
	drop(id, offset) {
		this.flying.delete(id);
		this.seen.delete(id);
		for (const m of this.list()) {
			if (m.waits !== id) continue;
			if (offset) this.keep({...m, waits: '', more: {...m.more, [m.message ? 'edits' : 'target']: offset}});
			else remove(this.prefix + m.id);
		}
		if (offset && this.on.slow() && isSaid(get(this.prefix + id) || {})) this.slowed = performance.now() + this.on.slow() * 1000;
		remove(this.prefix + id); // last: no other tab sees them without it
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
		if (code !== 'rate_limited' && code !== 'unavailable') return this.undo({...m, id}, code, message);
		this[isSaid(m) && this.on.slow() ? 'slowed' : 'pause'] = performance.now() + (retry_ms || 1000 + Math.random() * 2000);
		this.pump();
	}

	/** Takes out what is never to be, and says so; a text stays. */
	undo(m, error, why) {
		const change = this.waiting().changes.get(m.id) || {};
		this.drop(m.id);
		if (m.more?.type === 'host') error = 'act.refused';
		else if (error === 'not_allowed' && isSaid(m)) error = 'rule'; // which the reason says
		if (!m.message && !m.file) this.trouble = {error, why};
		else if (!change.deleted) this.put({...m, ...change, error, why});
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
		const {flying, seen, orphans, limits: {rate, burst}} = this, now = performance.now();
		this.tokens = Math.min(burst, this.tokens + (now - this.filled) / 1000 * rate) || 0;
		this.filled = now;
		let wait = Infinity, held = false;
		const all = this.list(), ids = new Set(all.map(m => m.id)), earlier = new Set(), slow = this.on.slow();
		let said = all.some(m => isSaid(m) && flying.has(m.id));
		for (const m of all) {
			const {id, message, more, waits, tab: writer} = m, target = more && (more.type === 'host' ? more.type : more.edits || more.target);
			if (m.error) continue;
			if (m.held) {
				held = true;
				continue;
			}
			if (waits && !ids.has(waits)) { // another tab had its message come back
				const offset = this.on.find(waits);
				if (offset) return this.drop(waits, offset);
				if (!orphans.has(waits)) orphans.set(waits, now);
				const left = Math.max(this.since, orphans.get(waits)) + silence - now;
				if (left <= 0) return this.undo(m, 'not_found');
				wait = Math.min(wait, left);
			}
			// The last one of a message's changes counts, and the last of a host's acts: each
			// waits for those before it. In slow mode a message does, too.
			const saying = slow && isSaid(m), behind = target && earlier.has(target) || saying && said;
			earlier.add(target);
			if (waits || behind || flying.has(id) || flying.size >= burst) continue;
			if (!seen.has(id)) seen.set(id, now);
			const theirs = writer === tab ? 0 : patience + Math.max(this.since, seen.get(id)) - now;
			const pause = Math.max(theirs, this.pause - now, saying ? this.slowed - now : 0, (1 - this.tokens) / rate * 1000);
			if (pause > 0) {
				wait = Math.min(wait, pause);
				continue;
			}
			this.tokens--;
			said = said || isSaid(m);
			flying.set(id, now);
			if (m.unsent) this.keep({...m, unsent: false});
			this.on.send({type: 'chat_message', id, message, ...more});
		}
		for (const sent of flying.values()) wait = Math.min(wait, sent + silence - now);
		if (held) this.on.held();
		if (wait <= 0) this.on.stalled();
		else if (wait < Infinity) this.timer = setTimeout(() => this.pump(), wait + 5);
	}
}
