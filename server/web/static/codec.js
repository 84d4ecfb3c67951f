// The frames of parley.v1, as in shared/codec.go: shared/testdata tests both.

export const protocol = 'parley.v1';
export const maxText = 4096;
const maxType = 32;

// What one can react with, in the order in which counts are shown.
export const emojis = ['👍', '👎', '❤️', '😂', '😮', '✅', '❓', '🎉'];

// A text's length in code points.
export const length = text => [...text].length;

// Whether a text has nothing to see.
export const blank = text => /^[\p{White_Space}\p{Cc}\p{Cf}\u115f\u1160\u2800\u3164\uffa0]*$/u.test(text);

const refuse = code => { throw {code}; };
const bad = () => refuse('bad_frame');
const isObject = v => !!v && typeof v === 'object' && !Array.isArray(v);

// A kind turns a field's value into the message's, or throws. A null is absent.
const like = zero => v => typeof (v = v ?? zero) === typeof zero ? v : bad();
const bool = like(false), yes = like(true), string = like(''), float = like(0);
const text = limit => v => length(v = string(v)) > limit ? refuse('too_long') : v;
const upTo = limit => v => (v = float(v)) >= 0 && v <= limit ? v : bad();
const number = limit => v => Number.isInteger(v = upTo(limit)(v)) ? v : bad();
const word = text(64), name = text(256), count = number(2 ** 30), offset = number(2 ** 40 - 1), asked = number(Number.MAX_SAFE_INTEGER);
const list = item => v => Array.isArray(v = v ?? []) && v.length <= 100 ? v.map(item) : bad();
const object = kinds => v => isObject(v = v ?? {}) ? fields(kinds, v) : bad();
const fields = (kinds, o) => Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind(o[name])]));
const time = v => (v = word(v)) && !Date.parse(v) ? bad() : v;
const each = kind => object(Object.fromEntries(emojis.map(e => [e, kind])));
const counts = each(count), offsets = list(offset);
const quote = v => v == null ? undefined : object({user: name, text: text(120)})(v);
const side = number(65535);
const fileID = v => /^[a-z2-7]{26}$/.test(v = word(v)) ? v : bad(); // it becomes a part of addresses
const file = v => v == null ? undefined : object({
	id: fileID, name, type: word, size: offset, width: side, height: side, thumb: bool, gone: bool, caption: text(1024),
})(v);
const emoji = v => v == null ? bad() : word(v);
const event = v => v === 'join' || v === 'leave' ? v : bad();
// The frames of an answer. What is of another type is of a later version: it is passed over and counted.
const frames = (...types) => v => list(x => x)(v).filter(v => types.includes(text(maxType)(isObject(v) ? v.type : bad()))).map(frame);
const entries = frames('', 'chat_message');
const setting = {write: word, door: word, files: word, slow: v => v == null ? undefined : number(3600)(v)};
const settings = v => v == null ? undefined : object(setting)(v);
const asks = v => Object.keys(v ?? {}).every(name => setting.hasOwnProperty(name)) ? settings(v) : bad();

const told = {before: asked, limit: number(100), more: bool, notices: frames('notice')};
const entry = {user: name, by: word, time, offset};
const types = {
	chat_message: {
		message: text(maxText), ...entry, edits: offset, reply: offset, of: word, quote,
		edited: bool, deleted: bool, changed: offset, reactions: counts, mine: word, file,
	},
	delete: {...entry, target: offset, of: word, targets: offsets},
	react: {...entry, target: offset, of: word, emoji, counts},
	reactions: {target: offset, users: each(list(name))},
	search: {text: text(64), before: asked, more: bool, messages: entries},
	hello: {user: name, device: text(128), key: text(128), epoch: word, after: asked, listed: yes, can: list(word), host: bool, host_key: word},
	welcome: {
		room: name, like: name, user: name, by: word, epoch: word, offset, count, resumed: bool, members: list(name),
		limits: object({message: count, rate: upTo(2 ** 30), burst: count, resume: count, file: offset}),
		server: object({name, version: name}), can: list(word), host: bool, silenced: name, settings, pinned: offset,
	},
	ack: {offset},
	typing: {user: name},
	presence: {event, count, users: list(name)},
	history: {before: asked, limit: number(100), more: bool, messages: entries, after: offset, changed: asked},
	error: {code: word, message: text(1024), user: name, retry_ms: count},
	notice: {did: word, by: word, user: name, about: name, whom: word, offset, time, settings, pinned: offset},
	host: {do: word, user: name, whom: word, target: offset, of: word, settings: asks},
	notices: told,
	roles: told,
	upload: {name, size: offset, width: side, height: side, key: text(128), at: offset},
	ping: {},
	pong: {},
};

function frame(o) {
	if (!isObject(o)) bad();
	const id = word(o.id);
	const type = text(maxType)(o.type) || ('message' in o ? 'chat_message' : bad());
	const m = {type, id, ...fields(types.hasOwnProperty(type) ? types[type] : refuse('unknown_type'), o)};
	for (const list of ['messages', 'notices']) if (m[list]) m.skipped = (o[list] ?? []).length - m[list].length;
	return type === 'chat_message' && !m.file && blank(m.message) ? refuse('empty') : m;
}

// Reads a frame: {message} with every field of its type, or {error: {code, type}}.
// The type, where it could be read, tells which question has no answer now.
export function decode(json) {
	let o;
	try {
		return {message: frame(o = JSON.parse(json))};
	} catch (error) {
		return {error: {code: error.code || 'bad_frame', type: String(o?.type ?? '')}};
	}
}

export const encode = message => JSON.stringify(message);
