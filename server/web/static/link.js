// What a link leads to. shared/link.go has the same rules; shared/testdata/links tests both.

import {roomName, keyProblem, unusable} from './names.js';

const maxLink = 2048, defaultPort = '8000';
const parts = /^([A-Za-z]+):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#([^]*))?$/;
const hosts = /^([\p{L}\p{M}\p{N}._-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\])(?::([0-9]{0,5}))?$/u;
const paths = /^(.*?)(?:(?:\/ws)?\/(?:chat|r)(?:\/([^/]*).*)?|\/(?:join|join\.txt|app)\/?)$/;
const hostKeys = /^[A-Z2-7]{26}$/;
const fingerprint = /^[abdf-pr-vz]{5}(?:-[abdf-pr-vz]{5}){5}$/;

const refuse = code => { throw {code}; };

function unescape(s) {
	try {
		return decodeURIComponent(s);
	} catch {
		refuse('escape');
	}
}

function isIPv6(host) {
	try {
		return !!new URL(`http://${host.replace(/%25.*]/, ']')}`);
	} catch {}
}

function address(text, scheme) {
	const m = hosts.exec(text) || refuse('address');
	const host = m[1].toLowerCase(), port = m[2] || (scheme === 'parley' ? defaultPort : '');
	if (host[0] === '[' && !isIPv6(host)) refuse('address');
	if (port && !(port > 0 && port < 65536)) refuse('address');
	return port ? `${host}:${+port}` : host;
}

function read(text) {
	text = text.trim();
	if (new TextEncoder().encode(text).length > maxLink) refuse('long');
	const m = parts.exec(text);
	if (!m || /[\0-\x1f\x7f]/.test(text)) refuse('address');
	const scheme = m[1].toLowerCase(), [, , authority, path = '', query = '', fragment = ''] = m;
	if (!['http', 'https', 'ws', 'wss', 'parley'].includes(scheme)) refuse('address');
	if (authority.includes('@')) refuse('user');
	const link = {tls: scheme === 'https' || scheme === 'wss', host: address(authority, scheme), path: path.replace(/\/+$/, ''), room: '', key: '', words: '', hostKey: ''};

	unescape(path);
	const known = paths.exec(path);
	if (known) {
		link.path = known[1].replace(/\/+$/, '');
		const {text: room, error} = known[2] ? roomName(unescape(known[2])) : {text: ''};
		if (error) refuse('room');
		link.room = room;
	}
	link.keyIgnored = query.split('&').some(part => part.split('=')[0] === 'k');
	if (fingerprint.test(fragment)) link.words = fragment;
	else for (const part of fragment.split('&')) {
		const [name, ...rest] = part.split('=');
		if (name !== 'k' && name !== 'fp' && name !== 'host') continue;
		const value = unescape(rest.join('='));
		if (name === 'k') {
			if (keyProblem(value.normalize()) || unusable(value)) refuse('key');
			link.key = value;
		} else if (name === 'host') link.hostKey = hostKeys.test(value) ? value : refuse('host');
		else link.words = fingerprint.test(value) ? value : refuse('words');
	}
	if (scheme === 'parley') link.tls = !!link.words || link.host.endsWith(':443') || fragment.split('&').includes('tls');
	if (!link.tls) link.words = '';
	return link;
}

/** Read a link: {tls, host, path, room, key, words, hostKey, keyIgnored}, or {error} as a code of shared.LinkError. */
export function readLink(text) {
	try {
		return read(text);
	} catch ({code}) {
		return {error: code};
	}
}

/** Make the link to a room; key is its passphrase, or ''. */
export const makeLink = (base, room, key) => `${base}r/${encodeURIComponent(room)}${key && `#k=${encodeURIComponent(key)}`}`;
