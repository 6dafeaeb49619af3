import { type Frame, hashEquals, type OpRecord, schemaHash } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyUpdate, Doc } from 'yjs';
import { readManifestPointer } from '../catalog/manifest-pointer.ts';
import type { Channel } from '../database/channel.ts';
import { emptyReplica, loadManifest, openReplica } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import { SegmentPool } from '../replica/segment-pool.ts';
import { FollowedChannel } from '../replication/followed-channel.ts';
import { sealChannel } from '../seal/seal-channel.ts';
import { type MemoryPorts, memoryPorts } from '../testing/memory-ports.ts';
import { loadCollab } from './load.ts';
import { anyStep, CollabLog, collabDefinition, KEY, type Step } from './testing/collab-log.ts';

const CHANNEL = 'notes/main/0';
const EPOCH = '00000000-0000-4000-8000-000000000001';
const definition = collabDefinition;

beforeAll(loadCollab);

/** A replica of the log that is sealed, resumed and bootstrapped anew as the test says. */
class Reader {
  readonly #ports: MemoryPorts;
  readonly #pool: SegmentPool;
  readonly #channel: Channel;
  seals = 0;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
    this.#pool = new SegmentPool(ports.objects, ports.kernel);
    this.#channel = {
      name: CHANNEL,
      collection: { name: 'notes', collectionId: 'notes', definition, schemaVersion: 1, schemaHash: schemaHash(definition) },
      partition: 'main',
      replica: emptyReplica({ channel: CHANNEL, logEpoch: EPOCH, definition, kernel: ports.kernel }),
      published: undefined,
      damage: undefined,
    };
  }

  get replica(): Replica {
    return this.#channel.replica;
  }

  apply(base: number, records: readonly OpRecord[]): void {
    this.replica.applyFrame(frameOf(base, records, this.replica));
  }

  async seal(): Promise<void> {
    const { objects, meta, clock } = this.#ports;
    const context = {
      ports: { objects, meta },
      clock,
      pool: this.#pool,
      logEpoch: EPOCH,
      flush: async () => {},
      cursorAt: () => 0,
      isShown: () => true,
    };
    if (await sealChannel(context, this.#channel, { forCompaction: false })) this.seals += 1;
  }

  /** From the newest manifest; the log after it is still to be read. */
  async bootstrap(): Promise<void> {
    const { objects, meta, kernel } = this.#ports;
    const options = { channel: CHANNEL, logEpoch: EPOCH, definition, kernel };
    const pointer = await readManifestPointer(meta, CHANNEL);
    const replica =
      pointer === undefined
        ? emptyReplica(options)
        : await openReplica({ ...options, objects, pool: this.#pool, manifest: await loadManifest(objects, pointer.object) });
    expect(replica.divergences).toBe(0);
    this.#channel.replica.retire();
    this.#channel.replica = replica;
  }
}

function frameOf(base: number, records: readonly OpRecord[], replica: Replica): Frame {
  return { logEpoch: EPOCH, leaderEpoch: 1, channel: CHANNEL, base, hashBefore: replica.hash, records };
}

interface Shown {
  readonly text: string | undefined;
  readonly entries: unknown;
}

function shownBy({ entities }: { readonly entities: Pick<Replica['entities'], 'find'> }): Shown {
  const place = entities.find(KEY);
  if (place === undefined) return { text: undefined, entries: undefined };
  const { source } = place.block;
  const doc = new Doc();
  const bytes = source.valueAt('doc', place.offset);
  if (bytes !== null) applyUpdate(doc, bytes as Uint8Array);
  return { text: source.valueAt('body', place.offset) as string, entries: doc.getMap('m').toJSON() };
}

function expected(log: CollabLog): Shown {
  return { text: log.text, entries: log.entries };
}

const anyRun = fc.record({
  steps: fc.array(anyStep, { minLength: 5, maxLength: 60 }),
  events: fc.array(fc.constantFrom('none', 'none', 'none', 'seal', 'bootstrap', 'again', 'view'), { minLength: 1, maxLength: 30 }),
  size: fc.integer({ min: 1, max: 6 }),
});
const FIRST: Step = { type: 'put', author: 0, text: 'begun' };

describe('a collab field', () => {
  it('is after any log what Yjs alone makes of it, whatever is sealed, resumed, read twice or bootstrapped anew', async () => {
    let merged = 0;
    let seals = 0;
    await fc.assert(
      fc.asyncProperty(anyRun, async ({ steps, events, size }) => {
        const log = new CollabLog();
        const reader = new Reader(await memoryPorts());
        let applied = 0;
        for (const [index, step] of [FIRST, ...steps].entries()) {
          log.run(step);
          const event = events[index % events.length];
          if (event === 'seal') await reader.seal();
          else if (event === 'bootstrap') await reader.bootstrap();
          else if (event === 'again' && applied > 0) reader.apply(1, log.records.slice(0, reader.replica.position));
          else if (event === 'view') reader.replica.view().release();
          for (applied = reader.replica.position; applied < log.records.length; applied += size)
            reader.apply(applied + 1, log.records.slice(applied, applied + size));
          applied = reader.replica.position;
          expect(shownBy(reader.replica)).toEqual(expected(log));
        }
        merged += log.records.filter(({ op }) => op.type === 'yjs').length;
        seals += reader.seals;
        await reader.seal();
        await reader.bootstrap();
        expect(shownBy(reader.replica)).toEqual(expected(log));
        reader.replica.retire();
      }),
      propertyOptions(150),
    );
    expect(merged).toBeGreaterThan(50);
    expect(seals).toBeGreaterThan(10);
  });

  it('reads the same with the end of the log still in the outbox, and has the hash of the log once it is not', async () => {
    let pending = 0;
    await fc.assert(
      fc.asyncProperty(anyRun, fc.nat({ max: 20 }), async ({ steps, size }, held) => {
        const log = new CollabLog();
        for (const step of [FIRST, ...steps]) log.run(step);
        const { kernel } = await memoryPorts();
        const collection = { name: 'notes', collectionId: 'notes', definition, schemaVersion: 1, schemaHash: schemaHash(definition) };
        const replica = emptyReplica({ channel: CHANNEL, logEpoch: null, definition, kernel });
        const channel = new FollowedChannel({ name: CHANNEL, collection, partition: 'main', kernel, replica, logEpoch: EPOCH });
        const cut = Math.max(0, log.records.length - held);
        for (let at = 0; at < cut; at += size) {
          channel.applyFrame(frameOf(at + 1, log.records.slice(at, Math.min(cut, at + size)), replica), () => {});
          if (at % 2 === 0) channel.settle();
        }
        for (const [index, { op, hlc, clientId, seq }] of log.records.slice(cut).entries()) {
          channel.setEntry({ id: index + 1, op, hlc, clientId, seq });
          if (index % 3 === 0) channel.settle();
          pending += 1;
        }
        channel.settle();
        expect(shownBy(channel)).toEqual(expected(log));
        for (let at = cut; at < log.records.length; at += 1) {
          channel.applyFrame(frameOf(at + 1, [log.records[at]!], replica), () => {});
          channel.removeEntry(at - cut + 1);
          channel.settle();
          expect(shownBy(channel)).toEqual(expected(log));
        }
        const direct = emptyReplica({ channel: CHANNEL, logEpoch: EPOCH, definition, kernel });
        direct.applyFrame(frameOf(1, log.records, direct));
        expect(hashEquals(direct.hash, replica.hash)).toBe(true);
        direct.retire();
        channel.retire();
      }),
      propertyOptions(150),
    );
    expect(pending).toBeGreaterThan(50);
  });
});
