// One room: what is known of it, and its connection. Nothing here draws.

import {maxText} from './codec.js';
import {base, roomKey} from './names.js';
import {part} from './dom.js';
import {name, isGuest, get, set, remove, keyOf, device, loadRoom, saveRoom} from './store.js';
import {Outbox} from './outbox.js';
import {Session} from './session.js';
import {Timeline} from './timeline.js';
import {Typists} from './typists.js';
import {hueOf, hues} from './text.js';

const quietEntries = 200; // kept of a room that is not shown
const pause = 100; // ms after which a replay is over

const isChange = m => !m.notice && (m.type !== 'chat_message' || m.edits > 0);

// What carries changes and hosts' acts out is loaded with the first one.
let changes = null, notices = null;
const withChanges = then => part('changes').then(module => {
	changes = module;
	then();
});
const withNotices = then => part('notices').then(module => {
	notices = module;
	then();
});

export class Room {
	/** on.changed() is told of every change, on.said(room, messages) of what others said, on.held() of files to send. */
	constructor(room, on) {
		const {room: shown, entries, more, ...kept} = loadRoom(room);
		// told is the last change that came live, about what is answered or edited.
		Object.assign(this, {
			on, key: roomKey(room), path: room, name: shown || room, // the path is as it was typed, the name as the server has it
			// The position {epoch, offset} up to which the room is here; {since, until}: of the
			// messages before until, not all is here that changed after since; and what the
			// server can; {host, silenced, settings, pinned} as hosts have set it.
			...kept,
			me: name(), by: '', members: new Set(), count: 0, limit: maxText,
			current: '', head: 0, // of the welcome: the room's epoch, and the end of the replay
			batch: [], // a replay, which is drawn as one
			claim: '', // the operator's key, of a link
			acts: 0, // how many notices were about somebody's role
			door: null, // why nobody is let in: {cause}
			looked: false, // somebody looks at its end now
			catching: entries.length > 0, // what comes first was missed
			fresh: null, // the entry with the line "new" above it
			place: null, // where its reader was
			loading: false, saving: 0, colors: new Map(),
			timeline: new Timeline(entries, more), typists: new Typists(),
		});
		this.readBy(get(`read/${this.key}`));
		this.session = new Session(`${base}ws/chat/${encodeURIComponent(room)}/`, {
			hello: () => this.hello(),
			state: () => this.stateChanged(),
			frame: m => this.receive(m),
		});
		this.outbox = new Outbox(room, {
			send: m => this.session.send(m),
			stalled: () => this.session.lost('timeout'),
			changed: () => on.changed(),
			held: () => on.held(),
			find: id => this.timeline.own(id)?.offset,
			slow: () => this.slow,
		});
		const {fresh, key, cause, listed} = this.wish;
		if (fresh && !key) this.door = {cause, listed};
	}

	/** How it is to be entered: {key, listed, fresh}. */
	get wish() {
		return get(keyOf(this.path)) || {};
	}

	get connected() {
		return this.session.state === 'connected';
	}

	get muted() {
		return !!get(`mute/${this.key}`);
	}

	get unread() {
		return this.timeline.entries.filter(m => m.unread && !m.deleted).length;
	}

	/** Connect, but not past a closed door: nobody gets in other than as asked. */
	connect() {
		if (!this.door) this.session.connect();
	}

	/** Enter by a passphrase, or without one where key is ''. */
	enter(key, listed = true) {
		const {fresh, host} = this.wish;
		if (key) set(keyOf(this.path), {key, ...fresh && {fresh, listed}, ...host && {host}});
		else remove(keyOf(this.path));
		this.door = this.door && {...this.door, trying: true};
		this.session.connect();
	}

	/** Stay before the door. */
	stay() {
		this.door = {...this.door, trying: false};
		this.session.rest();
	}

	hello() {
		const {key, listed, host} = this.wish, {claim} = this;
		return {type: 'hello', user: name(), device: device(), ...host && {host}, ...claim && {host_key: claim}, ...key && {key, ...listed === false && {listed}}, ...this.epoch && {epoch: this.epoch, after: this.offset}};
	}

