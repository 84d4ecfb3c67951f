// The people who are typing: each for five seconds after the last sign of it, or
// until they have said something. Moments are given, in milliseconds.

const lasts = 5000;

export class Typists {
	constructor() {
		this.until = new Map();
	}

	heard(user, now) {
		this.until.set(user, now + lasts);
	}

	said(user) {
		this.until.delete(user);
	}

	typing(now) {
		for (const [user, end] of this.until) if (end <= now) this.until.delete(user);
		return [...this.until.keys()];
	}
}
