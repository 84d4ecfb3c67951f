// Days and times as the page shows them.

import {language, t} from './words.js';

const made = new Map();

// A format of the page's language, with the browser's habits for it.
function format(options) {
	const own = navigator.language || '', lang = own.startsWith(language()) ? own : language();
	const key = lang + JSON.stringify(options);
	if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(lang, options));
	return made.get(key);
}

const daysAgo = n => new Date(new Date().setDate(new Date().getDate() - n)).toDateString();

export const clock = date => format({hour: 'numeric', minute: '2-digit'}).format(date);

/** A day as its line shows it. */
export function dayName(date) {
	const day = date.toDateString();
	if (day === daysAgo(0)) return t('day.today');
	if (day === daysAgo(1)) return t('day.yesterday');
	const year = date.getFullYear() === new Date().getFullYear() ? {} : {year: 'numeric'};
	return format({weekday: 'long', day: 'numeric', month: 'long', ...year}).format(date);
}

/** A moment as a list has place for it. */
export function shortTime(date) {
	const age = Date.now() - date;
	if (date.toDateString() === daysAgo(0)) return clock(date);
	if (age < 6 * 864e5) return format({weekday: 'short'}).format(date);
	return format({day: 'numeric', month: 'numeric', ...age > 300 * 864e5 && {year: '2-digit'}}).format(date);
}
