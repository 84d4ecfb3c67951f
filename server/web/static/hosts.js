// What a host can do: with somebody, from their message or their name, and with the
// room, on a sheet of its own.

import {get, set, remove} from './store.js';
import {el, bdi, button, show, fill} from './dom.js';
import {t, duration, rulings} from './words.js';
import {avatar} from './logview.js';
import {choice} from './settings.js';
import {Sheets} from './sheets.js';

const times = [0, 5, 10, 30, 60, 300, 900, 3600]; // s between two messages

// Why the server does not do what a host wants.
Object.assign(rulings, {
	'act.no.host': /^Only a host/, 'act.no.nobody': /^There is nobody/, 'act.no.self': /to yourself\.$/, 'act.no.is_host': /^(.*) is a host of this/,
	'act.no.barred': /^(.*) was removed or/, 'act.no.last': /are the last host/, 'act.no.program': /^This was not written/, 'act.no.opened': /^This room was opened/, 'act.no.more': /has at most (\d+) hosts/,
	'act.no.undone': /(again already|is no host of this room)\.$/,
});

/** Do something as a host; it waits in the outbox as messages do. */
export const act = (room, what, more) => room.outbox.add(undefined, {type: 'host', do: what, ...more});

// What is set, and what will be when it has been sent.
const settingsOf = room => Object.assign({}, room.rules.settings, ...room.outbox.list().map(({more, error}) => !error && more?.type === 'host' && more.settings));

/** Pin a message, or take it down. */
export const pin = (room, m) => act(room, 'pin', room.rules.pinned === m.offset ? {target: 0} : {target: m.offset, of: m.id});

// The roles that devices have now: {roles, more}, the newest before an offset, or
// nothing if the server does not answer.
async function ask(room, before = 0) {
	const answer = await room.session.ask({type: 'roles', before, limit: 50});
	return answer && {roles: answer.notices.reverse(), more: answer.more};
}

/**
 * Show what a host can do with somebody. who is {name, by, whom}: whom says it to the
 * server, by a message or a name. open(title, children) shows a sheet.
 */
export async function openPerson(app, room, who, open) {
	const sheets = Sheets.of(app), {name, by, whom} = who, place = el('div', {});
	const sure = (question, label, what) => open(t(label, {name}), [
		el('p', {}, t(question, {name})),
		button(t(label, {name}), () => sheets.close(() => act(room, what, whom)), {class: 'danger-button'}),
		button(t('composer.cancel'), () => sheets.close(), {class: 'plain'}),
	]);
	const plain = (label, what) => button(t(label), () => sheets.close(() => act(room, what, whom)), {class: 'plain'});
	const draw = roles => {
		const has = role => roles.some(r => r.did === role && (by ? r.whom === by : r.about === name)), out = has('remove'), quiet = has('silence');
		place.replaceChildren(...has('host') ? [plain('act.unhost', 'unhost')] : [
			plain(quiet ? 'act.unsilence' : 'act.silence', quiet ? 'unsilence' : 'silence'),
			out ? plain('act.admit', 'admit') : button(t('act.remove'), () => sure('act.remove.ask', 'act.remove', 'remove'), {class: 'plain'}),
			...out || quiet ? [] : [plain('act.host', 'host')],
			button(t('act.delete_all', {name}), () => sure('act.delete_all.ask', 'act.delete_all', 'delete_all'), {class: 'plain danger'}),
		]);
	};
	draw(room.roles || []);
	open(name, [place]);
	const answer = await ask(room);
	if (!answer) return;
	room.roles = answer.roles;
	const {activeElement} = document, at = [...place.children].indexOf(activeElement);
	draw(answer.roles);
	if (at >= 0) place.children[Math.min(at, place.children.length - 1)].focus();
}

