// What hosts did: how it is said, and where it belongs among the messages.

import {el, bdi} from './dom.js';
import {t, nodes, has, duration} from './words.js';

const mostPages = 5; // of notices that are asked for at once

function rule(name, value) {
	if (name === 'slow') return t(value ? 'rule.slow' : 'rule.slow.off', {time: duration(value)});
	return has(`rule.${name}.${value}`) ? t(`rule.${name}.${value}`) : '';
}

/** Notices of one kind and one host as a sentence; nothing for what this version does not know. */
export function lines(all) {
	const {did, user, pinned} = all[all.length - 1], key = `notice.${did === 'pin' && !pinned ? 'unpin' : did}`;
	const settings = Object.assign({}, ...all.map(m => JSON.parse(JSON.stringify(m.settings || {})))); // without what is not set
	const what = Object.entries(settings).filter(([, value]) => value !== '').map(([name, value]) => rule(name, value)).filter(Boolean).join(', ');
	const whom = [...new Set(all.map(m => m.about))].flatMap((name, i) => i ? [', ', bdi(name)] : [bdi(name)]);
	if (!has(key) || did === 'set' && !what) return [];
	return nodes(key, {who: user ? bdi(user) : t('notice.operator'), whom: el('span', {}, ...whom), what});
}

/** Have what a host did hold from now on. */
export function carry(room, {did, whom, user, pinned, settings}) {
	const {rules, outbox} = room;
	if (did === 'pin') rules.pinned = pinned;
	for (const [name, value] of Object.entries(settings || {})) if (value || value === 0) rules.settings[name] = value;
	if (settings) outbox.slowed = 0;
	if (!whom) return;
	room.acts++;
	if (whom !== room.by) return;
	if (/host|open/.test(did)) rules.host = did !== 'unhost';
	if (/silence/.test(did)) rules.silenced = did === 'silence' && user;
	if (rules.host) rules.silenced = '';
}

// The notices between two offsets. What came once is kept while the page is open.
async function between(room, after, before) {
	let {past} = room;
	if (!past || past.epoch !== room.current || past.to < before) past = room.past = {epoch: room.current, to: before, from: before, all: []};
	for (let n = mostPages; n && past.from > after + 1; n--) {
		const answer = await room.session.ask({type: 'notices', before: past.from, limit: 100});
		if (!answer) break;
		const [first] = answer.notices;
		past.all.unshift(...answer.notices);
		past.from = answer.more && first ? first.offset : 0;
	}
	return past.all.filter(m => m.offset > after && m.offset < before).map(m => room.take({...m, notice: true}));
}

/** Add the notices that belong to a page of history. */
export async function among(room, answer, before) {
	const found = await between(room, answer.messages.length || answer.more ? answer.after : 0, before);
	answer.messages = [...answer.messages, ...found].sort((a, b) => a.offset - b.offset);
}

/** Ask for the notices among the messages of a visit. */
export async function hear(room) {
	const {timeline, current, head} = room, here = timeline.entries.filter(m => m.offset && !m.old);
	const first = [...here].reverse().find(m => m.gap) || here[0];
	const found = await between(room, first ? first.offset : 0, head + 1);
	if (room.current !== current || !found.length) return;
	for (const m of found) {
		const {entries} = timeline;
		let i = entries.length;
		while (i && !entries[i - 1].old && !(entries[i - 1].offset < m.offset)) i--;
		if (!timeline.meet(m)) timeline.insert(i, m);
	}
	room.save();
	room.on.changed();
}
