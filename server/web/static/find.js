// Finds what was said in a room, and shows what was said around a message.

import {length} from './codec.js';
import {el, button, bdi, show} from './dom.js';
import {t} from './words.js';
import {dayName, clock} from './format.js';
import {bubble, avatar} from './logview.js';
import {Sheets} from './sheets.js';
import {goTo} from './act.js';

const longest = 64; // code points of a search
const around = 15; // offsets after a message that are shown with it

const when = m => {
	const date = new Date(m.time);
	return `${dayName(date)}, ${clock(date)}`;
};

// A text with what was looked for marked, if it is there letter by letter.
function marked(text, wanted) {
	const at = text.toLowerCase().indexOf(wanted.toLowerCase()), from = Math.max(0, at - 40), end = at + wanted.length;
	if (at < 0) return [text.slice(0, 160)];
	return [(from ? '…' : '') + text.slice(from, at), el('mark', {}, text.slice(at, end)), text.slice(end, end + 120)];
}

/** Show the sheet that searches a room. before is what it showed when it led to a hit. */
export function openFind(app, room, before) {
	const sheets = Sheets.of(app);
	const input = el('input', {id: 'find-text', type: 'search', 'aria-label': t('find.field'), placeholder: t('find.field'), enterKeyHint: 'search', autocomplete: 'off', dir: 'auto', maxLength: 2 * longest});
	const hits = el('ul', {id: 'hits'}), note = el('p', {role: 'status', class: 'soft'}), more = button(t('find.more'), () => ask(), {class: 'plain', hidden: true});
	let found = [], wanted = '', from = 0, turn = 0;

	const draw = () => {
		hits.replaceChildren(...found.map(m => el('li', {}, el('button', {type: 'button', class: 'hit', onclick: () => openAround(app, room, m.offset, {found, wanted, from, more: !more.hidden})},
			avatar(m.user, room.color(m.user)), el('span', {}, bdi(m.user), el('small', {}, ` ${when(m)}`), el('span', {dir: 'auto'}, ...marked(m.message, wanted)))))));
	};
	async function ask() {
		const mine = ++turn;
		show(note, '…');
		const answer = await room.session.ask({type: 'search', text: wanted, before: from});
		if (mine !== turn) return;
		more.hidden = !!answer && !answer.more;
		show(note, answer ? found.length + answer.messages.length || answer.more ? '' : t('find.none') : t('room.offline'));
		if (!answer) return;
		found = [...found, ...answer.messages];
		from = answer.before;
		draw();
	}
	if (before) {
		({found, wanted, from} = before);
		input.value = wanted;
		more.hidden = !before.more;
		draw();
	}
	if (sheets.sheet) sheets.closed();
	sheets.open('find', t('find.title'), [el('form', {onsubmit: e => {
		e.preventDefault();
		wanted = [...input.value.trim()].slice(0, longest).join('');
		[found, from] = [[], 0];
		draw();
		if (length(wanted)) ask();
	}}, input, el('button', {}, t('find.go'))), note, hits, more]);
	input.focus();
}

/** Show what was said around a message; back is the search that led there. */
export async function openAround(app, room, offset, back) {
	const sheets = Sheets.of(app), list = el('ol', {id: 'around'}), note = el('p', {role: 'status', class: 'soft'}, '…');
	let then = () => {};
	if (sheets.sheet) sheets.closed();
	sheets.open('find', t('find.title'), [
		...back ? [button(`← ${t('find.back')}`, () => openFind(app, room, back), {class: 'plain'})] : [],
		note, list,
		...room.timeline.find(offset) ? [button(t('find.go.there'), () => {
			then = () => goTo(app, room, offset);
			sheets.close();
		})] : [],
	], () => then());
	const answer = await room.session.ask({type: 'history', before: offset + around, limit: 40});
	const messages = answer ? answer.messages.map(m => room.take(m)) : room.timeline.entries.filter(m => !m.old && !m.notice && Math.abs(m.offset - offset) < around);
	const there = messages.find(m => m.offset === offset);
	show(note, there ? '' : t(answer ? 'failed.not_found' : 'room.offline'));
	list.replaceChildren(...messages.filter(m => !m.deleted && m.offset > offset - around).map(m => el('li', {class: m.offset === offset ? 'there' : ''},
		el('p', {}, bdi(m.user), el('small', {}, ` ${when(m)}`)), bubble(m))));
	list.querySelector('.there')?.scrollIntoView({block: 'center'});
}
