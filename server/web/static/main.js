// Starts the page, and leads from address to address without loading another.

import {base, roomPath} from './names.js';
import {$, part} from './dom.js';
import {speak} from './words.js';
import {App} from './app.js';
import {RoomView} from './roomview.js';
import {Notifier} from './notify.js';
import {setTheme} from './theme.js';

const place = ({pathname} = location) => {
	const [, kind, segment = ''] = /\/(chat|r)\/([^/]*)/.exec(pathname) || [], path = decodeURIComponent(segment);
	return kind === 'r' ? {screen: 'landing', invited: path} : path ? {screen: 'room', path} : {screen: kind ? 'list' : 'landing'};
};

function start() {
	const app = new App(), conversation = new RoomView(app), notifier = new Notifier(app), wide = matchMedia('(min-width:56.25em)'), parts = new Set();
	app.views.push(conversation, notifier);

	// What a phone's first room does without is loaded when it is to be seen.
	const load = async name => {
		if (parts.has(name)) return;
		parts.add(name);
		const {View} = await part(name);
		app.views.push(new View(app));
		app.changed();
	};
	const loadSeen = () => {
		if (app.screen === 'landing') load('landingview');
		else if (app.screen === 'list' || wide.matches) load('listview');
	};

	// Shows what an address stands for. The address itself changes after that, so
	// that whoever sees it change may type.
	const arrive = ({screen, path, invited}) => {
		Object.assign(app, {screen, invited});
		document.body.className = screen;
		app.show(screen === 'room' ? path : null);
		loadSeen();
		app.draw();
		if (screen === 'room' && !app.shown.door) conversation.input.focus();
		if (screen === 'list') $('room-name-input').focus();
	};
	/** Show a room; replaced, it takes the address that led to it. */
	app.enter = (name, replaced) => {
		const from = app.screen;
		arrive({screen: 'room', path: name});
		history[replaced ? 'replaceState' : 'pushState']({from}, '', roomPath(name));
		app.changed();
	};
	/** Show the list, which may be the page before; replaced is the address of what is gone. */
	app.toList = replaced => {
		if (!replaced && history.state?.from === 'list') return history.back();
		history[replaced ? 'replaceState' : 'pushState'](null, '', `${base}chat/`);
		arrive(place());
	};
	app.chime = () => notifier.chime();
	app.spoke = () => {
		conversation.room = null;
		document.querySelectorAll('*').forEach(e => { e.made = undefined; });
		app.draw();
	};

	wide.addEventListener('change', loadSeen);
	addEventListener('popstate', () => {
		const there = place();
		if (there.screen !== app.screen || there.path !== app.shown?.path) arrive(there);
	});
	document.addEventListener('click', e => {
		const link = e.target.closest && e.target.closest('a');
		if (!link || link.origin !== location.origin || link.target || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
		const {screen, path} = place(link);
		if (screen === 'landing') return;
		e.preventDefault();
		path ? app.enter(path) : app.toList();
	});
	// Enter that ends a composition chooses a word; it submits nothing.
	addEventListener('keydown', e => {
		if (e.key !== 'Enter' || !e.isComposing && e.keyCode !== 229) return;
		e.preventDefault();
		e.stopPropagation();
	}, true);
	// A file that is dropped would take the page's place.
	for (const event of ['dragover', 'drop']) addEventListener(event, e => e.preventDefault());
	// What a phone's keyboard leaves of the page is the visual viewport.
	window.visualViewport?.addEventListener('resize', ({target: {scale, height}}) => {
		if (scale !== 1) return;
		document.documentElement.style.setProperty('--height', `${height}px`);
		scrollTo(0, 0);
	});

	$('help').remove();
	// What was typed before this script ran: an Enter was meant to send.
	const early = $('chat-message-input').value, sent = early.lastIndexOf('\n') + 1;
	arrive(place());
	if (early && app.shown && !app.shown.door) {
		const {input} = conversation;
		input.value = early.slice(0, sent);
		conversation.submit();
		input.value = early.slice(sent);
		conversation.edited();
	}
	// The shown room comes first; then the others, and what there may be no server for later.
	const others = {draw: () => app.shown?.connected && others.load(), load() {
		if (parts.has('menu')) return;
		load('menu');
		load('pinned');
		load('listview');
		load('attach');
		app.lead();
		['doorview', 'guest', 'people', 'settings', 'notices'].forEach(part);
	}};
	app.views.push(others);
	setTimeout(others.load, 500);
}

// The browser gives the focus only when it first draws the page, which may be after
// the load event: whoever types at that moment is heard.
document.querySelector('[autofocus]')?.focus();
setTheme();
const begin = () => speak().then(start, () => setTimeout(begin, 1000));
begin();
