// The two pages before a room: / asks for a name, /chat/ for a room.

import {personName, roomName, roomKey} from './names.js';
import {name, set, get, rooms, keyOf} from './store.js';
import {$, el, avatar} from './timeline.js';

const path = room => `/chat/${encodeURIComponent(room)}/`;
const list = $('rooms'), input = $('name-input') || $('room-name-input');

$('enter').onsubmit = e => {
	e.preventDefault();
	const {text, error} = (list ? roomName : personName)(input.value);
	$('error').textContent = error || '';
	if (error) return input.focus();
	if (!list) set('name', text);
	else if ($('key').value) set(keyOf(text), {key: $('key').value, listed: !$('unlisted').checked});
	location.href = list ? path(text) : '/chat/';
};

async function showRooms() {
	let active = [];
	try {
		active = (await (await fetch('/api/rooms')).json()).rooms || [];
	} catch {} // those that this browser knows are still there
	const here = new Set(active.map(r => roomKey(r.name)));
	for (const name of rooms()) if (!here.has(roomKey(name))) active.push({name});
	list.replaceChildren(...active.slice(0, 30).map(({name, count, locked}) => el('li', {}, el('a', {href: path(name)},
		avatar(name), el('bdi', {}, name), el('small', {}, locked ? '🔒 ' : '', count ? `${count} here` : 'visited')))));
}

if (list) {
	$('me').textContent = name();
	showRooms();
	setInterval(() => document.hidden || showRooms(), 5000);
} else if (get('name') && !input.value) {
	input.value = name();
	input.select();
}