	receive(m) {
		switch (m.type) {
		case 'welcome': return this.welcome(m);
		case 'ack': return this.outbox.drop(m.id, m.offset);
		case 'error': return this.outbox.refused(m);
		case 'typing':
			if (m.user !== this.me) this.typists.heard(m.user, performance.now());
			return this.on.changed();
		case 'notice':
			if (!m.offset) {
				if (m.did === 'rename') this.timeline.notice(m);
				return this.on.changed();
			}
			return this.collect({...m, notice: true});
		case 'presence':
			for (const user of m.users) m.event === 'join' ? this.members.add(user) : this.members.delete(user);
			this.count = m.count;
			return this.on.changed();
		case 'chat_message': case 'delete': case 'react': this.collect(m);
		}
	}

	collect(m) {
		this.batch.push(m);
		clearTimeout(this.settling);
		if (m.offset >= this.head) this.apply();
		else this.settling = setTimeout(() => this.apply(), pause); // the log's end may be what a newcomer is not sent
	}

	/** Why its reader may not write here now, as t takes it. */
	get barrier() {
		const {host, silenced, settings} = this.rules;
		return /removed you/.test(this.session.reason) ? ['cause.removed'] : host ? null : silenced ? ['quiet.silenced', {who: silenced}] : settings.write === 'hosts' ? ['quiet.hosts'] : null;
	}

	/** The seconds between two messages of its reader. */
	get slow() {
		return this.rules.host ? 0 : this.rules.settings.slow || 0;
	}

	/** Come in as the server's operator, with the key of a link. */
	operate(key) {
		this.claim = key;
		if (this.session.state !== 'idle') this.connect();
	}

	welcome(m) {
		const same = m.epoch === this.epoch, knew = this.can.includes('change'); // if not, it may have passed over changes
		if (!same || !m.can.includes('change')) this.since = this.until = 0;
		else if (!m.resumed || !knew) {
			this.since = knew ? Math.min(this.since || this.offset, this.offset) : 1; // an answer may have been ahead of it
			// The newest messages may begin before it, and what is here may end behind it.
			this.until = Math.max(this.until, this.offset + 1, ...this.timeline.entries.map(e => !e.old && e.offset + 1 || 0));
		}
		if (!m.resumed) {
			this.timeline.broken = this.unheard = true;
			if (!same) for (const e of this.timeline.entries) e.old = true; // its offset means nothing now
			// The position moves only with what is here.
			if (!same || this.offset > m.offset) [this.epoch, this.offset] = [m.offset ? '' : m.epoch, 0];
		}
		Object.assign(this, {me: m.user, by: m.by, can: m.can, count: m.count, name: m.room, current: m.epoch, head: m.offset, batch: [], door: null, members: new Set(m.members)});
		this.limit = m.limits.message || maxText;
		this.largest = m.limits.file;
		const {key, fresh, host} = this.wish;
		if (key && (fresh || host)) set(keyOf(this.path), {key});
		else if (host) remove(keyOf(this.path));
		if (host && !m.host) this.outbox.trouble = {error: 'host.late'};
		else if (m.like) this.outbox.trouble = {error: 'room.like', why: m.like};
		this.rules = {host: m.host, silenced: m.silenced, settings: m.settings || {}, pinned: m.pinned};
		if (this.pin) this.pin.asked = 0;
		this.claim = '';
		this.acts++;
		if (this.head <= this.offset) this.catching = false;
		this.outbox.connected(m.limits);
		this.save();
	}

	apply() {
		const {batch, timeline} = this, waiting = new Set(this.outbox.list().map(m => m.id)), messages = batch.filter(m => !isChange(m));
		if (batch.length > messages.length && !changes) return withChanges(() => this.apply());
		if (batch.some(m => m.notice) && !notices) return withNotices(() => this.apply());
		this.batch = [];
		for (const m of batch) {
			this.take(m, true);
			if (m.notice && m.offset > this.head) notices.carry(this, m);
			m.mine = m.mine || waiting.has(m.id);
			[this.epoch, this.offset] = [this.current, m.offset];
		}
		for (const m of messages) this.typists.said(m.user);
		const others = timeline.append(messages).filter(m => !m.mine && !m.deleted && !m.notice);
		if (batch.length > messages.length) changes.carryOut(this, batch.filter(isChange));
		if (!this.looked || this.catching) this.missed(others);
		this.catching = false;
		if (this.unheard && this.can.includes('host')) withNotices(() => notices.hear(this));
		this.unheard = false;
		for (const {id, offset} of batch) if (waiting.has(id)) this.outbox.drop(id, offset);
		this.outbox.pump();
		if (!this.looked) timeline.trim(quietEntries * 2);
		else if (!this.place || this.place.stick) timeline.trim();
		this.save();
		if (others.length) this.on.said(this, others);
		this.on.changed();
	}

