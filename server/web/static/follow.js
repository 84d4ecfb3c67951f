// What becomes of a room's link when somebody opens it: it is read, and Android's browsers are offered the app.

import {base} from './names.js';
import {$, el} from './dom.js';
import {t} from './words.js';
import {readLink, makeLink} from './link.js';

/** Make the link by which a browser on Android opens the app in a link's room, or a page of base if there is no app. */
export function appLink({tls, host, path, room, key, words, hostKey}, base) {
	const port = /:\d+$/.test(host) ? '' : tls ? ':443' : ':80';
	return `${makeLink(`intent://${host}${port}${path}/`, room, key)}${key ? '' : '#'}${words && `&fp=${words}`}${hostKey && `&host=${hostKey}`}${tls ? '&tls' : ''}`
		+ `#Intent;scheme=parley;package=org.parley.chat;S.browser_fallback_url=${encodeURIComponent(base)}app;end`;
}

/** Read the link that led to this page, as readLink does, and offer the app. */
export function follow(href) {
	const link = readLink(href);
	if (!link.error && /Android/.test(navigator.userAgent)) {
		$('landing').append(el('a', {class: 'button plain', href: appLink(link, location.origin + base)}, t('landing.app')));
	}
	return link;
}
