// What the composer is about: a message that is answered or edited. It is kept in
// this tab, over reloads, with what was typed; the draft comes back after it.

import {$} from './dom.js';
import {tabGet, tabSet} from './store.js';
import {edit} from './act.js';

// What is edited of a message: of one with a file what is said of it.
const said = ({message, file}) => file && !file.caption && message === file.name ? '' : message;

export class About {
	/** aim is {editing, offset, id, from}; without an offset the message still waits; from is the text that is edited. */
	constructor(view, room, aim) {
		Object.assign(this, {view, room, aim});
	}

	/** Begin, or take the place of what the composer was about. */
	static begin(view, room, m, editing) {
		room.about?.end();
		const about = room.about = new About(view, room, {editing, offset: m.offset, id: m.id}), {input} = view;
		if (editing) input.value = about.aim.from = said(about.message || m);
		tabSet(`aim/${room.key}`, JSON.stringify(about.aim));
		view.edited();
		view.app.changed();
		input.focus();
		input.setSelectionRange(input.value.length, input.value.length);
	}

	/** What this tab was about before it was loaded again. */
	static restore(view, room) {
		const aim = tabGet(`aim/${room.key}`);
		if (!aim || room.about) return;
		room.about = new About(view, room, JSON.parse(aim));
		view.input.value = tabGet(`about/${room.key}`);
		view.grow();
	}

	/** The message as it is now: with an offset if the log has it; undefined if it is gone. */
	get message() {
		const {room: {timeline, outbox}, aim: {offset, id}} = this;
		const m = offset ? timeline.find(offset) : timeline.own(id) || outbox.list().find(m => m.id === id);
		if (!m || m.deleted) return;
		const change = outbox.waiting().changes.get(m.offset || m.id);
		return change && change.deleted ? undefined : {...m, ...change && change.message && {message: change.message}};
	}

	/** Send what was typed. */
	send(text) {
		const m = this.message, {room, aim} = this;
		this.end();
		if (!m) room.outbox.add(text);
		else if (aim.editing) edit(room, m, text);
		else room.outbox.add(text, {reply: m.offset, of: m.id});
	}

	/** Stop. A correction gives place to the draft before it; an answer becomes the draft. */
	cancel() {
		const {view, room, aim} = this, text = view.input.value;
		this.end();
		if (!aim.editing) view.input.value = text;
		view.edited();
		view.input.focus();
	}

	/** The message is gone: what was typed of one's own stays, behind the draft. */
	lost() {
		const {view: {input}, room: {key}, aim} = this, text = input.value;
		if (text !== aim.from) tabSet(`draft/${key}`, [tabGet(`draft/${key}`), text].filter(Boolean).join('\n'));
		this.end();
	}

	end() {
		const {view, room} = this;
		room.about = null;
		view.app.changed();
		tabSet(`aim/${room.key}`, '');
		tabSet(`about/${room.key}`, '');
		if (room !== view.room) return;
		view.input.value = tabGet(`draft/${room.key}`);
		view.grow();
	}
}
