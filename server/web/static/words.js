// What the page says, in its reader's language.

import {base} from './names.js';
import {get, set} from './store.js';

const spoken = {lang: 'en', sentences: {}, rules: new Intl.PluralRules('en')};
const root = document.documentElement;

export const languages = () => (root.dataset.languages || 'en').split(' ');
export const language = () => spoken.lang;

/** The reader's choice, or the browser's first language that there is. */
function preferred() {
	const there = languages(), wanted = navigator.languages || [navigator.language];
	return there.find(l => l === get('lang')) || wanted.map(l => l.slice(0, 2).toLowerCase()).find(l => there.includes(l)) || there[0];
}

/** Speak a language from now on; '' is the browser's. */
export async function speak(lang) {
	if (lang !== undefined) set('lang', lang);
	const code = preferred(), sentences = await (await fetch(`${base}static/lang/${code}.json`)).json();
	Object.assign(spoken, {lang: code, sentences, rules: new Intl.PluralRules(code)});
	if (root.lang !== code) translate(document);
	root.lang = code;
}

const put = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (all, name) => name in values ? values[name] : all);

/** A key's sentence, with values in the place of their names in braces. */
export const t = (key, values = {}) => put(spoken.sentences[key] ?? key, values);

export const has = key => key in spoken.sentences;

/** What the server says when it refuses something, and the keys of that. */
export const rulings = {
	removed_by: /^(.*) has removed you/, door_closed: /^(.*) has closed/, door_known: /^(.*) lets in/, door_beside: /same address/,
	host_key: /key of this/, 'quiet.silenced': /^(.*) has silenced/, 'quiet.hosts': /only hosts write/,
	'file.nobody': /nobody sends/, 'file.hosts': /only hosts send/, 'failed.half': /^You have written half/, 'failed.fixed': /nobody changes what/,
};

/** A sentence of the server in the page's language; '' if it is none of those. */
export function ruled(sentence = '') {
	for (const [key, rule] of Object.entries(rulings)) {
		const [found, name] = rule.exec(sentence) || [];
		if (found) return t(key.includes('.') ? key : `cause.${key}`, {name, who: name, n: name});
	}
	return '';
}

/** Seconds in figures. */
export const duration = n => n % 60 || !n ? `${n} s` : n % 3600 ? `${n / 60} min` : `${n / 3600} h`;

/** A key's sentence for a number of things. */
export const count = (key, n, values = {}) => t(`${key}.${spoken.rules.select(n)}`, {n: n.toLocaleString(spoken.lang), ...values});

/** A key's sentence as nodes, with elements in the place of their names. */
export const nodes = (key, values) => t(key).split(/\{(\w+)\}/).map((s, i) => i % 2 ? values[s] : s).filter(Boolean);

/** Give what page.html says the language's words. */
function translate(within) {
	for (const e of within.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
	for (const e of within.querySelectorAll('[data-label]')) e.setAttribute('aria-label', t(e.dataset.label));
	for (const e of within.querySelectorAll('[data-hint]')) e.placeholder = t(e.dataset.hint);
}
