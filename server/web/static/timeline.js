// A room's messages: their order and their gaps. logview.js draws them.

const maxEntries = 1000; // while new ones come; scrolling up brings the others back

const key = m => `${m.id || m.offset} ${m.user}`; // a stranger may repeat an id

export class Timeline {
	constructor(entries, more) {
		Object.assign(this, {entries: [], known: new Map(), more, broken: false, changed: new Set()}); // changed since the view last drew it
		this.append(entries);
	}

	/** The last entry that is a message. */
	get last() {
		const {entries} = this;
		for (let i = entries.length; i--;) if (!entries[i].notice) return entries[i];
	}

	/** The message at an offset of the present log. */
	find(offset) {
		return this.entries.find(m => m.offset === offset && !m.old && !m.notice);
	}

	/** One's own message with an id, in the present log. */
	own(id) {
		return this.entries.find(m => m.mine && m.id === id && !m.old);
	}

	/** Put messages at the end; those already here only take a new offset. Returns the new ones. */
	append(messages) {
		const fresh = [];
		for (const m of messages) {
			if (!this.meet(m)) {
				if (this.broken && this.last) m.gap = m.offset > 1; // nothing is before the first
				this.insert(this.entries.length, m);
				fresh.push(m);
			}
			this.broken = false;
		}
		return fresh;
	}

	/** Leave out the oldest, which the server has. */
	trim(most = maxEntries) {
		const {entries} = this;
		if (entries.length <= most) return;
		for (const m of entries.splice(0, entries.length - Math.ceil(most / 2))) this.known.delete(key(m));
		this.more = true;
	}

	/** Put a page of history before the entry that it leads up to. */
	prepend(next, {messages, more, after}) {
		const at = this.entries.indexOf(next), previous = this.entries[at - 1];
		if (at < 0) return;
		// The server tells where the page's end meets what is here: nothing lies between.
		let met = !messages.length || !!previous && !previous.old && after > 0 && after <= previous.offset;
		const missing = [];
		for (const m of messages.reverse()) {
			if (this.meet(m)) met = true;
			else if (!met || !previous) missing.unshift(m);
		}
		missing.forEach((m, i) => this.insert(at + i, m));
		next.gap = false;
		if (at) this.entries[at].gap = more && !met;
		else this.more = more && messages.length > 0;
	}

	/** A notice of this moment; it is not kept. */
	notice(m) {
		this.entries.push({...m, notice: true, time: new Date().toISOString()});
	}

	// A copy from another log always counts, else only a newer one, or one that also
	// tells one's own reaction.
	meet(m) {
		const here = this.known.get(key(m)), newer = here && (here.old || m.changed > (here.changed || 0) || 'reacted' in m && m.changed === here.changed);
		if (newer) this.changed.add(here);
		return here && Object.assign(here, newer ? m : {offset: m.offset}, {old: false});
	}

	insert(i, m) {
		this.known.set(key(m), m);
		this.entries.splice(i, 0, m);
	}
}
