// Answers "@bot" in a room, each question once, also if the bot, the server or
// the network fails in between. Node 22 has WebSocket; for an older one,
// `npm install ws`.
//
//   node bot.mjs ws://localhost:8000/ws/chat/Lobby bot.json
//
// The file keeps the bot's secret and its place in the room: use one for each
// room. To make a bot of your own, change its name, question and answer.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';

const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
const name = 'bot';
const question = new RegExp(`\\B@${name}\\b`, 'i');
const answer = (asked) => `Here I am, ${asked.user}.`;

const [url, file] = process.argv.slice(2);
if (!file) stop('usage: node bot.mjs ws://HOST:PORT/ws/chat/ROOM FILE');
const state = load();
let wait = 1000;
talk();

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** What the file keeps: all up to `after` in `epoch` is answered. */
function load() {
  if (fs.existsSync(file)) {
    try {
      const { device, epoch, after } = JSON.parse(fs.readFileSync(file, 'utf8'));
      if (device) return { device, epoch, after };
    } catch {
      // it is no JSON
    }
    stop(`${JSON.stringify(file)} is not a bot's file: name another one.`);
  }
  const fresh = { device: randomBytes(24).toString('base64url'), epoch: '', after: 0 };
  save(fresh);
  return fresh;
}

/** Replaces the file at once, so that a crash leaves the old one or the new. */
function save(state) {
  fs.writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

/** Joins the room and answers. When the connection ends, it begins again. */
function talk() {
  const began = Date.now();
  const ws = new WebSocket(url, 'parley.v1');
  const send = (frame) => ws.readyState === WebSocket.OPEN && ws.send(JSON.stringify(frame));
  let me, epoch, heard = true, over = false;
  let answered = 0, head = 0, seen = 0; // offsets: done before, where the room was, read by now
  const waiting = []; // answers that the server has not confirmed; the first is on its way
  const sendFirst = () => waiting.length > 0 && send(waiting[0]);
  const confirm = (id) => {
    const i = waiting.findIndex((a) => a.id === id);
    if (i < 0) return;
    waiting.splice(i, 1);
    if (i === 0) sendFirst();
  };

  ws.onopen = () => {
    const resume = state.epoch ? { epoch: state.epoch, after: state.after } : {};
    send({ type: 'hello', user: name, device: state.device, ...resume });
  };
  ws.onmessage = ({ data }) => {
    heard = true;
    const f = JSON.parse(data);
    switch (f.type) {
      case 'welcome':
        me = f.by;
        epoch = f.epoch;
        if (!state.epoch) answered = f.offset; // a new bot answers only what is asked from now on
        else if (state.epoch === epoch) answered = state.after;
        if (!f.resumed) head = f.offset; // the newest messages follow, up to here
        seen = answered;
        break;
      case 'chat_message': case 'delete': case 'react': case 'notice':
        seen = Math.max(seen, f.offset ?? 0);
        if (f.by === me) {
          confirm(f.id);
        } else if (f.type === 'chat_message' && !f.edits && f.offset > answered && question.test(f.message)) {
          // The id follows from the question. If the bot answers again, since it
          // does not know that it has, the server keeps the first answer.
          const id = createHash('sha256').update(`${f.by} ${f.id}`).digest('hex').slice(0, 32);
          waiting.push({ type: 'chat_message', id, message: answer(f), reply: f.offset, of: f.id });
          if (waiting.length === 1) sendFirst();
        }
        break;
      case 'ack':
        confirm(f.id);
        break;
      case 'error':
        if (['rate_limited', 'unavailable'].includes(f.code)) {
          if (waiting[0]?.id === f.id) setTimeout(sendFirst, f.retry_ms ?? 1000);
          return;
        }
        console.error(`The server refuses: ${JSON.stringify(f.message)}`); // a terminal obeys control characters
        confirm(f.id);
    }
    const after = waiting.length > 0 ? waiting[0].reply - 1 : seen;
    if (epoch && seen >= head && (after !== state.after || epoch !== state.epoch)) {
      Object.assign(state, { epoch, after });
      save(state);
    }
  };

  // The server pings, but only its frames can be seen here.
  const watch = setInterval(() => {
    if (!heard) return again('nothing was heard for 30 s');
    heard = false;
    send({ type: 'ping' });
  }, 30_000);
  const again = (problem) => {
    if (over) return;
    over = true;
    clearInterval(watch);
    ws.onmessage = null;
    ws.close();
    console.error(`The connection failed, the bot tries again: ${JSON.stringify(problem)}`);
    wait = Date.now() - began > 60_000 ? 1000 : Math.min(2 * wait, 30_000);
    setTimeout(talk, Math.random() * wait);
  };
  ws.onerror = ({ message }) => again(message ?? 'an error');
  ws.onclose = ({ code, reason }) => {
    if (code >= 4500 && code <= 4999) {
      stop(`The server closed the connection for good, with code ${code}: ${JSON.stringify(reason)}`);
    }
    again(`code ${code} ${reason}`);
  };
}
