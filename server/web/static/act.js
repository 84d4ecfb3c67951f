// What can be done with a message.

import {el} from './dom.js';

/** Whether a message can be answered or changed. */
export const changes = (room, m) => room.can.includes('change') && m.offset > 0 && !!m.id && !m.old && !m.deleted;

// What waits for a message, of the kind that a frame with this field is, the last one first.
const waiting = (room, m, field) => room.outbox.list().filter(w => !w.error && w.more && field in w.more && (w.more.target || w.more.edits) === m.offset).reverse();

/** React with an emoji, or take it back if it is there already. */
export function react(room, m, emoji) {
	const {outbox} = room, [last, ...earlier] = waiting(room, m, 'emoji');
	const of = w => w ? w.more.emoji : m.reacted || '', wanted = of(last) === emoji ? '' : emoji;
	if (!last || !last.unsent) outbox.add(undefined, {type: 'react', target: m.offset, of: m.id, emoji: wanted});
	else if (of(earlier[0]) === wanted) outbox.drop(last.id);
	else outbox.put({...last, more: {...last.more, emoji: wanted}});
}

/** Correct a message. One that nobody has sent yet is altered where it waits. */
export function edit(room, m, text) {
	const {outbox} = room, [last] = m.offset ? waiting(room, m, 'edits') : outbox.list().filter(w => w.waits === m.id && w.message).reverse();
	const open = m.offset ? last : m.unsent ? m : last;
	if (open && open.unsent) outbox.put({...open, message: text});
	else if (text !== m.message || open) outbox.add(text, {edits: m.offset || 0, of: m.id}, m.offset ? '' : m.id);
}

/** Take a message back. */
export function take(room, m) {
	const {outbox} = room;
	if (m.unsent || m.error) outbox.drop(m.id);
	else outbox.add(undefined, {type: 'delete', target: m.offset || 0, of: m.id}, m.offset ? '' : m.id);
}

/** Copy a text; returns whether it is copied. A page of a local network has no navigator.clipboard. */
export function copy(text) {
	const before = document.activeElement, field = el('textarea', {value: text, readOnly: true, class: 'told'});
	document.body.append(field);
	field.select();
	const done = document.execCommand('copy');
	field.remove();
	before?.focus();
	return done;
}

const near = 300; // offsets over which a message is loaded in its place

/** Show a message where it was said, or if that is far away what was said around it. */
export async function goTo(app, room, offset) {
	const {timeline} = room, next = () => timeline.entries.find(m => m.offset > offset && !m.old && !m.notice);
	for (let pages = 6; pages && !timeline.find(offset) && next()?.offset - offset < near; pages--) await room.fill(next());
	const m = timeline.find(offset);
	if (!m || room !== app.shown) return (await import('./find.js')).openAround(app, room, offset);
	app.draw();
	const {rows, place, scroller} = app.log, {item, row} = rows.get(m);
	place.goTo(item, scroller.clientHeight / 3);
	row.classList.add('found');
	row.onanimationend = () => row.classList.remove('found');
	item.tabIndex = -1;
	item.focus({preventScroll: true});
}
