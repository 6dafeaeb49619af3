import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../peers', import.meta.url));
const load: (name: string) => any = createRequire(join(FOLDER, 'package.json'));

let pouch: any;
/** PouchDB with databases in memory, which can follow others over HTTP. */
export function loadPouch(): any {
  // Plugins are added to the module itself: once.
  pouch ??= withPlugins();
  return pouch;
}

function withPlugins(): any {
  const PouchDB = load('pouchdb-core');
  for (const plugin of ['pouchdb-adapter-memory', 'pouchdb-adapter-http', 'pouchdb-replication']) PouchDB.plugin(load(plugin));
  return PouchDB.defaults({ adapter: 'memory' });
}

export function loadPouchServer(): { express: any; door: any } {
  return { express: load('express'), door: load('express-pouchdb') };
}

export function loadYjs(): { Y: any; WebsocketProvider: any; WebSocket: any } {
  return { Y: load('yjs'), WebsocketProvider: load('y-websocket').WebsocketProvider, WebSocket: load('ws') };
}

export function loadYjsServer(): { setupWSConnection: (socket: unknown, request: unknown) => void; WebSocketServer: any } {
  return { setupWSConnection: load('y-websocket/bin/utils').setupWSConnection, WebSocketServer: load('ws').WebSocketServer };
}
