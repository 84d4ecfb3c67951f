// Draws a message's file: a picture by its thumbnail, players for sound and video, and
// for all others their name. What a sender says of it decides only about its place.

import {base} from './names.js';
import {$, el, button, bdi, show, part} from './dom.js';
import {t, language, rulings} from './words.js';
import {visible} from './text.js';
import {written} from './marks.js';
import {take} from './act.js';
import {About} from './about.js';
import {Sheets} from './sheets.js';

const side = 18; // rem of a picture's longer side, at most
const least = 4; // rem of a picture's width, at least: there is room for a finger
const narrow = 3; // a picture is not shown longer than this times its other side
const largest = 40e6; // pixels of a picture that is shown whole

// Why the server does not take a file.
Object.assign(rulings, {
	'failed.file.again': /^(You have sent no such|Another message has|The file has not arrived|This file was begun|The server keeps this file no)/,
	'failed.file.too_long': /^The file has over/, 'failed.file.unknown_type': /takes no files/,
});

// What the server found in a file, and what shows it.
const shows = {
	picture: ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'],
	video: ['video/mp4', 'video/webm', 'video/ogg'],
	audio: ['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav'],
};
const kindOf = type => Object.keys(shows).find(kind => shows[kind].includes(type));

/** A file's address; nothing but its id is in it. */
export const address = ({id}) => `${base}files/${id}`;

/** A number of bytes as people read it. */
export function bytes(n) {
	let unit = 0;
	for (; n >= 999.5 && unit < 3; unit++) n /= 1000;
	return `${n.toLocaleString(language(), {maximumFractionDigits: n < 9.95 && unit > 1 ? 1 : 0})} ${['B', 'kB', 'MB', 'GB'][unit]}`;
}

const page = 'M6 3h8l4 4v14H6zM14 3v4h4';

/** An icon of a path in a square of 24. */
export function drawing(path) {
	const svg = 'http://www.w3.org/2000/svg', e = document.createElementNS(svg, 'svg'), p = document.createElementNS(svg, 'path');
	e.setAttribute('viewBox', '0 0 24 24');
	e.setAttribute('aria-hidden', 'true');
	p.setAttribute('d', path);
	e.append(p);
	return e;
}

/** A file's name and size, with what else is to be said. */
export const about = ({name, size}, ...more) => el('span', {}, bdi(visible(name)), el('small', {}, bytes(size), ...more));

// Thumbnails are loaded when they come near.
const loaded = new Set(), near = new IntersectionObserver(all => {
	for (const {target, isIntersecting} of all) if (isIntersecting) load(target);
}, {root: $('scroller'), rootMargin: '400px'});

function load(img) {
	near.unobserve(img);
	img.src = img.address;
}

// The place that a picture takes, before it is here; a small one is not blown up.
function place({width, height}) {
	const ratio = Math.max(1 / narrow, Math.min(narrow, width / height || 4 / 3)), space = el('i', {});
	space.style.paddingTop = `${100 / ratio}%`;
	return {space, width: `${Math.min(side * Math.min(1, ratio), Math.max(least, width / 16 || side))}rem`};
}

// A file that could not be loaded: it is gone, or comes when it is seen again.
async function missed(log, m) {
	const {status} = await fetch(address(m.file), {method: 'HEAD', cache: 'no-store'}).catch(() => ({}));
	if (status === 410) gone(log.app, log.room, m);
}

function gone(app, room, m) {
	m.file.gone = true;
	room.timeline.changed.add(m);
	room.save();
	app.changed();
}

function picture(log, m, file, src) {
	const {space, width} = place(file), image = el('img', {alt: '', draggable: false, onload: () => loaded.add(file.id)});
	const e = el('button', {type: 'button', class: 'picture', 'data-act': 'whole', 'aria-label': t('file.picture', {name: file.name}), onclick: () => whole(log, m)}, space, image);
	e.style.width = width;
	if (!src) return e; // it is not on the server yet
	Object.assign(image, {address: src, onerror: () => missed(log, m)});
	loaded.has(file.id) ? load(image) : near.observe(image);
	return e;
}

const row = (log, m, file) => el('a', {class: 'attachment', href: address(file), download: file.name, onclick: () => missed(log, m)}, drawing(page), about(file));

function player(kind, log, m, file) {
	const e = el(kind, {controls: true, preload: 'none', src: address(file), onerror: () => missed(log, m)});
	e.setAttribute('aria-label', file.name);
	if (kind === 'audio') return e;
	const {space, width} = place(file), box = el('div', {class: 'picture'}, space, e);
	if (file.thumb) e.poster = `${address(file)}/thumb`;
	e.playsInline = true;
	box.style.width = width;
	return box;
}

