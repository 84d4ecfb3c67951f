// Finding and building elements. Text only ever becomes text nodes.

import {base} from './names.js';

export const $ = id => document.getElementById(id);

/** Build an element; an attribute that is no string is a property. */
export function el(tag, attributes, ...children) {
	const e = document.createElement(tag);
	for (const [k, v] of Object.entries(attributes)) typeof v === 'string' ? e.setAttribute(k, v) : e[k] = v;
	e.append(...children);
	return e;
}

/** A button that does something. */
export const button = (label, onclick, attributes = {}) => el('button', {type: 'button', onclick, ...attributes}, label);

/** A name inside a sentence, which its direction must not turn around. */
export const bdi = name => el('bdi', {}, name);

/** Set an element's text, if it is another one: nothing is announced twice. */
export function show(e, text) {
	if (e.textContent !== text) e.textContent = text;
}

/** Set an element's children, if what they are made of has changed. */
export function fill(e, made, children) {
	made = JSON.stringify(made);
	if (e.made === made) return;
	e.made = made;
	e.replaceChildren(...children());
}

const svg = 'http://www.w3.org/2000/svg';

/** An icon of page.html, which has their shapes. */
export function icon(name) {
	const e = document.createElementNS(svg, 'svg'), use = document.createElementNS(svg, 'use');
	e.setAttribute('aria-hidden', 'true');
	use.setAttribute('href', `#i-${name}`);
	e.append(use);
	return e;
}

// The styles of what a phone's first room does without. All parts wait for the same
// promises: a link tells only the last who asks that it has loaded.
const styles = {};
const styled = id => styles[id] = styles[id] || new Promise((done, failed) => {
	if (!$(id)) document.head.append(el('link', {id, rel: 'stylesheet', href: `${base}static/${id}.css`}));
	const link = $(id);
	if (link.sheet) return done();
	link.onload = done;
	link.onerror = () => {
		link.remove();
		styles[id] = null;
		failed();
	};
});

/** Load a module that is not there from the start, with the styles; try until there is a server. */
export const part = name => Promise.all([import(`./${name}.js`), ...['more', 'changes', 'files'].map(styled)]).then(([module]) => module,
	() => new Promise(done => setTimeout(done, 1000)).then(() => part(name)));
