// Carries out what changes a room's messages: edits, deletes, reactions. A change
// counts if it is newer than what is here, whatever the order in which they come.

const longest = 120; // code points of a quote, as the server cuts it
const again = 2000; // ms, at least, until a question is repeated that the server refused

// What a change makes of its message.
function after({type, message, emoji, counts, mine, file}) {
	if (type === 'react') return {reactions: counts, ...mine && {reacted: emoji}};
	return type === 'delete' ? {message: '', deleted: true, quote: null, file: null, reactions: {}, reacted: ''} : {message, edited: true, ...file && {file}};
}

// Quotes follow their message, whether it is here or not; without a text it is deleted.
function requote({entries, changed}, target, text) {
	for (const m of entries) {
		if (m.reply !== target || m.old || !m.quote) continue;
		m.quote = text ? {user: m.quote.user, text: [...text].slice(0, longest).join('')} : null;
		changed.add(m);
	}
}

/** Carry out changes, in order. Those of messages that are not here do nothing. */
export function carryOut(room, all) {
	const {timeline} = room;
	for (const c of all) {
		for (const target of c.type === 'delete' ? c.targets : [c.edits || c.target]) {
			const here = timeline.find(target);
			if (here && c.offset > (here.changed || 0)) Object.assign(here, after(c), {changed: c.offset});
			else if (here && c.type === 'react' && c.mine) here.reacted = c.emoji; // a message that is sent once more does not tell it
			if (here) timeline.changed.add(here);
			room.hits?.of.forEach(m => m.offset === target && room.hits.draw(Object.assign(m, after(c))));
			if (c.offset > room.head && target === room.rules.pinned) {
				if (c.type === 'delete') room.rules.pinned = 0;
				else if (room.pin) Object.assign(room.pin, after(c));
			}
			if (c.type !== 'react') requote(timeline, target, here ? here.message : c.message);
		}
	}
	if (all.length === 1) [room.told] = all;
}

/** Ask what changed of the messages here while the room was away, until it is all here. */
export async function catchUp(room) {
	clearTimeout(room.again);
	const answer = await room.session.ask({type: 'history', changed: room.since, before: room.until, limit: 100});
	if (!answer) { // a new connection asks by itself
		if (room.connected) room.again = setTimeout(() => room.since && catchUp(room), again * (1 + Math.random()));
		return;
	}
	for (const m of answer.messages) {
		room.timeline.meet(room.take(m));
		requote(room.timeline, m.offset, m.message);
	}
	room.since = answer.more && answer.changed > room.since ? answer.changed : 0; // what does not grow would never end
	room.save();
	room.on.changed();
	if (room.since) catchUp(room);
}
