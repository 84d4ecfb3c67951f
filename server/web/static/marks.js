// What a row has beyond its text: what it answers, code, reactions, and that it
// names the reader.

import {emojis} from './codec.js';
import {el, button, bdi, icon, part} from './dom.js';
import {t, count} from './words.js';
import {visible} from './text.js';
import {parts, excerpt} from './code.js';
import {linked} from './logview.js';
import {changes, react, copy, goTo} from './act.js';

function codeBlock(code) {
	const done = button(icon('copy'), () => {
		if (!copy(code)) return;
		done.textContent = '✓';
		done.setAttribute('aria-label', t('people.copied'));
	}, {class: 'icon', 'data-act': 'copy', 'aria-label': t('menu.copy')});
	return el('span', {class: 'code'}, el('code', {dir: 'ltr', tabIndex: 0}, code), done);
}

/** A text's nodes, with its links and its code. A block begins and ends its lines itself. */
export const written = text => parts(visible(text)).flatMap((piece, i) => Array.isArray(piece) ? codeBlock(piece[0]) : linked(i ? piece.replace(/^[^\S\n]*\n?/, '') : piece));

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
	return user ? el('button', {type: 'button', class: 'quote', 'data-act': 'quote', onclick: () => goTo(app, room, reply)}, bdi(user), el('span', {dir: 'auto'}, excerpt(text)))
		: el('span', {class: 'quote'}, count('log.deleted', 1));
}

// A part of its own draws files, which comes with the first one.
let files = null;
async function file(row, shown, m, log) {
	if (files) return files.draw(row, shown, m, log);
	files = {draw() {}};
	files = await part('file');
	log.again();
}

/** Mark the row of a message m, which is shown as it will be. */
export function mark(row, shown, m, log) {
	const {room} = log, p = row.querySelector('p'), reply = shown.reply || shown.more?.reply;
	if (shown.message.includes('```')) p.replaceChildren(...written(shown.message));
	if (!m.mine && m.offset && names(m.message, room.me)) row.classList.add('named');
	if (reply) p.before(quoteOf(log, reply, shown.quote));
	if (shown.file) file(row, shown, m, log);
	const counts = countsOf(m, shown.reacted), given = emojis.filter(e => counts[e] > 0);
	if (given.length) {
		row.append(el('div', {class: 'chips'}, ...given.map(e => button(el('span', {}, `${e} ${counts[e]}`), () => changes(room, m) && react(room, m, e),
			{class: 'chip', 'data-act': e, 'aria-pressed': `${e === shown.reacted}`}))));
	}
}
