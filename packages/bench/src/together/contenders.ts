import { fileURLToPath } from 'node:url';
import { openInNode } from '@terndb/client/testing';
import { openCollab } from '@terndb/client/yjs';
import { defineSchema, type FieldType, f, type Schema } from '@terndb/core';
import type { Doc, Text } from 'yjs';
import { requirePeer } from '../kernel/peer-package.ts';
import { loadYjs } from '../sync/peers.ts';
import { type ServedProcess, startProcess, startTern, tokenFor, until } from '../sync/server-process.ts';

/** One text, open on one client. */
export interface OpenText {
  readonly doc: Doc;
  readonly text: Text;
  close(): Promise<void>;
}

/** A server and clients that edit one text with Yjs. */
export interface Contender {
  readonly name: string;
  start(): Promise<ServedProcess>;
  /** Connected, and with what the server has of it. */
  open(server: ServedProcess, place: string, who: string): Promise<OpenText>;
}

type Shape = { readonly notes: { readonly body: FieldType<'collabText', string, string, false, { search: true }> } };
export const schema: Schema<Shape> = defineSchema({ notes: { body: f.collabText({ search: true }) } });
const peer = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The whole client in Node (engine, outbox and log in memory) against `terndb serve`, whose log is on disk and acknowledged before it is told. */
const ternOf = (name: string, hints: boolean): Contender => ({
  name,
  start: startTern,
  async open({ url }, place, who) {
    const db = await openInNode(`${place}-${who}`, schema);
    db.connect({ url: `${url}/sync`, partitions: [place], getToken: async () => tokenFor(who) });
    await until('the client is live', () => db.sync.get().state.name === 'live');
    const here = { partitions: [place], scope: 'local' } as const;
    if (who === 'first') await db.notes.put({ id: 'note', body: '' }, { partition: place });
    await until('the note is here', async () => (await db.notes.count(here)).count === 1);
    const document = await openCollab(db.notes, 'note', 'body', { partition: place, hints });
    return {
      doc: document.doc,
      text: document.text,
      close: async () => {
        await document.close();
        await db.close();
      },
    };
  },
});
export const tern: Contender = ternOf('tern', true);
/** Shows what the log has told, and nothing before. */
export const ternByLog: Contender = ternOf('tern, by the log', false);

export const yWebsocket: Contender = {
  name: 'y-websocket',
  start: () => startProcess(peer('../sync/yjs-process.ts'), [], {}),
  async open({ url }, place) {
    const { Y, WebsocketProvider, WebSocket } = loadYjs();
    const doc = new Y.Doc();
    const provider = new WebsocketProvider(url.replace('http', 'ws'), place, doc, { WebSocketPolyfill: WebSocket, disableBc: true });
    await until('y-websocket is synced', () => provider.synced);
    return { doc, text: doc.getText('text'), close: async () => provider.destroy() };
  },
};

export const hocuspocus: Contender = {
  name: 'Hocuspocus',
  start: () => startProcess(peer('./hocuspocus-process.ts'), [], {}),
  async open({ url }, place) {
    const { Y } = loadYjs();
    const { HocuspocusProvider } = requirePeer('@hocuspocus/provider');
    const doc = new Y.Doc();
    const provider = new HocuspocusProvider({ url: url.replace('http', 'ws'), name: place, document: doc });
    await until('Hocuspocus is synced', () => provider.isSynced === true || provider.synced === true);
    return { doc, text: doc.getText('text'), close: async () => provider.destroy() };
  },
};
