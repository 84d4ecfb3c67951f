// What is found in texts and names: links, emoji, initials, colours.
// The app has the same rules; shared/testdata/text tests both.

const inLink = '[^\\s\\p{Z}<>"`“”«»「」『』\\p{Bidi_C}]';

// A link's beginning tells where it leads.
const candidate = new RegExp(`https?://${inLink}+|(www\\.[^.\\s]${inLink}+)`
	+ `|((?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?::[0-9]{1,5}(?:/${inLink}*)?|/${inLink}*))`
	+ '|([a-z0-9._%+-]+@[a-z0-9-]+(?:\\.[a-z0-9-]+)+)', 'giu');

// Punctuation that ends a sentence, and brackets opened outside, are no part of a link.
function trimmed(s) {
	const closes = (close, open) => s.endsWith(close) && s.split(close).length > s.split(open).length;
	while (/[.,;:!?'’…。、，；：！？）】》]$/.test(s) || closes(')', '(') || closes(']', '[')) s = s.slice(0, -1);
	return s;
}

function leadsTo(s, www, ip, mail) {
	if (mail) return `mailto:${s}`;
	if (ip && ip.split(/[:/]/)[0].split('.').some(n => n > 255)) return '';
	const url = www ? `https://${s}` : ip ? `http://${s}` : s;
	try {
		return new URL(url).hostname ? url : '';
	} catch {
		return '';
	}
}

/** A text's links, as [from, to, url]. */
export function links(text) {
	const found = [];
	for (const m of text.matchAll(candidate)) {
		const s = trimmed(m[0]), url = !/[a-z0-9]$/i.test(text.slice(0, m.index)) && leadsTo(s, m[1], m[2], m[3]);
		if (url) found.push([m.index, m.index + s.length, url]);
	}
	return found;
}

// Flags, keycaps, emoji with their tones, tags and joiners, letters with their marks.
const picture = '\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}\\u{e0020}-\\u{e007f}]*';
const grapheme = new RegExp(`\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3|${picture}(?:\\u200d${picture})*|[^]\\p{M}*`, 'gu');
const emoji = new RegExp(`^(?:\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3|${picture}(?:\\u200d${picture})*)$`, 'u');

const graphemes = text => text.match(grapheme) || [];

/** Whether a text is one to three emoji and nothing else. */
export function isJumbo(text) {
	const all = text.length < 150 ? graphemes(text) : [];
	return all.length > 0 && all.length < 4 && all.every(g => emoji.test(g));
}

/** The first graphemes of a name's first and last word. */
export function initials(name) {
	const words = name.split(/[\s\-_.()]+/u).filter(Boolean).map(w => graphemes(w)[0].toUpperCase());
	const alphabetic = s => /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Nd}](?:(?![\ufe0f\u20e3])\p{M})*$/u.test(s);
	const first = words[0] || '?', last = words[words.length - 1];
	return words.length > 1 && alphabetic(first) && alphabetic(last) ? first + last : first;
}

export const hues = 10; // style.css has their colours

/** The colour of a name in any case, as a number below hues. */
export function hueOf(name) {
	let hash = 0;
	for (const c of name.toLowerCase()) hash = (hash * 33 + c.codePointAt(0)) % 65521;
	return hash % hues;
}

/** Control characters as pictures. */
export const visible = text => text.replace(/\r\n?/g, '\n')
	.replace(/[\0-\x08\x0b-\x1f\x7f]/g, c => String.fromCharCode(0x2400 + (c < '\x7f' ? c.charCodeAt(0) : 0x21)));

/** What is sent of what was typed: without blank lines around it. */
export const typed = text => text.replace(/^(?:[^\S\n]*\n)+/, '').replace(/\s+$/, '');
