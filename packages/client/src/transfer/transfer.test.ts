import { DbError, defineSchema, f, MemoryLogBroker, MemoryMetaStore, MemoryObjectStore } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { type Engine, openEngine } from '@terndb/engine';
import { loadKernel } from '@terndb/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { ExportSessions } from './export-sessions.ts';
import { ImportReader } from './import-reader.ts';
import { ImportSessions } from './import-sessions.ts';

const { definition: schema } = defineSchema({
  notes: {
    title: f.text(),
    big: f.int64().nullable(),
    list: f.array(f.int64()).default([]),
    data: f.json().nullable(),
    vec: f.vector(2).nullable(),
    doc: f.collab(),
    sparse: f.sparseVector().nullable(),
    bits: f.binaryVector(8).nullable(),
  },
  items: { sku: f.primaryKey('int64'), at: f.date(), ok: f.boolean() },
});

async function openMemoryEngine(seed = 1, of = schema): Promise<Engine> {
  const ports = {
    log: new MemoryLogBroker(),
    meta: new MemoryMetaStore(),
    objects: new MemoryObjectStore(),
    clock: browserClock,
    rng: seededRng(seed),
    kernel: await loadKernel(),
  };
  return await openEngine({ ports, schema: of });
}
function exportAll(engine: Engine, collections?: readonly string[]): Uint8Array<ArrayBuffer> {
  const sessions = new ExportSessions(engine);
  const { exportId } = sessions.open({ collections });
  const pages: Uint8Array[] = [];
  for (let done = false; !done; ) {
    const page = sessions.page(exportId);
    pages.push(page.bytes);
    done = page.done;
  }
  sessions.close(exportId);
  return Uint8Array.from(pages.flatMap((page) => [...page]));
}
async function importAll(engine: Engine, pieces: readonly Uint8Array[]): Promise<{ entities: number }> {
  const sessions = new ImportSessions(engine);
  const { importId } = sessions.open();
  for (const piece of pieces) sessions.push(importId, piece);
  return await sessions.commit(importId);
}
async function fill(engine: Engine): Promise<void> {
  const entities = [
    {
      id: 'a',
      title: 'ä\n"',
      big: 2n ** 60n,
      list: [1, -(2n ** 62n)],
      data: { x: [null] },
      vec: [0.1, -2],
      sparse: { 3: 1.5 },
      bits: new Uint8Array([7]),
    },
    { id: 'b', title: '', doc: new Uint8Array([0, 0]) },
  ];
  engine.write({ type: 'put', collection: 'notes', entities });
  engine.write({ type: 'put', collection: 'notes', partition: 'p', entities: [{ id: 'a', title: 'other partition' }] });
  await engine.write({
    type: 'put',
    collection: 'items',
    entities: [
      { sku: 1, at: new Date(3), ok: true },
      { sku: 2n ** 61n, at: new Date(-4), ok: false },
    ],
  }).durable;
}
/** Node's files without Node's types, which this package does without. */
async function readFixture(name: string): Promise<Uint8Array> {
  interface Node {
    readonly process: { getBuiltinModule(id: string): { readFile(url: URL): Promise<Uint8Array> } };
  }
  const files = (globalThis as unknown as Node).process.getBuiltinModule('node:fs/promises');
  return await files.readFile(new URL(`./fixtures/${name}`, import.meta.url));
}
const contents = (engine: Engine): unknown =>
  ['notes', 'items'].map(
    (collection) =>
      engine.query({
        collection,
        partitions: collection === 'notes' ? ['_default', 'p'] : ['_default'],
        select: engine.definition(collection).fields.map(({ name }) => name),
      }).entities,
  );

