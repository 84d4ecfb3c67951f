// What a row has beyond its text: what it answers, code, reactions, and that it
// names the reader.

import {emojis} from './codec.js';
import {el, button, bdi} from './dom.js';
import {t, count} from './words.js';
import {visible} from './text.js';
import {linked} from './logview.js';
import {changes, react, copy, goTo} from './act.js';

const fence = '```';

/** A text's parts: strings, and code between triple backquotes as [code]. */
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

function codeBlock(code) {
	const done = button(t('menu.copy'), () => { done.textContent = t(copy(code) ? 'people.copied' : 'menu.copy'); }, {class: 'plain', 'data-act': 'copy'});
	return [el('code', {dir: 'ltr', tabIndex: 0}, code), done];
}

const whole = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}]|[^\\p{L}\\p{Nd}]'; // no word goes on with it

/** Whether a text names a person, in any case and as a whole word. */
export const names = (text, name) => !!name && new RegExp(`(?:^|${whole})${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?=$|${whole})`, 'iu').test(text);

// What is shown of the counts while one's own reaction is on its way.
function countsOf({reactions, reacted = ''}, now = '') {
	const counts = {...reactions};
	if (now === reacted) return counts;
	if (counts[reacted]) counts[reacted]--;
	if (now) counts[now] = (counts[now] || 0) + 1;
	return counts;
}

// What is quoted leads to its message.
function quoteOf({app, room}, reply, quote) {
	const target = room.timeline.find(reply), {user, text} = quote || (target && !target.deleted ? {user: target.user, text: target.message} : {});
	return user ? el('button', {type: 'button', class: 'quote', 'data-act': 'quote', onclick: () => goTo(app, room, reply)}, bdi(user), el('span', {dir: 'auto'}, visible(text)))
		: el('span', {class: 'quote'}, count('log.deleted', 1));
}

/** Mark the row of a message m, which is shown as it will be. */
export function mark(row, shown, m, log) {
	const {room} = log, p = row.querySelector('p'), pieces = parts(visible(shown.message)), reply = shown.reply || shown.more?.reply;
	// A block begins and ends its lines itself.
	const drawn = (piece, i) => Array.isArray(piece) ? codeBlock(piece[0]) : linked(i ? piece.replace(/^[^\S\n]*\n?/, '') : piece);
	if (pieces.some(Array.isArray)) p.replaceChildren(...pieces.flatMap(drawn));
	if (!m.mine && m.offset && names(m.message, room.me)) row.classList.add('named');
	if (reply) p.before(quoteOf(log, reply, shown.quote));
	const counts = countsOf(m, shown.reacted), given = emojis.filter(e => counts[e] > 0);
	if (given.length) {
		row.append(el('div', {class: 'chips'}, ...given.map(e => button(el('span', {}, `${e} ${counts[e]}`), () => changes(room, m) && react(room, m, e),
			{class: 'chip', 'data-act': e, 'aria-pressed': `${e === shown.reacted}`}))));
	}
}
