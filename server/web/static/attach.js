// Files that are chosen, dropped or pasted: a sheet shows what will be sent, and how.

import {length} from './codec.js';
import {$, el, button, bdi, icon, show} from './dom.js';
import {t} from './words.js';
import {Sheets} from './sheets.js';
import {prepare} from './picture.js';
import {about, bytes, drawing} from './file.js';
import {Uploads} from './upload.js';

const longest = 1024; // characters of a caption
const longestName = 120; // characters of a file's name

// A file's name as everybody is shown it, with its extension.
function clean(name) {
	const all = [...name.replace(/^[^]*[\\/]/, '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')], extension = [...(/\.[^.]{1,15}$/.exec(all.join('')) || [''])[0]];
	return all.length > longestName ? [...all.slice(0, longestName - extension.length), ...extension].join('') : all.join('').trim() || 'file';
}

// JPEG comes first: for a page that names it, iPhones make one of their own format.
const kinds = 'image/jpeg,image/png,image/gif,image/webp,video/*,audio/*,application/pdf,*/*';
const clip = 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a1.8 1.8 0 0 1-2.6-2.6L14.5 7.5';

// Why no file can be sent to a room now, as t takes it, if none can.
function refusal({can, connected, largest, barrier, rules: {host, settings: {files}}}) {
	if (files === 'none' || !can.includes('files') || connected && !largest) return ['file.nobody'];
	return files === 'hosts' && !host ? ['file.hosts'] : barrier;
}

export class View {
	constructor(app) {
		const [view] = app.views;
		Object.assign(this, {app, view, sheet: null});
		this.field = el('input', {type: 'file', id: 'choose', multiple: true, accept: kinds, hidden: true, onchange: () => {
			this.take([...this.field.files]);
			this.field.value = ''; // the same one may be chosen again
		}});
		this.button = button(drawing(clip), () => this.field.click(), {id: 'attach', class: 'icon', hidden: true});
		$('composer').prepend(this.button, this.field);
		document.addEventListener('paste', e => this.pasted(e));
		const over = on => $('conversation').classList.toggle('dropping', on);
		addEventListener('dragover', e => over(e.dataTransfer.types.some(type => /^files$/i.test(type)) && !!app.shown && !app.shown.door));
		addEventListener('dragleave', e => !e.relatedTarget && over(false));
		addEventListener('drop', e => {
			over(false);
			this.take([...e.dataTransfer.files]);
		});
	}

	draw() {
		const {app: {shown}, button: b} = this;
		b.hidden = !shown || !!refusal(shown);
		b.setAttribute('aria-label', t('file.send'));
	}

	// A table that is copied comes as a picture, too: what is meant is the text.
	pasted(e) {
		const {clipboardData: data} = e, files = [...data.files];
		if (!files.length || data.getData('text/plain') && data.getData('text/html')) return;
		e.preventDefault();
		this.take(files);
	}

	/** Show files before they are sent. */
	take(files) {
		const {app, view} = this, room = app.shown, why = room && refusal(room);
		if (!files.length || !room || room.door) return;
		if (why) return view.note(t(...why));
		if (!this.sheet || !this.sheet.e.isConnected) this.sheet = new Chosen(app, room);
		this.sheet.add(files);
	}
}

// The sheet of what is chosen.
class Chosen {
	constructor(app, room) {
		Object.assign(this, {app, room, all: [], working: Promise.resolve(), ready: false});
		this.list = el('ul', {id: 'chosen'});
		this.asItIs = el('input', {type: 'checkbox', id: 'as-it-is', onchange: () => this.draw()});
		this.option = el('label', {class: 'check', hidden: true}, this.asItIs, t('file.asis'));
		this.why = el('p', {class: 'soft', hidden: true}, t('file.asis.why'));
		this.caption = el('textarea', {id: 'caption', rows: 2, dir: 'auto', autocomplete: 'off', onkeydown: e => {
			if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
			e.preventDefault();
			this.send();
		}});
		if (room.about && !room.about.aim.editing) { // an answer may have files, and what was typed of it is said with them
			this.about = room.about;
			this.caption.value = this.about.view.input.value;
		}
		this.note = el('p', {role: 'alert'});
		this.button = el('button', {});
		this.e = Sheets.of(app).open('send', t('file.send'), [this.list, this.option, this.why, el('form', {onsubmit: e => {
			e.preventDefault();
			this.send();
		}}, el('label', {for: 'caption'}, t('file.caption')), this.caption, this.note, this.button)], () => {
			for (const {url} of this.all) URL.revokeObjectURL(url);
		});
		if (!matchMedia('(pointer:coarse)').matches) this.caption.focus(); // a phone's keyboard would be over the pictures
	}

