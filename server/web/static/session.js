// One connection to a room, kept alive: dial, hello, resume, backoff.

import {protocol, decode, encode} from './codec.js';

const silence = 1e4; // ms

export class Session {
	// on.hello() gives the hello, on.frame(message) takes what comes, on.state() is
	// told of a new state: disconnected (until next), connecting, connected, closed
	// (code and reason say why).
	constructor(url, on) {
		Object.assign(this, {url, on, state: 'disconnected', tries: 0, generation: 0, asked: []});
		const now = () => this.tryNow();
		for (const event of ['online', 'offline', 'pageshow']) addEventListener(event, now);
		document.addEventListener('visibilitychange', () => document.hidden || now());
	}

	connect() {
		this.leave();
		const {generation} = this;
		// Late events of older connections change nothing.
		const mine = f => e => generation === this.generation && f(e);
		const socket = this.socket = new WebSocket(this.url, protocol);
		socket.onopen = mine(() => this.send(this.on.hello()));
		socket.onmessage = mine(({data}) => this.receive(data));
		socket.onclose = mine(({code, reason}) => {
			if (code < 4500 || code > 4999) return this.lost(/\d+(?= s)/.exec(reason));
			this.leave();
			this.to('closed', {code, reason});
		});
		this.watch();
		this.to('connecting');
	}

	receive(data) {
		clearTimeout(this.watchdog);
		const {message: m} = decode(data);
		if (!m) return; // of a later version
		if (m.type === 'history' || m.type === 'error' && !m.id) return this.asked.shift()?.(m.messages && m);
		this.on.frame(m);
		if (m.type === 'welcome') this.to('connected', {since: Date.now()});
	}

	// Sends a frame, or reports that it can't.
	send(message) {
		const open = this.socket?.readyState === WebSocket.OPEN;
		if (open) this.socket.send(encode(message));
		return open;
	}

	// Asks for the entries before an offset; undefined is no answer.
	history(before, limit) {
		return new Promise(done => this.state === 'connected' && this.send({type: 'history', before, limit}) ? this.asked.push(done) : done());
	}

	// Connects now, or finds out whether the connection lives.
	tryNow() {
		if (this.state === 'disconnected') this.connect();
		if (this.state !== 'connected') return;
		this.history(1, 1);
		this.watch();
	}

	// Gives a connection up that says nothing for too long.
	watch() {
		clearTimeout(this.watchdog);
		this.watchdog = setTimeout(() => this.lost(), silence);
	}

	// Tries again after a jittered, growing delay, spread over the server's seconds.
	lost(spread = 0) {
		this.tries = this.state === 'connected' && Date.now() - this.since > silence ? 0 : this.tries + 1;
		this.leave();
		const delay = Math.min(15e3, 500 * 2 ** this.tries) * (.5 + Math.random() / 2) + Math.random() * spread * 1e3;
		this.timer = setTimeout(() => this.connect(), delay);
		this.to('disconnected', {next: Date.now() + delay});
	}

	leave() {
		this.generation++;
		clearTimeout(this.timer);
		clearTimeout(this.watchdog);
		for (const done of this.asked.splice(0)) done();
		this.socket?.close();
		this.socket = null;
	}

	to(state, more) {
		Object.assign(this, {state}, more);
		this.on.state();
	}
}