function shown(log, m, file) {
	if (file.gone) return [el('div', {class: 'attachment gone'}, drawing(page), el('span', {}, bdi(visible(file.name)), el('small', {}, t('file.gone'))))];
	const kind = kindOf(file.type);
	// A picture without a thumbnail is loaded only by whoever asks for it.
	if (kind === 'picture') return [file.thumb ? picture(log, m, file, `${address(file)}/thumb`) : el('button', {type: 'button', class: 'attachment', 'data-act': 'whole', onclick: () => whole(log, m)}, drawing(page), about(file))];
	return [...kind ? [player(kind, log, m, file)] : [], row(log, m, file)];
}

// What is on its way: how much of it, and a way back.
function pending(log, m, file) {
	const {app, room} = log, e = file.thumb ? picture(log, m, file, '') : el('div', {class: 'attachment'}, drawing(page), about(file));
	if (file.thumb) {
		e.disabled = true;
		import('./upload.js').then(({Uploads}) => Uploads.of(app).preview(file.id)).then(url => { if (url) e.lastChild.src = url; });
	}
	const at = sent.get(file.id) || 0, bar = el('progress', {max: file.size, value: at, 'aria-label': file.name}), state = el('small', {}, share(at, file.size));
	const line = el('div', {class: 'sending', id: `sending-${file.id}`, size: file.size}, bar, state, button(t('composer.cancel'), () => room.outbox.drop(m.id), {class: 'plain', 'data-act': 'cancel'}));
	return [e, ...m.held && !m.error ? [line] : [], ...m.held && file.open ? [el('small', {class: 'open'}, t('file.open'))] : []];
}

const sent = new Map(); // bytes, by id; those of a cut upload are still there
const share = (at, size) => at ? t('file.sending', {done: bytes(at), size: bytes(size)}) : bytes(size);

/** Show how many bytes of a file are sent. */
export function progress(id, at) {
	sent.set(id, at);
	const line = $(`sending-${id}`);
	if (!line) return;
	line.firstChild.value = at;
	show(line.children[1], share(at, line.size));
}

/** Draw the file of a message m in its row, with what is said of it; shown is how it will be. */
export function draw(row, {message, file}, m, log) {
	const bubble = row.querySelector('.bubble'), p = row.querySelector('p'), caption = message === file.name && !file.caption ? '' : message;
	bubble.classList.remove('jumbo');
	bubble.classList.add('filed');
	p.before(...m.offset ? shown(log, m, file) : pending(log, m, file));
	p.replaceChildren(...written(caption));
	const {width} = bubble.querySelector('.picture')?.style || {};
	if (width) p.style.maxWidth = `max(${width}, 12rem)`; // or a long caption is wider than its picture
	if (m.offset) sent.delete(file.id);
}

// Shows a picture whole, over the page. Its own size is read before it is decoded.
async function whole({app, room}, m) {
	const {file} = m, sheets = Sheets.of(app), image = el('img', {alt: t('file.picture', {name: file.name})}), note = el('p', {role: 'status'}, '…');
	const mine = (m.mine || room.rules.host) && room.can.includes('change') && m.offset && !m.old;
	const remove = () => sheets.open('menu', t('delete.ask'), [
		button(t('menu.delete'), () => sheets.close(() => take(room, m)), {class: 'danger-button'}), button(t('composer.cancel'), () => sheets.close(), {class: 'plain'}),
	]);
	if (file.thumb) image.src = `${address(file)}/thumb`;
	let url = '';
	const sheet = sheets.open('whole', visible(file.name), [
		el('figure', {}, image), note,
		el('div', {class: 'actions'}, el('a', {class: 'button', href: address(file), download: file.name}, t('file.save')),
			...room.can.includes('change') && !m.old ? [button(t('menu.reply'), () => sheets.close(() => About.begin(app.views[0], room, m)))] : [],
			...mine ? [button(t('menu.delete'), remove)] : []),
	], () => URL.revokeObjectURL(url));
	const {look, fits} = await part('picture');
	try {
		const response = await fetch(address(file), {cache: 'no-cache'});
		if (response.status === 410) gone(app, room, m);
		if (!response.ok) return show(note, t(response.status === 410 ? 'file.gone' : 'file.failed'));
		const blob = await response.blob(), said = await look(blob);
		if (!said || !fits(said, largest)) return show(note, t(said ? 'file.vast' : 'file.failed'));
		url = URL.createObjectURL(blob);
		if (!sheet.isConnected) return URL.revokeObjectURL(url);
		image.src = url;
		await image.decode();
		show(note, '');
	} catch {
		show(note, t('file.failed'));
	}
}
