// Code in a text, between triple backquotes.

import {visible} from './text.js';

const fence = '```';

/** A text's parts: strings, and code as [code]. */
export function parts(text) {
	const out = [], push = end => end > at && out.push(text.slice(at, end));
	let at = 0;
	for (let from = 0, open, close; (open = text.indexOf(fence, from)) >= 0 && (close = text.indexOf(fence, open + 3)) >= 0; from = close + 3) {
		const code = text.slice(open + 3, close).replace(/^\n|\n$/g, '');
		if (!/\S/.test(code)) continue;
		push(open);
		out.push([code]);
		at = close + 3;
	}
	push(text.length);
	return out;
}

/** A text as one line of at most 120 characters; of code it has the first line. A quote may end within code. */
export function excerpt(text = '') {
	text = visible(text);
	const runs = text.split(fence), line = ([code]) => code.trim().replace(/\n[^]*/, '…');
	const pieces = parts(runs.length % 2 || !/\S/.test(runs[runs.length - 1]) ? text : text + fence);
	return [...pieces.map(piece => Array.isArray(piece) ? line(piece) : piece).join(' ').replace(/\s+/g, ' ')].slice(0, 120).join('');
}
