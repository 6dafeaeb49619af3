/**
 * A hundred devices type into one document for a minute, everybody a letter every two seconds: whether the server grows, and how far behind the
 * last of them is. The devices are the real client machine with a Yjs document each, all in one process, which is the larger part of the load.
 */
import type { Op } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { applyUpdate, Doc } from 'yjs';
import { percentile, report, round, tiny } from '../lib/report.ts';
import { anonymousBytes, metricOf, residentBytes, sleep, startTern, until } from '../sync/server-process.ts';
import { resolveChannel, SimulatedDevice } from '../sync/simulated-device.ts';
import { schema } from './contenders.ts';

const devices = tiny ? 4 : 100;
const runMs = Number(process.env['BENCH_WINDOW_MS'] ?? (tiny ? 1_000 : 60_000));
const KEY_MS = 2_000;
/** Means of so many equal parts of the run are told: growth that ends is seen in them. */
const PARTS = 6;
const definition = schema.definition.collections.notes;

interface Typist {
  readonly device: SimulatedDevice;
  readonly doc: Doc;
}

export async function crowd(): Promise<void> {
  const server = await startTern();
  const url = `${server.url}/sync`;
  const channel = await resolveChannel(url, { name: 'notes', definition, partition: 'crowd' });
  const lags: number[] = [];
  const typedAt = new Map<string, number>();
  let base: { readonly clientId: string; readonly seq: number } | undefined;
  const typists: Typist[] = [];
  for (let index = 0; index < devices; index++) {
    const doc = new Doc();
    const device: SimulatedDevice = new SimulatedDevice({
      url,
      channel,
      subject: `typist-${index}`,
      rng: seededRng(index + 1),
      onFrame: ({ records }) => {
        for (const record of records) {
          if (record.type !== 'op') continue;
          if (record.op.type === 'put') base = { clientId: record.clientId, seq: record.seq };
          if (record.op.type !== 'yjs') continue;
          applyUpdate(doc, record.op.update, 'log');
          // One device times for all: the same machine's clock.
          const start = index === 0 ? typedAt.get(`${record.clientId} ${record.seq}`) : undefined;
          if (start !== undefined) lags.push(performance.now() - start);
        }
      },
    });
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'log') return;
      const op: Op = { type: 'yjs', pk: 'note', field: 'body', base: base!, update };
      const seq = ++seqs[index]!;
      device.write(op);
      typedAt.set(`${ids[index]} ${seq}`, performance.now());
    });
    typists.push({ device, doc });
  }
  const ids = typists.map(({ device }) => device.clientId);
  const seqs = typists.map(() => 0);
  await until('devices are live', () => typists.every(({ device }) => device.isLive));
  seqs[0] = 1;
  typists[0]!.device.write({ type: 'put', pk: 'note', fields: { body: '' }, create: true });
  await until('the note is everywhere', () => typists.every(({ device }) => device.position > 0));
  const start = performance.now();
  const resident: number[] = [];
  const own: number[] = [];
  const heap: number[] = [];
  for (let turn = 0; performance.now() - start < runMs; turn++) {
    const { doc } = typists[turn % devices]!;
    const text = doc.getText('text');
    text.insert(Math.floor((text.length * ((turn * 7) % 11)) / 11), 'abcdefghij'[turn % 10]!);
    if (turn % devices === 0) {
      resident.push(residentBytes(server.pid));
      own.push(anonymousBytes(server.pid));
      heap.push(await metricOf(server, 'nodejs_heap_size_used_bytes'));
    }
    await sleep(Math.max(0, (turn + 1) * (KEY_MS / devices) - (performance.now() - start)));
  }
  const whole = (): boolean => typists.every(({ device }) => device.held === 0 && device.position === typists[0]!.device.position);
  await until('everything is everywhere', whole);
  await sleep(200);
  const texts = new Set(typists.map(({ doc }) => doc.getText('text').toString()));
  const parts = (sizes: readonly number[]): number[] => {
    const length = Math.max(1, Math.floor(sizes.length / PARTS));
    return Array.from({ length: Math.min(PARTS, sizes.length) }, (_, part) => {
      const slice = sizes.slice(part * length, (part + 1) * length);
      return round(slice.reduce((sum, size) => sum + size, 0) / slice.length / 2 ** 20, 1);
    });
  };
  report('together.crowd', {
    devices,
    seconds: round(runMs / 1_000, 0),
    keys: typedAt.size,
    texts: texts.size,
    p50Ms: round(percentile(lags, 0.5), 1),
    p99Ms: round(percentile(lags, 0.99), 1),
    residentMiB: parts(resident),
    ownMiB: parts(own),
    heapMiB: parts(heap),
    failure: typists.map(({ device }) => device.failure).find((one) => one !== undefined) ?? null,
  });
  for (const { device } of typists) device.close();
  await server.stop();
}
