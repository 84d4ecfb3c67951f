// Finds what was said in a room, and shows what was said around a message.

import {el, button, bdi, show} from './dom.js';
import {t} from './words.js';
import {dayName, clock} from './format.js';
import {avatar} from './logview.js';
import {visible} from './text.js';
import {parts} from './code.js';
import {written} from './marks.js';
import {Sheets} from './sheets.js';
import {goTo} from './act.js';

const longest = 64; // code points of a search
const around = 15; // offsets after a message that are shown with it

const status = text => el('p', {role: 'status', class: 'soft'}, text);

// Who said something and when, above what it is.
function said(room, m, ...content) {
	const date = new Date(m.time);
	return [avatar(m.user, room.color(m.user)), el('span', {}, bdi(m.user), el('small', {}, ` ${dayName(date)}, ${clock(date)}${m.edited ? ` · ${t('message.edited')}` : ''}`),
		el('span', {dir: 'auto'}, ...content))];
}

// A text with what was looked for marked, if it is there letter by letter.
function marked(text, wanted) {
	const at = text.toLowerCase().indexOf(wanted.toLowerCase()), from = Math.max(0, at - 40), end = at + wanted.length;
	if (at < 0) return [text.slice(0, 160)];
	return [(from ? '…' : '') + text.slice(from, at), el('mark', {}, text.slice(at, end)), text.slice(end, end + 120)];
}

/** Show the sheet that searches a room. before is what it showed when it led to a hit. */
export function openFind(app, room, before = {found: [], wanted: '', from: 0}) {
	const input = el('input', {id: 'find-text', type: 'search', 'aria-label': t('find.field'), placeholder: t('find.field'), enterKeyHint: 'search', autocomplete: 'off', dir: 'auto', maxLength: 2 * longest, value: before.wanted});
	const hits = el('ul', {id: 'hits'}), note = status(''), further = button(t('find.more'), ask, {class: 'plain'});
	let {found, wanted, from, more} = before, turn = 0;

	const draw = () => {
		room.hits = {of: found, draw}; // for what is deleted meanwhile
		further.hidden = !more;
		hits.replaceChildren(...found.flatMap(m => m.deleted ? [] : el('li', {}, el('button', {type: 'button', class: 'hit', onclick: () => openAround(app, room, m.offset, {found, wanted, from, more})},
			...said(room, m, ...marked([...parts(visible(m.message)), m.file?.caption && m.file.name].flat().join(' ').trim().replace(/\s+/g, ' '), wanted))))));
	};
	async function ask() {
		const mine = ++turn;
		show(note, '…');
		const answer = await room.session.ask({type: 'search', text: wanted, before: from});
		if (mine !== turn) return;
		show(note, answer ? found.length + answer.messages.length || answer.more ? '' : t('find.none') : t('room.offline'));
		if (!answer) return;
		found = [...found, ...answer.messages.map(m => room.take(m))];
		({before: from, more} = answer);
		draw();
	}
	Sheets.of(app).open('find', t('find.title'), [el('form', {onsubmit: e => {
		e.preventDefault();
		wanted = [...input.value.trim()].slice(0, longest).join('');
		[found, from, more] = [[], 0];
		draw();
		if (wanted) ask();
	}}, input, el('button', {}, t('find.go'))), note, hits, further]);
	draw();
	input.focus();
}

/** Show what was said around a message; back is the search that led there. */
export async function openAround(app, room, offset, back) {
	const sheets = Sheets.of(app), list = el('ol', {id: 'around'}), note = status('…');
	sheets.open('find', t('find.title'), [
		...back ? [button(`← ${t('find.back')}`, () => openFind(app, room, back), {class: 'plain'})] : [],
		note, list,
		...room.timeline.find(offset) ? [button(t('find.go.there'), () => sheets.close(() => goTo(app, room, offset)))] : [],
	]);
	const answer = await room.session.ask({type: 'history', before: offset + around, limit: 40});
	const messages = answer ? answer.messages.map(m => room.take(m)) : room.timeline.entries.filter(m => !m.old && !m.notice && Math.abs(m.offset - offset) < around);
	show(note, messages.some(m => m.offset === offset) ? '' : t(answer ? 'failed.not_found' : 'room.offline'));
	const draw = () => list.replaceChildren(...messages.filter(m => !m.deleted && m.offset > offset - around).map(m => el('li', {class: m.offset === offset ? 'there hit' : 'hit'}, ...said(room, m, ...written(m.message)))));
	room.hits = {of: messages.concat(back?.found || []), draw};
	draw();
	list.querySelector('.there')?.scrollIntoView({block: 'center'});
}
