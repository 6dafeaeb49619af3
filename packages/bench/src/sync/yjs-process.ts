/** The server that y-websocket comes with: documents in memory. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadYjsServer } from './peers.ts';

const { setupWSConnection, WebSocketServer } = loadYjsServer();
const server = createServer();
const sockets = new WebSocketServer({ server });
sockets.on('connection', setupWSConnection);
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`));
process.on('SIGTERM', () => process.exit(0));
