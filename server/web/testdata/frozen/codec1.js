// The frames of parley.v1, as in shared/codec.go: shared/testdata tests both.

export const protocol = 'parley.v1';
export const maxText = 4096;

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
const number = limit => v => Number.isInteger(v = float(v)) && v >= 0 && v <= limit ? v : bad();
const offset = number(Number.MAX_SAFE_INTEGER);
const list = item => v => Array.isArray(v = v ?? []) ? v.map(item) : bad();
const object = kinds => v => isObject(v = v ?? {}) ? fields(kinds, v) : bad();
const fields = (kinds, o) => Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind(o[name])]));
const time = v => (v = string(v)) && !Date.parse(v) ? bad() : v;
const event = v => v === 'join' || v === 'leave' ? v : bad();
const entry = v => (v = frame(v)).type === 'chat_message' ? v : bad();
const entries = v => (v = list(x => x)(v)).length > 100 ? bad() : v.map(entry);

const types = {
	chat_message: {message: text(maxText), user: string, time, offset},
	hello: {user: string, device: text(128), key: text(128), epoch: text(64), after: offset, listed: yes},
	welcome: {
		room: string, user: string, epoch: text(64), offset, count: offset, resumed: bool, members: list(string),
		limits: object({message: offset, rate: float, burst: offset, resume: offset}),
		server: object({name: string, version: string}),
	},
	ack: {offset},
	typing: {user: string},
	presence: {event, count: offset, users: list(string)},
	history: {before: offset, limit: number(100), more: bool, messages: entries},
	error: {code: string, message: string, user: string, retry_ms: offset},
};

function frame(o) {
	if (!isObject(o)) bad();
	const id = text(64)(o.id);
	const type = text(32)(o.type) || ('message' in o ? 'chat_message' : bad());
	const m = {type, id, ...fields(types.hasOwnProperty(type) ? types[type] : refuse('unknown_type'), o)};
	return type === 'chat_message' && blank(m.message) ? refuse('empty') : m;
}

// Reads a frame: {message} with every field of its type, or {error: {code}}.
export function decode(json) {
	try {
		return {message: frame(JSON.parse(json))};
	} catch (error) {
		return {error: error.code ? error : {code: 'bad_frame'}};
	}
}

export const encode = message => JSON.stringify(message);
