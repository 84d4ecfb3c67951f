// Joins a room in the tutorial's dialect, says one thing, and prints what it
// hears. Node 22 has WebSocket; for an older one, `npm install ws`.
//
//   node hello.mjs ws://localhost:8000/ws/chat/Lobby/ann "hello from JavaScript"
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
const [url, text] = process.argv.slice(2);
if (!text) {
  console.error('usage: node hello.mjs ws://HOST:PORT/ws/chat/ROOM/NAME TEXT');
  process.exit(2);
}
const ws = new WebSocket(url);
ws.onopen = () => ws.send(JSON.stringify({ message: text }));
ws.onmessage = ({ data }) => {
  const m = JSON.parse(data);
  const quoted = JSON.stringify(m.message); // a terminal obeys control characters
  console.log(m.type === 'error' ? `refused: ${quoted}` : `${JSON.stringify(m.user)}: ${quoted}`);
};
ws.onerror = () => console.error('The connection failed.');
ws.onclose = ({ wasClean }) => process.exit(wasClean ? 0 : 1);
