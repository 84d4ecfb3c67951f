// The obvious chat server with ws on Node: one room for each path.
const http = require('http');
const { WebSocketServer, WebSocket } = require('ws');

const [host, port] = process.argv[2].split(':');
const rooms = new Map();
const server = http.createServer();
const wss = new WebSocketServer({ server, perMessageDeflate: false });
wss.on('connection', (ws, request) => {
  const room = rooms.get(request.url) ?? new Set();
  rooms.set(request.url, room.add(ws));
  ws.on('message', (data) => {
    for (const other of room) {
      if (other.readyState === WebSocket.OPEN) other.send(data, { binary: false });
    }
  });
  ws.on('close', () => room.delete(ws));
  ws.on('error', () => {});
});
server.listen(Number(port), host);
