// One connection to a room, kept alive: dial, hello, resume, backoff.

import {protocol, decode, encode} from './codec.js';

const quiet = 30e3; // ms without a frame after which the page asks
const answer = 5e3; // ms for the pong
const arrival = 10e3; // ms from the dial to the welcome

const now = () => performance.now();

// What a close code means, as a key of shared/lang.
const causes = {
	1001: 'server_restart', 1012: 'server_restart', 1013: 'server_full', 4000: 'slow', 4001: 'flooding',
	4500: 'bad_hello', 4501: 'name_taken', 4502: 'wrong_key', 4503: 'removed', 4504: 'open_room',
};

export class Session {
	/**
	 * on.hello() gives the hello, on.frame(message) takes what comes, on.state() is
	 * told of a new state: idle, connecting, connected, disconnected (until next),
	 * closed. cause and reason say why.
	 */
	constructor(path, on) {
		Object.assign(this, {path, on, state: 'idle', cause: '', reason: '', next: 0, tries: 0, generation: 0, asked: []});
	}

	connect() {
		this.leave();
		const {generation} = this;
		// Late events of older connections change nothing.
		const mine = f => e => generation === this.generation && f(e);
		const socket = this.socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}${this.path}`, protocol);
		let opened = false;
		socket.onopen = mine(() => {
			opened = true;
			this.send(this.on.hello());
		});
		socket.onmessage = mine(({data}) => this.receive(data));
		socket.onclose = mine(({code, reason}) => {
			if (!opened) return this.refused();
			const cause = causes[code] || (code < 4500 || code > 4999 ? 'lost' : 'stopped');
			if (code >= 4500 && code <= 4999) return this.end(cause, reason);
			this.lost(cause, reason);
		});
		this.watch(arrival);
		this.to('connecting');
	}

	receive(data) {
		this.watch();
		const {message: m, error} = decode(data);
		const {type} = m || error, id = m?.id || '', asked = this.asked.findIndex(a => id === a.id && (type === a.type || type === 'error'));
		if (asked >= 0) return this.asked.splice(asked, 1)[0].done(type === 'error' && !id ? undefined : m);
		if (!m) return; // of a later version
		this.on.frame(m);
		if (m.type === 'welcome') this.to('connected', {since: now(), cause: '', reason: ''});
	}

	/** Send a frame, or report that it can't. */
	send(message) {
		const open = this.socket?.readyState === WebSocket.OPEN;
		if (open) this.socket.send(encode(message));
		return open;
	}

	/** Ask something; undefined is no answer. A question with an id may be answered by an error. */
	ask(question) {
		const {type, id = ''} = question;
		return new Promise(done => this.state === 'connected' && this.send(question) ? this.asked.push({type, id, done}) : done());
	}

	/** Connect now, or find out whether the connection lives. */
	tryNow() {
		if (this.state === 'disconnected') this.connect();
		if (this.state === 'connected') this.ping();
	}

	ping() {
		this.send({type: 'ping'});
		this.watch(answer, () => this.lost('timeout'));
	}

	// Gives a connection up that says nothing for too long.
	watch(time = quiet, then = () => this.state === 'connected' ? this.ping() : this.lost('timeout')) {
		clearTimeout(this.watchdog);
		this.watchdog = setTimeout(then, time);
	}

	// A browser does not tell why an upgrade was refused; the same request over HTTP is.
	async refused() {
		this.lost(this.cause || 'lost');
		const {generation} = this;
		let cause = navigator.onLine === false ? 'offline' : 'unreachable', status = 0;
		try {
			const response = await fetch(this.path, {headers: {'Page-Origin': location.origin}, cache: 'no-store'});
			({status} = response);
			cause = status === 426 ? 'lost' : (await response.json()).code || 'stopped';
		} catch {} // nobody answers
		if (generation !== this.generation) return;
		if (status === 400 || status === 403) return this.end(cause, '');
		this.to('disconnected', {cause});
	}

	// Tries again after a jittered, growing delay, spread over the server's seconds.
	lost(cause, reason = '') {
		const spread = cause === 'server_restart' && Math.min(60, +(/(\d+) s\b/.exec(reason) || [])[1]) || 0;
		this.tries = this.state === 'connected' && now() - this.since > 10e3 ? 0 : this.tries + 1;
		this.leave();
		const delay = Math.min(15e3, 500 * 2 ** this.tries) * (.5 + Math.random() / 2) + Math.random() * spread * 1e3;
		this.timer = setTimeout(() => this.connect(), delay);
		this.to('disconnected', {next: now() + delay, cause, reason});
	}

	// Stops for a reason that trying again does not mend.
	end(cause, reason) {
		this.leave();
		this.to('closed', {cause, reason});
	}

	/** Rest until connect is called. */
	rest() {
		this.leave();
		this.to('idle', {cause: '', reason: ''});
	}

	leave() {
		this.generation++;
		clearTimeout(this.timer);
		clearTimeout(this.watchdog);
		for (const {done} of this.asked.splice(0)) done();
		this.socket?.close();
		this.socket = null;
	}

	to(state, more) {
		Object.assign(this, {state}, more);
		this.on.state();
	}
}