/** Show the sheet of the room's host. */
export function openHost(app, room) {
	const sheets = Sheets.of(app), note = el('p', {id: 'sheet-note', role: 'alert'}), saved = `quiet/${room.key}`;
	const setting = (name, values) => choice(`host-${name}`, t(`host.${name}`), values, '', value => act(room, 'set', {settings: {[name]: name === 'slow' ? +value : value}}));
	const everyone = ['all', t('host.everyone')], hosts = ['hosts', t('host.hosts')];
	const choices = {
		write: setting('write', [everyone, hosts]),
		door: setting('door', [['open', t('host.open')], ['known', t('host.known')], ['closed', t('host.closed')]]),
		slow: setting('slow', times.map(n => [n, n ? duration(n) : t('host.off')])),
		files: setting('files', [everyone, hosts, ['none', t('host.nobody')]]),
	};
	// One tap makes the room quiet, and one takes back what that one changed.
	const isQuiet = ({write, door}) => write === 'hosts' && door !== 'open';
	const quiet = button(t('host.quiet'), () => {
		const settings = settingsOf(room), {write, door} = settings;
		if (isQuiet(settings)) {
			act(room, 'set', {settings: {write: 'all', door: 'open', ...get(saved)}});
			remove(saved);
		} else {
			set(saved, {write, door});
			act(room, 'set', {settings: {write: 'hosts', door: door === 'open' ? 'known' : door}});
		}
	}, {id: 'host-quiet', 'aria-describedby': 'host-quiet-why'});
	const people = el('ul', {id: 'host-people', class: 'roles'}), barred = el('ul', {id: 'host-barred', class: 'roles'}), none = el('p', {class: 'soft'}, '…');
	const further = button(t('host.more'), () => read(roles[roles.length - 1].offset), {class: 'plain', hidden: true});
	let roles = [], turn = 0, seen = -1;

	// Reads who is a host, removed or silenced, from the newest or further back.
	async function read(before) {
		const mine = ++turn, answer = await ask(room, before);
		if (mine !== turn) return;
		show(none, answer ? '' : t('room.offline'));
		if (!answer) return;
		roles = [...before ? roles : [], ...answer.roles];
		further.hidden = !answer.more;
		if (!before) room.roles = roles;
		drawRoles();
	}
	const undo = {remove: 'admit', silence: 'unsilence', host: 'unhost'};
	function row(r, alone) {
		const {did, about, user, whom} = r, who = user || t('notice.operator');
		return el('li', {}, avatar(about, room.color(about)), el('span', {}, bdi(about), whom === room.by ? el('small', {}, ` ${t('people.you')}`) : '',
			el('small', {}, did === 'remove' ? t('host.removed', {who}) : did === 'silence' ? t('host.silenced', {who}) : '')),
		alone ? '' : button(t(`act.${undo[did]}`), () => act(room, undo[did], {whom}), {class: 'plain', 'aria-label': `${t(`act.${undo[did]}`)} · ${about}`}));
	}
	function drawRoles() {
		const hosts = roles.filter(r => r.did === 'host'), others = roles.filter(r => r.did !== 'host');
		fill(people, [hosts], () => hosts.map(r => row(r, hosts.length === 1)));
		fill(barred, [others], () => others.map(r => row(r)));
		if (!others.length && further.hidden) show(none, t('host.barred.none'));
	}
	const view = {draw() {
		if (!room.rules.host) return sheets.close();
		const settings = settingsOf(room);
		for (const [name, {lastChild: select}] of Object.entries(choices)) {
			const value = `${settings[name] ?? ''}`;
			if (value && ![...select.options].some(o => o.value === value)) select.append(el('option', {value}, name === 'slow' ? duration(+value) : value));
			select.value = value;
		}
		quiet.setAttribute('aria-pressed', isQuiet(settings));
		if (seen === room.acts || !room.connected) return;
		seen = room.acts;
		read();
	}};
	sheets.open('host', t('host.title'), [
		quiet, el('p', {id: 'host-quiet-why', class: 'soft'}, t('host.quiet.why')), note,
		...Object.values(choices),
		el('h3', {}, t('host.people')), people, el('h3', {}, t('host.barred')), barred, none, further,
	], () => app.views.splice(app.views.indexOf(view), 1));
	app.views.push(view);
	view.draw();
}
