// Sheets over the page: people, settings. Back closes them, Escape too, and the
// keyboard stays inside.

import {el, button, icon, $} from './dom.js';
import {t} from './words.js';

export class Sheets {
	/** The one that a page has. */
	static of(app) {
		return app.sheets = app.sheets || new Sheets();
	}

	constructor() {
		this.sheet = null;
		addEventListener('popstate', () => this.sheet && this.closed());
		addEventListener('keydown', e => this.key(e), true);
	}

	/** Show a sheet in the place of another one; children are its content, closed is called at its end. */
	open(id, title, children, closed = () => {}) {
		const before = this.sheet ? this.sheet.before : document.activeElement;
		if (this.sheet) this.closed();
		const sheet = el('div', {id, class: 'sheet', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': `${id}-title`},
			el('header', {}, el('h2', {id: `${id}-title`}, title), button(icon('close'), () => this.close(), {class: 'icon close', 'aria-label': t('sheet.close')})),
			...children);
		const scrim = el('div', {class: 'scrim', onclick: () => this.close()});
		this.sheet = {sheet, scrim, before, closed};
		if (!history.state?.sheet) history.pushState({...history.state, sheet: id}, '');
		document.body.append(scrim, sheet);
		$('app').setAttribute('aria-hidden', 'true');
		sheet.querySelector('.close').focus();
		return sheet;
	}

	/** Close the sheet, and then do something. */
	close(then) {
		if (!this.sheet) return;
		this.sheet.then = then;
		history.state?.sheet ? history.back() : this.closed();
	}

	closed() {
		const {sheet, scrim, before, closed, then} = this.sheet;
		this.sheet = null;
		sheet.remove();
		scrim.remove();
		$('app').removeAttribute('aria-hidden');
		before?.focus();
		closed();
		then?.();
	}

	key(e) {
		if (!this.sheet) return;
		if (e.key === 'Escape') return this.close();
		if (e.key !== 'Tab') return;
		const all = [...this.sheet.sheet.querySelectorAll('a, button, input, select, textarea, [tabindex]')].filter(x => x.offsetParent && !x.disabled);
		const end = e.shiftKey ? 0 : all.length - 1;
		if (document.activeElement !== all[end]) return;
		e.preventDefault();
		all[all.length - 1 - end].focus();
	}
}
