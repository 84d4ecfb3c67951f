// The rules for names and passphrases, as far as a browser can check them:
// shared/name.go, shared/key.go.

import {blank, length} from './codec.js';

const spaces = s => s.replace(/\p{Zs}+/gu, ' ').replace(/^ | $/g, '');

/** Whether a text has a character that neither names nor passphrases can have. */
export const unusable = text => /[\p{Cc}\p{Cn}\p{Co}\p{Cs}]|(?![\u200c\u200d])\p{Default_Ignorable_Code_Point}/u.test(text);

const check = limit => s => {
	// What the profile refuses inside emoji; joiners between letters stay.
	s = s.replace(/\ufe0f/g, '').replace(/([\p{So}\p{Sk}\p{Sm}])\u200d/gu, '$1').replace(/\u200d(?=[\p{So}\p{Sk}\p{Sm}])/gu, '');
	const text = spaces(spaces(s).normalize('NFKC'));
	const wrong = blank(s) ? 'name.empty'
		: unusable(text) || /[\u2800\ufffc\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u.test(text) ? 'name.bad'
		: length(text) > limit ? 'name.long'
		: /[/\\]/.test(text) ? 'name.slash'
		: /^\.\.?$/.test(text) ? 'name.dots' : '';
	return wrong ? {error: [wrong, {limit}]} : {text};
};

/** Check a name: {text} as it is shown, or {error}, what t takes. */
export const roomName = check(64);
export const personName = check(32);

const least = 8, most = 128;

/** What a passphrase lacks for a new room, as t takes it. */
export const keyProblem = key => length(key) < least || length(key) > most ? ['key.length', {least, most}] : null;

/** What rooms are told apart by: nearly the server's own key. */
export const roomKey = room => (roomName(room).text || room).toLowerCase();

/** The path of the server's root: / or, behind a proxy, one below it. */
export const base = new URL('..', import.meta.url).pathname;

/** The address of a room's page. */
export const roomPath = room => `${base}chat/${encodeURIComponent(room)}/`;