	add(files) {
		for (const file of files) {
			const chosen = {file, name: clean(file.name)};
			this.all.push(chosen);
			this.working = this.working.then(() => this.prepare(chosen)); // one after another: each takes memory
		}
		this.draw();
	}

	async prepare(chosen) {
		if (!this.e.isConnected || !this.all.includes(chosen)) return;
		try {
			chosen.prepared = await prepare(chosen.file, chosen.name);
			if (chosen.prepared.thumb) chosen.url = URL.createObjectURL(chosen.prepared.thumb);
		} catch { // a folder, or it was removed
			chosen.prepared = {original: {blob: new Blob(), name: chosen.name}};
		}
		this.draw();
	}

	// What is sent of a file that is prepared, and why it is not.
	pick({prepared: {original, anew}, name}) {
		const picked = this.asItIs.checked && original || anew || original, {size} = picked.blob, {largest} = this.room;
		const trouble = !size ? t('file.empty', {name}) : largest && size > largest ? t('file.large', {name, size: bytes(size), limit: bytes(largest)}) : '';
		return {...picked, size, trouble};
	}

	draw() {
		const {all} = this, done = all.filter(c => c.prepared);
		this.ready = done.length === all.length && done.some(c => !this.pick(c).trouble);
		this.option.hidden = !done.some(c => c.prepared.anew);
		this.why.hidden = this.option.hidden || !this.asItIs.checked;
		show(this.button, t(done.length < all.length ? 'file.preparing' : 'composer.send'));
		this.button.disabled = !this.ready;
		this.list.replaceChildren(...all.map(chosen => this.row(chosen)));
	}

	row(chosen) {
		const {name, prepared, url} = chosen, picked = prepared && this.pick(chosen);
		const remove = button(icon('close'), () => {
			this.all = this.all.filter(c => c !== chosen);
			URL.revokeObjectURL(url);
			if (!this.all.length) return Sheets.of(this.app).close();
			this.draw();
			this.caption.focus();
		}, {class: 'icon', 'aria-label': t('file.remove', {name})});
		const warning = picked && (picked.trouble || prepared.only && t('file.only', {name}));
		return el('li', {}, url ? el('img', {src: url, alt: ''}) : drawing('M6 3h8l4 4v14H6zM14 3v4h4'),
			el('div', {}, picked ? about({name: picked.name, size: picked.size}) : el('span', {}, bdi(name), el('small', {}, t('file.preparing'))),
				...warning ? [el('small', {class: picked.trouble ? 'danger' : ''}, warning)] : []), remove);
	}

	async send() {
		const {app, room, caption, all} = this, text = caption.value.trim(), n = length(text), uploads = Uploads.of(app);
		show(this.note, n > longest ? t('composer.long', {n, limit: longest}) : '');
		if (n > longest || !this.ready) return;
		this.ready = false; // a second Enter sends nothing twice
		const sent = all.map(c => ({...this.pick(c), thumb: c.prepared.thumb})).filter(c => !c.trouble);
		const answered = this.about && this.about === room.about && this.about.message;
		for (const [i, c] of sent.entries()) await uploads.add(room, c, c.thumb, i ? '' : text, !i && answered && {reply: answered.offset, of: answered.id});
		if (answered) this.about.end();
		Object.assign(app.log.place, {stick: true, top: 0});
		Sheets.of(app).close();
		app.changed();
	}
}
