// What this browser keeps in localStorage: a key for each thing, so that tabs do
// not overwrite each other's. Names have no slash, so keys are paths.

import {base, roomKey} from './names.js';

// Below one host name there may be several servers, each with a base path.
export const root = base === '/' ? 'parley/' : base, maxRooms = 40, maxEntries = 200;
const memory = new Map();

function storage(kind) {
	try {
		window[kind].getItem(root);
		return window[kind];
	} catch { // switched off
		return {off: true, length: 0, getItem: () => null, removeItem() {}};
	}
}
const disk = storage('localStorage'), tabs = storage('sessionStorage');

/** What is wrong with the storage: 'none', 'full' or ''. */
export function storageTrouble() {
	try {
		disk.setItem(`${root}probe`, 'x'.repeat(4000));
		disk.removeItem(`${root}probe`);
		return '';
	} catch {
		return disk.off ? 'none' : 'full';
	}
}

/** A key's value; a damaged one is as if it were not there. */
export function get(key) {
	try {
		return JSON.parse(memory.get(key) ?? disk.getItem(root + key)) ?? undefined;
	} catch {}
}

/** Keep a value, or send the window a "full" event and keep it while the page is open. */
export function set(key, value) {
	const json = JSON.stringify(value);
	memory.delete(key);
	// To make place. The other rooms' messages can be had again.
	for (const spare of ['', ...keys('room/')]) {
		if (spare && spare !== key) remove(spare);
		try {
			return disk.setItem(root + key, json);
		} catch {}
	}
	memory.set(key, json);
	dispatchEvent(new Event('full'));
}

export function remove(key) {
	memory.delete(key);
	disk.removeItem(root + key);
}

export function keys(prefix) {
	const found = new Set(memory.keys());
	for (let i = 0; i < disk.length; i++) if (disk.key(i).startsWith(root)) found.add(disk.key(i).slice(root.length));
	return [...found].filter(k => k.startsWith(prefix)).sort();
}

/** Call f with what another tab changed: a key, its new value. */
export const onChange = f => addEventListener('storage', e =>
	e.storageArea === disk && e.key?.startsWith(root) && f(e.key.slice(root.length), e.newValue));

export const random = (n, letters) => Array.from(crypto.getRandomValues(new Uint8Array(n)), b => letters[b % letters.length]).join('');
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new ULID. */
export function newID() {
	let time = '';
	for (let t = Date.now(); time.length < 10; t = Math.floor(t / 32)) time = crockford[t % 32] + time;
	return time + random(16, crockford);
}

function once(key, value) {
	if (!get(key)) set(key, value);
	return get(key);
}

/** This browser's secret of 160 bits. */
export const device = () => once('device', random(32, crockford));
export const name = () => once('name', 'Guest-' + random(4, '0123456789'));

/** Whether nobody has chosen the name. */
export const isGuest = name => /^Guest-\d{4}$/.test(name);

/**
 * The key under which it is kept how to enter a room: {key, listed, fresh}. A fresh
 * room is opened with this passphrase and not otherwise; the entry stays if the
 * passphrase was refused.
 */
export const keyOf = room => `key/${roomKey(room)}`;

/** What this tab keeps, over reloads. */
export const tabGet = key => tabs.getItem(root + key) || '';
export function tabSet(key, value) {
	try {
		tabs.setItem(root + key, value);
	} catch {}
	return value;
}

/** This tab's own id. */
export const tab = tabGet('tab') || tabSet('tab', newID());

/** What is kept of a room: {room, epoch, offset, since, until, can, rules, more, entries}. */
export const loadRoom = room => ({epoch: '', offset: 0, since: 0, until: 0, can: [], rules: {settings: {}}, more: true, entries: [], ...get(`room/${roomKey(room)}`)});

// A message without what it does not say.
const kept = m => Object.fromEntries(Object.entries(m).filter(([, v]) => v));

/** Keep a room's position and the messages up to it, in one write. */
export function saveRoom(room, state) {
	set(`room/${roomKey(room)}`, {...state, more: state.more || state.entries.length > maxEntries, entries: state.entries.slice(-maxEntries).map(kept), at: Date.now()});
}

/** The rooms it knows, last one first. */
export function rooms() {
	const known = keys('room/').map(key => ({key, ...get(key)})).sort((a, b) => b.at - a.at);
	known.splice(maxRooms).forEach(r => remove(r.key));
	return known.map(r => r.room).filter(Boolean);
}

/** Forget all of a room: what was said, read, typed and how to get in. */
export function forgetRoom(room) {
	const key = roomKey(room);
	for (const kind of ['room', 'read', 'key', 'mute', 'quiet']) remove(`${kind}/${key}`);
	for (const out of keys(`out/${key}/`)) remove(out);
	for (const kind of ['draft', 'about', 'aim']) tabs.removeItem(`${root}${kind}/${key}`);
}

/** Forget everything, as a borrowed device should. */
export function forgetAll() {
	for (const key of keys('')) remove(key);
	try {
		tabs.clear();
	} catch {}
}
