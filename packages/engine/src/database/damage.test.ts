import type { StoredEntry } from '@terndb/core';
import { MemoryLogBroker } from '@terndb/core';
import { FaultyObjectStore } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { testSchema } from '../testing/test-channel.ts';
import { openEngine } from './open-engine.ts';
import type { Engine } from './types.ts';

const collection = 'things';
const BIG = 3_000;
const open = (ports: Parameters<typeof openEngine>[0]['ports']): Promise<Engine> => openEngine({ ports, schema: testSchema });
const put = (engine: Engine, ...entities: object[]) => engine.write({ type: 'put', collection, entities });
const one = (engine: Engine) => engine.inspect().partitions[0]!;
const ranks = (engine: Engine, ...keys: string[]) => engine.get({ collection, keys }).entities.map((entity) => entity?.['rank']);
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte));

/** Two segments: a large one that later seals leave alone, and a small one. */
async function twoSegments(): Promise<{ ports: MemoryPorts & { objects: FaultyObjectStore }; large: string; small: string }> {
  const base = await memoryPorts();
  const ports = { ...base, objects: new FaultyObjectStore(base.objects) } as unknown as MemoryPorts & { objects: FaultyObjectStore };
  const engine = await open(ports);
  put(engine, ...Array.from({ length: BIG }, (_, i) => ({ key: `big${i}`, rank: i })));
  await engine.seal();
  put(engine, { key: 'small', rank: 1 });
  await engine.seal();
  expect(one(engine).segments.map((segment) => segment.rows)).toEqual([BIG, 1]);
  const [large, small] = one(engine).segments.map((segment) => `segment-${segment.id}`);
  await engine.close();
  const names = (await ports.objects.list('')).map(({ name }) => name);
  return { ports, large: names.find((name) => name.endsWith(large!))!, small: names.find((name) => name.endsWith(small!))! };
}

describe('a damaged segment', () => {
  it('is quarantined and reported; the rest stays searchable and writable, and coverage says what is missing', async () => {
    const { ports, small } = await twoSegments();
    await ports.objects.damage(small, flip);
    const engine = await open(ports);
    expect(one(engine).quarantined).toHaveLength(1);
    expect(ranks(engine, 'big5', 'small')).toEqual([5, undefined]);
    expect(engine.count({ collection })).toMatchObject({ count: BIG, coverage: BIG / (BIG + 1) });
    const [{ view } = { view: undefined }] = engine.views(collection);
    expect(view?.quarantined).toEqual(one(engine).quarantined);
    view?.release();
    put(engine, { key: 'new', rank: 2 });
    await engine.seal();
    await engine.close();
    const again = await open(ports);
    expect(ranks(again, 'big5', 'small', 'new')).toEqual([5, undefined, 2]);
    expect(one(again).quarantined).toHaveLength(1);
    await again.close();
  });

  it('that can be read again later shows no row that was deleted or replaced meanwhile', async () => {
    const { ports, large } = await twoSegments();
    await ports.objects.damage(large, flip);
    const engine = await open(ports);
    expect(one(engine).quarantined).toHaveLength(1);
    put(engine, { key: 'big7', rank: 70_000 }, { key: 'big8', rank: 80_000 });
    engine.write({ type: 'delete', collection, key: 'big8' });
    await engine.seal();
    await engine.close();
    await ports.objects.damage(large, flip);
    const again = await open(ports);
    expect(one(again).quarantined).toEqual([]);
    expect(ranks(again, 'big6', 'big7', 'big8', 'small')).toEqual([6, 70_000, undefined, 1]);
    expect(one(again).entities).toBe(BIG);
    put(again, { key: 'big7', rank: 1 });
    await again.seal();
    const state = one(again);
    await again.close();
    const last = await open(ports);
    expect(state.divergences).toBe(1);
    expect(one(last)).toEqual({ ...state, divergences: 0 });
    await last.close();
  });

  it('that is gone altogether counts as damaged', async () => {
    const { ports, small } = await twoSegments();
    await ports.objects.delete(small);
    const engine = await open(ports);
    expect(one(engine).quarantined).toHaveLength(1);
    await engine.close();
  });
});

describe('a damaged manifest', () => {
  it('makes the partition read-only with a typed error, and deletes nothing', async () => {
    const { ports } = await twoSegments();
    const names = (await ports.objects.list('')).map(({ name }) => name);
    await ports.objects.damage(names.find((name) => name.includes('manifest'))!, flip);
    const engine = await open(ports);
    expect(engine.count({ collection })).toMatchObject({ count: 0, coverage: 0 });
    expect(() => put(engine, { key: 'x' })).toThrow(expect.objectContaining({ code: 'CHECKSUM_MISMATCH' }));
    engine.write({ type: 'put', collection, partition: 'other', entities: [{ key: 'x', rank: 3 }] });
    await engine.seal();
    expect(engine.get({ collection, partitions: ['other'], keys: ['x'] }).entities[0]).toMatchObject({ rank: 3 });
    await engine.close();
    expect((await ports.objects.list('')).map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });
});

/** A log whose entries a test may change after they were written. */
class BrittleLog extends MemoryLogBroker {
  readonly flipped = new Set<number>();

  override async read(...args: Parameters<MemoryLogBroker['read']>): Promise<readonly StoredEntry[]> {
    const entries = await super.read(...args);
    return entries.map((entry) => (this.flipped.has(entry.sequence) ? { ...entry, bytes: flip(entry.bytes) } : entry));
  }
}

describe('a damaged log entry', () => {
  it('ends its channel there: what came before is readable, nothing is written behind it, other partitions go on', async () => {
    const log = new BrittleLog();
    const ports = { ...(await memoryPorts()), log };
    const engine = await open(ports);
    for (let rank = 1; rank <= 3; rank++) {
      put(engine, { key: `k${rank}`, rank });
      await engine.flush();
    }
    engine.write({ type: 'put', collection, partition: 'other', entities: [{ key: 'x', rank: 9 }] });
    await engine.close();

    log.flipped.add(2);
    const damaged = await open(ports);
    expect(ranks(damaged, 'k1', 'k2', 'k3', 'x')).toEqual([1, undefined, undefined, 9]);
    expect(damaged.count({ collection, partitions: ['_default'] }).coverage).toBeLessThan(1);
    expect(damaged.count({ collection, partitions: ['other'] }).coverage).toBe(1);
    expect(damaged.inspect().partitions.map((partition) => partition.damage?.code)).toEqual(['CHECKSUM_MISMATCH', undefined]);
    expect(() => put(damaged, { key: 'k4' })).toThrow(
      expect.objectContaining({ code: 'CHECKSUM_MISMATCH', details: expect.objectContaining({ sequence: 2 }) }),
    );
    damaged.write({ type: 'put', collection, partition: 'other', entities: [{ key: 'y', rank: 10 }] });
    await damaged.seal();
    await damaged.close();

    log.flipped.clear();
    const healed = await open(ports);
    expect(ranks(healed, 'k1', 'k2', 'k3', 'x', 'y')).toEqual([1, 2, 3, 9, 10]);
    put(healed, { key: 'k4', rank: 4 });
    await healed.seal();
    expect(await log.bounds('0')).toEqual({ first: 7, last: 6 });
    await healed.close();
  });
});