	/** A message as it is kept: with whose it is, and of a file with what is said of it. One that came live does not tell one's own reaction. */
	take(m, live) {
		if (!live || m.mine) m.reacted = m.mine;
		if (m.deleted) m.message = '';
		if (m.file) m.message = m.file.caption || m.file.name; // older pages get a link
		m.mine = m.by && this.by ? m.by === this.by : m.user === this.me;
		return m;
	}

	missed(messages) {
		if (messages.length && !this.timeline.entries.some(m => m.unread)) this.fresh = messages[0];
		for (const m of messages) m.unread = true;
	}

	/** Somebody looks at the room's end, or does not any more. */
	look(looked) {
		this.looked = looked;
		if (!looked || !this.unread) return;
		for (const m of this.timeline.entries) m.unread = false;
		set(`read/${this.key}`, {epoch: this.epoch, offset: this.offset});
		this.save();
	}

	/** Another tab has read up to a position. */
	readBy(position) {
		if (!position || position.epoch !== this.epoch) return;
		for (const m of this.timeline.entries) if (m.unread && m.offset <= position.offset) m.unread = false;
	}

	/** Load what is missing before an entry. */
	async fill(next) {
		if (this.loading || !next || next.old || !(next.offset > 1)) return;
		this.loading = true;
		const answer = await this.session.ask({type: 'history', before: next.offset, limit: 50});
		if (!answer) {
			this.loading = false;
			return;
		}
		for (const m of answer.messages) this.take(m);
		if (this.can.includes('host')) await (await part('notices')).among(this, answer, next.offset);
		this.loading = false;
		this.timeline.prepend(next, answer);
		this.save();
		this.on.changed();
	}

	/** Load what is older than all here, if there is something. */
	older() {
		const first = this.timeline.entries.find(m => m.offset);
		return this.timeline.more && this.fill(first);
	}

	/** A person's colour: their name's own, unless somebody in this room has it already. */
	color(user) {
		if (!this.colors.has(user)) {
			const taken = new Set(this.colors.values());
			let hue = hueOf(user);
			for (let i = 0; i < hues && taken.has(hue); i++) hue = (hue + 3) % hues;
			this.colors.set(user, hue);
		}
		return this.colors.get(user);
	}

	stateChanged() {
		const {session, wish} = this, {state, cause, reason} = session;
		if (state !== 'connected') this.outbox.disconnected();
		else if (this.since) withChanges(() => changes.catchUp(this));
		if (state === 'closed' && (cause === 'wrong_key' || cause === 'open_room')) {
			this.door = {cause: wish.key ? cause : 'needs_key', key: wish.key, listed: wish.listed, bad: /character/.test(reason)};
			if (wish.fresh) set(keyOf(this.path), {fresh: true, listed: wish.listed, host: wish.host, cause});
			else remove(keyOf(this.path));
		}
		if (state === 'closed' && cause === 'bad_hello') this.claim = ''; // it may be another server's
		// Nobody chose a guest's name: another one will do.
		if (state === 'closed' && cause === 'name_taken' && isGuest(name())) return this.on.guestTaken();
		if (cause === 'server_full') session.cause = /passphrase/.test(reason) ? 'too_many_tries' : /room is/.test(reason) ? 'room_full' : /ions from/.test(reason) ? 'too_many' : cause;
		this.on.changed();
	}

	save() {
		this.saving = this.saving || setTimeout(() => this.saveNow(), 300);
	}

	saveNow() {
		clearTimeout(this.saving);
		this.saving = 0;
		const {name: room, epoch, offset, since, until, can, rules, timeline: {more, entries}} = this;
		saveRoom(this.path, {room, epoch, offset, since, until, can, rules, more, entries: entries.filter(m => m.offset)});
	}

	/** Leave it, with its connection. */
	close() {
		if (this.saving) this.saveNow();
		this.session.rest();
	}
}