describe('an export', () => {
  it('imported anywhere gives the same entities, whatever the pieces it comes in', async () => {
    const engine = await openMemoryEngine();
    await fill(engine);
    const bytes = exportAll(engine);
    for (const size of [1, 7, 1000, bytes.byteLength]) {
      const other = await openMemoryEngine(2);
      const pieces = Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(await importAll(other, pieces)).toEqual({ entities: 5 });
      expect(contents(other)).toEqual(contents(engine));
    }
  });

  it('shows the state of its beginning, and holds only what was asked for', async () => {
    const engine = await openMemoryEngine();
    await fill(engine);
    const sessions = new ExportSessions(engine);
    const { exportId, entities } = sessions.open({ collections: ['items'] });
    expect(entities).toBe(2);
    await engine.write({ type: 'deleteBy', collection: 'items', where: { ok: true } }).durable;
    const lines = new TextDecoder().decode(sessions.page(exportId).bytes).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[0]!)).toMatchObject({ terndb: 'export', version: 1, collections: ['items'] });
    expect(JSON.parse(lines[3]!)).toMatchObject({ end: true, entities: 2 });
  });

  it('that is not finished makes room for later ones', async () => {
    const engine = await openMemoryEngine();
    const sessions = new ExportSessions(engine);
    const [first] = Array.from({ length: 5 }, () => sessions.open({}));
    expect(() => sessions.page(first!.exportId)).toThrowError(expect.objectContaining({ code: 'ABORTED' }));
  });

  it('damaged anywhere is refused with a typed error or is the same text', async () => {
    const engine = await openMemoryEngine();
    await fill(engine);
    const bytes = exportAll(engine);
    const codes = new Set(['FORMAT_INVALID', 'FORMAT_VERSION_UNSUPPORTED', 'CHECKSUM_MISMATCH', 'SCHEMA_CONFLICT', 'SCHEMA_INVALID']);
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const damaged = cut ? bytes.slice(0, at) : bytes.slice();
        if (!cut) damaged[at]! ^= flip;
        const reader = new ImportReader(schema);
        try {
          reader.push(damaged);
          reader.finish();
          expect.unreachable(`byte ${at} ${cut ? 'cut' : `flipped by ${flip}`} was not noticed`);
        } catch (thrown) {
          if (!(thrown instanceof DbError)) throw thrown;
          expect(codes).toContain(thrown.code);
        }
      }),
      // A flip in the name of the header's `collections`, found by chance.
      { numRuns: 500, examples: [[1357, 1, false]] },
    );
  });

  it('of version 1 can be read for ever', async () => {
    const bytes = await readFixture('export-v1.ndjson');
    const engine = await openMemoryEngine();
    expect(await importAll(engine, [bytes])).toEqual({ entities: 4 });
    expect(
      engine.get({ collection: 'notes', keys: ['a'], select: ['title', 'big', 'list', 'data', 'vec', 'sparse', 'bits'] }).entities[0],
    ).toEqual({
      id: 'a',
      title: 'ä\n"',
      big: 2n ** 60n,
      list: [1, -(2n ** 62n)],
      data: { x: [null] },
      vec: new Float32Array([0.1, -2]),
      sparse: { 3: 1.5 },
      bits: new Uint8Array([7]),
    });
    expect(engine.get({ collection: 'items', keys: [2n ** 61n] }).entities[0]).toMatchObject({ at: new Date(-4), ok: false });
  });
});

describe('vectors of other elements', () => {
  it('arrive as they were', async () => {
    const fields = {
      id: f.primaryKey('varchar'),
      half: f.vector(2, { elements: 'float16' }),
      brain: f.vector(2, { elements: 'bfloat16' }),
      bytes: f.vector(3, { elements: 'int8' }).nullable(),
    };
    const of = defineSchema({ notes: fields }).definition as never;
    const [engine, other] = [await openMemoryEngine(1, of), await openMemoryEngine(2, of)];
    const entities = [
      { id: 'a', half: [0.1, -2], brain: [1 / 3, 3e38], bytes: [1, -128, 127] },
      { id: 'b', half: [65_504, 0], brain: [0, -1], bytes: null },
    ];
    await engine.write({ type: 'put', collection: 'notes', entities }).durable;
    expect(await importAll(other, [exportAll(engine)])).toEqual({ entities: 2 });
    const read = (from: Engine) => from.get({ collection: 'notes', keys: ['a', 'b'], select: ['half', 'brain', 'bytes'] }).entities;
    expect(read(other)).toEqual(read(engine));
    expect(read(other)[0]!['bytes']).toEqual(Int8Array.of(1, -128, 127));
  });
});

describe('vectors derived from text', () => {
  const embedded = defineSchema({ notes: { id: f.primaryKey('varchar'), title: f.text(), vec: f.vector({ embed: ['title'] }) } })
    .definition as never;

  it('stay behind, and are derived again where the text arrives; given ones come along', async () => {
    const engine = await openMemoryEngine(1, embedded);
    const entities = [
      { id: 'derived', title: 'one' },
      { id: 'given', title: 'two', vec: [1, 2] },
    ];
    await engine.write({ type: 'put', collection: 'notes', entities }).durable;
    const ask = { collection: 'notes', field: 'vec', model: 'm', maxRows: 10, maxLookedAt: 10 };
    const [row] = engine.waitingVectors(ask).rows;
    const vectors = [{ key: row!.key, sourceHash: row!.sourceHash, vector: Float32Array.of(3, 4) }];
    await engine.write({ type: 'vectors', collection: 'notes', partition: '_default', field: 'vec', model: 'm', vectors }).durable;
    const other = await openMemoryEngine(2, embedded);
    expect(await importAll(other, [exportAll(engine)])).toEqual({ entities: 2 });
    expect(other.waitingVectors(ask).rows.map(({ key }) => key)).toEqual(['derived']);
    expect(other.get({ collection: 'notes', keys: ['given'], select: ['vec'] }).entities[0]).toMatchObject({ vec: Float32Array.of(1, 2) });
    await Promise.all([engine.close(), other.close()]);
  });
});
