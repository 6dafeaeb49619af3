/**
 * Appends per second of the embedded log brokers, each append durable when it is acknowledged: LMDB against one file per stream, in one run on
 * the same disk, taking turns, so that a slow moment of the machine touches both. `writers` appends are in flight at once, each on a stream of
 * its own, as the slots of a server are; `entries` records of `entryBytes` go into one append, as a leader's group commit makes them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBroker } from '@terndb/core';
import { FileLogBroker, LmdbLogBroker } from '@terndb/server';
import { median, report, round, tiny } from './lib/report.ts';

const rounds = tiny ? 1 : 5;
const turnMs = tiny ? 20 : 1_000;
const entryBytes = 128;
const cases = [
  { writers: 1, entries: 1 },
  { writers: 1, entries: 128 },
  { writers: 16, entries: 1 },
  { writers: 64, entries: 1 },
  { writers: 64, entries: 16 },
] as const;

interface Contender {
  readonly broker: LogBroker;
  readonly lasts: number[];
}

/** Records per second over one turn. */
async function turn({ broker, lasts }: Contender, writers: number, entries: number): Promise<number> {
  const batch = Array.from({ length: entries }, () => ({ channel: 'c1/p1/0', bytes: new Uint8Array(entryBytes) }));
  const start = performance.now();
  let records = 0;
  const write = async (writer: number): Promise<void> => {
    while (performance.now() - start < turnMs) {
      lasts[writer] = await broker.append(`slot-${writer}`, lasts[writer]!, batch);
      records += entries;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return (records * 1_000) / (performance.now() - start);
}

async function held({ broker, lasts }: Contender): Promise<number> {
  let records = 0;
  for (let writer = 0; writer < lasts.length; writer++) {
    const { first, last } = await broker.bounds(`slot-${writer}`);
    if (first !== 1 || last !== lasts[writer]) throw new Error(`slot-${writer}: ${lasts[writer]} acknowledged, ${last} held`);
    records += last;
  }
  return records;
}

const folder = await mkdtemp(join(tmpdir(), 'terndb-bench-'));
const lmdb = await LmdbLogBroker.open(join(folder, 'lmdb'));
const files = await FileLogBroker.open(join(folder, 'files'));
try {
  const contenders = [lmdb, files].map((broker): Contender => ({ broker, lasts: new Array<number>(64).fill(0) }));
  for (const { writers, entries } of cases) {
    const perSecond: number[][] = contenders.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, contender] of contenders.entries()) perSecond[index]!.push(await turn(contender, writers, entries));
    }
    const [ofLmdb, ofFiles] = perSecond.map((values) => median(values)) as [number, number];
    report('log-append', {
      writers,
      entries,
      entryBytes,
      rounds,
      lmdbPerSecond: Math.round(ofLmdb),
      filesPerSecond: Math.round(ofFiles),
      ratio: round(median(perSecond[0]!.map((value, index) => value / perSecond[1]![index]!)), 2),
    });
  }
  report('log-append', { recordsHeld: await Promise.all(contenders.map(held)) });
} finally {
  await lmdb.close();
  await files.close();
  await rm(folder, { recursive: true });
}
