/**
 * The first sync of 10,000 small documents: from the client's call to connect until all of them are in a new client (down), and the other way,
 * from a client that has them to a server that has none (up). Tern: the whole client in Node against `terndb serve`, the log not sealed, so that
 * every document comes as a record. Peers, in the same run and taking turns: PouchDB with a PouchDB server over HTTP, Yjs (a map with a map per
 * document) over y-websocket with its own server. All clients keep everything in memory; Tern's server alone is on disk.
 */
import { fileURLToPath } from 'node:url';
import { openInNode } from '@terndb/client/testing';
import { defineSchema, f } from '@terndb/core';
import { installPeers } from '../kernel/peer-package.ts';
import { median, report, round, tiny } from '../lib/report.ts';
import { loadPouch, loadYjs } from './peers.ts';
import { type ServedProcess, startProcess, startTern, tokenFor, until } from './server-process.ts';

const documents = tiny ? 100 : 10_000;
const rounds = Number(process.env['BENCH_ROUNDS'] ?? (tiny ? 1 : 3));
const BATCH = 1_000;
const SYNC_TIMEOUT_MS = 60_000;
const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const schema = defineSchema({ notes: { title: f.text(), n: f.number() } });

interface Note {
  readonly id: string;
  readonly title: string;
  readonly n: number;
}
const notes = Array.from({ length: documents }, (_, n): Note => ({ id: `note-${n}`, title: `note ${n} of somebody`, n }));

interface Contender {
  readonly name: string;
  start(): Promise<ServedProcess>;
  /** Milliseconds to bring all documents to the server, and to bring them from there to a new client. */
  sync(server: ServedProcess, place: string): Promise<{ readonly upMs: number; readonly downMs: number }>;
}

async function timed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const tern: Contender = {
  name: 'tern',
  start: startTern,
  async sync({ url }, place) {
    const connect = (db: Awaited<ReturnType<typeof open>>, subject: string): unknown =>
      db.connect({ url: `${url}/sync`, partitions: [place], getToken: async () => tokenFor(subject) });
    const open = (subject: string) => openInNode(`${place}-${subject}`, schema);
    // The partition is unknown to a new client until the server has answered.
    const count = (db: Awaited<ReturnType<typeof open>>): Promise<number> =>
      db.notes.count({ partitions: [place], scope: 'local' }).then(
        (result) => result.count,
        () => 0,
      );
    const writer = await open('ann');
    for (let at = 0; at < documents; at += BATCH) await writer.notes.putMany(notes.slice(at, at + BATCH), { partition: place });
    const upMs = await timed(async () => {
      connect(writer, 'ann');
      const isDone = (): boolean => writer.sync.get().state.name === 'live' && writer.sync.get().outbox === 0;
      await until('documents are in the log', isDone, { timeoutMs: SYNC_TIMEOUT_MS });
    });
    const reader = await open('bob');
    const downMs = await timed(async () => {
      connect(reader, 'bob');
      await until('documents are here', async () => (await count(reader)) === documents, { timeoutMs: SYNC_TIMEOUT_MS });
    });
    if ((await reader.notes.get('note-7'))?.title !== notes[7]!.title) throw new Error('tern: another document expected');
    await writer.close();
    await reader.close();
    return { upMs, downMs };
  },
};

const pouch: Contender = {
  name: 'PouchDB',
  start: () => startProcess(script('pouch-process'), [], {}),
  async sync({ url }, place) {
    const PouchDB = loadPouch();
    const writer = new PouchDB(`${place}-ann`);
    await writer.bulkDocs(notes.map(({ id, title, n }) => ({ _id: id, title, n })));
    const remote = `${url}/${place}`;
    const upMs = await timed(() => PouchDB.replicate(writer, new PouchDB(remote, { adapter: 'http' }), { batch_size: BATCH }));
    const reader = new PouchDB(`${place}-bob`);
    const downMs = await timed(() => PouchDB.replicate(new PouchDB(remote, { adapter: 'http' }), reader, { batch_size: BATCH }));
    const { doc_count: there } = await reader.info();
    if (there !== documents) throw new Error(`PouchDB: ${there} of ${documents} documents`);
    await writer.destroy();
    await reader.destroy();
    return { upMs, downMs };
  },
};

const yjs: Contender = {
  name: 'y-websocket',
  start: () => startProcess(script('yjs-process'), [], {}),
  async sync({ url }, place) {
    const { Y, WebsocketProvider, WebSocket } = loadYjs();
    const connect = (doc: unknown): any =>
      new WebsocketProvider(url.replace('http', 'ws'), place, doc, { WebSocketPolyfill: WebSocket, disableBc: true });
    const writer = new Y.Doc();
    const map = writer.getMap('notes');
    writer.transact(() => {
      for (const { id, title, n } of notes) map.set(id, new Y.Map(Object.entries({ title, n })));
    });
    let up: any;
    // Its protocol has no acknowledgement: an answer to a question that was asked after everything stands for one.
    const upMs = await timed(async () => {
      up = connect(writer);
      await until('the server answered', () => up.synced, { timeoutMs: SYNC_TIMEOUT_MS, pollMs: 1 });
    });
    const reader = new Y.Doc();
    let down: any;
    const downMs = await timed(async () => {
      down = connect(reader);
      await until('documents are here', () => reader.getMap('notes').size === documents, { timeoutMs: SYNC_TIMEOUT_MS, pollMs: 1 });
    });
    up.destroy();
    down.destroy();
    return { upMs, downMs };
  },
};

async function measure(contenders: readonly Contender[]): Promise<ReadonlyMap<string, { ups: number[]; downs: number[] } | Error>> {
  const results = new Map<string, { ups: number[]; downs: number[] } | Error>();
  const servers = new Map<string, ServedProcess>();
  for (let turn = 0; turn < rounds; turn++) {
    for (const contender of contenders) {
      const result = results.get(contender.name) ?? { ups: [], downs: [] };
      if (result instanceof Error) continue;
      try {
        const server = servers.get(contender.name) ?? (await contender.start());
        servers.set(contender.name, server);
        const { upMs, downMs } = await contender.sync(server, `round${turn}`);
        result.ups.push(upMs);
        result.downs.push(downMs);
        results.set(contender.name, result);
      } catch (error) {
        if (contender === tern) throw error;
        results.set(contender.name, error instanceof Error ? error : new Error(String(error)));
      }
    }
  }
  for (const server of servers.values()) await server.stop();
  return results;
}

export async function firstSync(): Promise<void> {
  const refused = tiny ? undefined : installPeers();
  const results = await measure(tiny || refused !== undefined ? [tern] : [tern, pouch, yjs]);
  const own = results.get(tern.name);
  if (own === undefined || own instanceof Error) throw new Error('first sync: figures of Tern expected');
  for (const { name } of tiny ? [tern] : [tern, pouch, yjs]) {
    const result = results.get(name) ?? new Error(refused);
    if (result instanceof Error) {
      report('sync.first-sync', { client: name, missing: result.message.split('\n')[0] });
      continue;
    }
    const ratio = (of: 'ups' | 'downs'): number => round(median(result[of].map((ms, index) => ms / own[of][index]!)), 2);
    report('sync.first-sync', {
      client: name,
      documents,
      rounds,
      downMs: round(median(result.downs), 1),
      upMs: round(median(result.ups), 1),
      downRatioToTern: ratio('downs'),
      upRatioToTern: ratio('ups'),
    });
  }
}
