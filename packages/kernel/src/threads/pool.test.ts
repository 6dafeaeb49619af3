import { afterEach, describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { createHnsw, openHnsw } from '../index/open.ts';
import { buildLists } from '../lists/open.ts';
import { createSearchPool, type SearchPool, type SearchPoolOptions } from '../node.ts';
import { makeBitmap } from '../testing/bitmap.ts';
import { freshKernel } from '../testing/builds.ts';
import { makeVectors, mixture } from '../testing/vectors.ts';
import type { Kernel, VectorBlock } from '../types.ts';

const dim = 33;
const rows = 3_000;
const vectors = mixture(rows, dim, 5);
const queries = Array.from({ length: 40 }, (_, at) => vectors.slice(at * 61 * dim, (at * 61 + 1) * dim));
const DEADLY_K = 4_444;

const pools: SearchPool[] = [];
async function openPool(options: SearchPoolOptions = {}): Promise<SearchPool> {
  const pool = await createSearchPool({ threads: 2, maxBytes: 2 ** 28, ...options });
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function fill(kernel: Kernel, capacity = rows): VectorBlock {
  const block = kernel.createBlock({ dim, capacity });
  block.append(vectors);
  return block;
}

function graph(kernel: Kernel, block: VectorBlock, codes: 'sq8' | 'f32' | 'b1' = 'sq8') {
  const index = createHnsw(kernel, { dim, metric: 'COSINE', codes, m: 8, efConstruction: 40, capacity: rows });
  index.addFrom(block);
  index.buildStep(rows, block);
  return index;
}

const codeOf = (error: unknown): string => (error instanceof KernelError ? error.code : `not a KernelError: ${String(error)}`);

describe('a pool of threads', () => {
  test.each(['sq8', 'f32', 'b1'] as const)(
    'searches one graph with %s as the kernel itself does, with and without rows, bitmap and bounds',
    async (codes) => {
      const pool = await openPool();
      const block = fill(pool.kernel);
      const index = graph(pool.kernel, block, codes);
      const bitmap = makeBitmap(rows, 0.3, 1);
      const ways = [
        {},
        { block },
        { bitmap, block },
        { bitmap, plan: 'walkFiltered' as const },
        { minScore: 0.5 },
        { plan: 'scan' as const },
      ];
      const asked = queries.flatMap((query) => ways.map((way) => ({ query, k: 7, ef: 40, ...way })));
      const answers = await Promise.all(asked.map((options) => pool.search(index, options)));
      expect(answers.some(({ offsets }) => offsets.length === 7)).toBe(true);
      for (const [at, hits] of answers.entries()) expect(hits).toEqual(index.search(asked[at]!));
    },
  );

  test('scans rows of floats, of other elements and of bits, and lists', async () => {
    const pool = await openPool();
    const block = fill(pool.kernel);
    const halves = pool.kernel.createBlock({ dim, elements: 'float16' });
    halves.append(vectors);
    const bits = pool.kernel.createBinaryBlock({ dim: 256 });
    bits.append(Uint8Array.from({ length: 32 * 500 }, (_, at) => (at * 2_654_435_761) >>> 13));
    const build = buildLists(pool.kernel, { block, metric: 'L2', codes: 'b1', lists: 20 });
    while (!build.step(10_000).done);
    const lists = build.finish();
    for (const query of queries.slice(0, 10)) {
      const scan = { query, metric: 'L2' as const, k: 9 };
      expect(await pool.search(block, scan)).toEqual(block.scan(scan));
      expect(await pool.search(halves, scan)).toEqual(halves.scan(scan));
      const probe = { query, k: 9, nprobe: 5, block };
      expect(await pool.search(lists, probe)).toEqual(lists.search(probe));
    }
    const scan = { query: bits.row(17), metric: 'HAMMING' as const, k: 5 };
    expect(await pool.search(bits, scan)).toEqual(bits.scan(scan));
  });

  test('has indexes of the same bytes as any kernel, and opens theirs', async () => {
    const pool = await openPool();
    const kernel = await freshKernel('kernel.wasm');
    const saved = graph(kernel, fill(kernel)).save();
    expect(graph(pool.kernel, fill(pool.kernel)).save()).toEqual(saved);
    const opened = openHnsw(pool.kernel, saved);
    const options = { query: queries[3]!, k: 5 };
    expect(await pool.search(opened, options)).toEqual(opened.search(options));
  });

  test('sees what was added between two searches, and what has moved', async () => {
    const pool = await openPool();
    const block = pool.kernel.createBlock({ dim, capacity: 1 });
    const index = createHnsw(pool.kernel, { dim, metric: 'L2', capacity: 1 });
    const others: VectorBlock[] = [];
    for (let row = 0; row < 600; row += 100) {
      block.append(vectors.subarray(row * dim, (row + 100) * dim));
      index.addFrom(block);
      if (row % 200 === 0) index.buildStep(150);
      others.push(fill(pool.kernel, 1)); // in the way of what grows
      const query = vectors.slice((row + 77) * dim, (row + 78) * dim);
      const hits = await Promise.all(Array.from({ length: 6 }, () => pool.search(index, { query, k: 3, block })));
      for (const one of hits) expect(one).toEqual(index.search({ query, k: 3, block }));
      expect(hits[0]!.offsets[0]).toBe(row + 77);
    }
  });

  test('gives a thread more memory for larger searches than it was made for', async () => {
    const pool = await openPool({ maxBytes: 2 ** 30 });
    const many = 1_500_000;
    const block = pool.kernel.createBlock({ dim: 1, capacity: many, screen: false });
    block.append(Float32Array.from({ length: many }, (_, row) => row % 1_000_003));
    const bitmap = makeBitmap(many, 0.5, 3);
    const scan = { query: Float32Array.of(777_777), metric: 'L2' as const, k: 16_000, bitmap };
    const [first, second] = await Promise.all([pool.search(block, scan), pool.search(block, scan)]);
    expect(first).toEqual(block.scan(scan));
    expect(second).toEqual(first);
    const index = createHnsw(pool.kernel, { dim: 1, metric: 'L2', capacity: many });
    index.add(Float32Array.of(1, 2, 3));
    expect((await pool.search(index, { query: Float32Array.of(2), k: 1 })).offsets).toEqual(Uint32Array.of(1));
  });

  test('refuses a search for which there is no memory, and goes on', async () => {
    const pool = await openPool({ threads: 1, maxBytes: 22 * 2 ** 20 });
    const small = fill(pool.kernel);
    const large = pool.kernel.createBlock({ dim: 1, capacity: 700_000, screen: false });
    large.append(new Float32Array(700_000));
    await expect(pool.search(large, { query: Float32Array.of(1), metric: 'L2', k: 1 })).rejects.toMatchObject({ code: 'MEMORY_LIMIT' });
    const scan = { query: queries[0]!, metric: 'IP' as const, k: 3 };
    expect(await pool.search(small, scan)).toEqual(small.scan(scan));
  });

  test('tells a wrong call from a lost thread: the error is the one that the call itself throws', async () => {
    const pool = await openPool();
    const block = fill(pool.kernel);
    const index = graph(pool.kernel, block);
    await expect(pool.search(index, { query: new Float32Array(3), k: 1 })).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
      details: { expected: dim, got: 3 },
    });
    await expect(pool.search(block, { query: queries[0]!, metric: 'NONE' as 'L2', k: 1 })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    const elsewhere = fill(await freshKernel('kernel.wasm'));
    await expect(pool.search(elsewhere, { query: queries[0]!, metric: 'L2', k: 1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(pool.search(index, { query: queries[0]!, k: 1, block: elsewhere })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(pool.threads).toBe(2);
  });

  test('refuses options that no message can carry, and them alone', async () => {
    const pool = await openPool();
    const block = fill(pool.kernel);
    const scan = { query: queries[0]!, metric: 'L2' as const, k: 3 };
    const given = [scan, { ...scan, extra: () => 1 }, scan].map((options) => pool.search(block, options).catch(codeOf));
    const expected = block.scan(scan);
    expect(await Promise.all(given)).toEqual([expected, 'OPTION_INVALID', expected]);
    block.append(vectors); // nothing is held any more
  });

  test('takes queries that are a part of something larger, and bitmaps that threads share', async () => {
    const pool = await openPool();
    const index = graph(pool.kernel, fill(pool.kernel));
    const bitmap = new Uint32Array(new SharedArrayBuffer(4 * Math.ceil(rows / 32)));
    bitmap.set(makeBitmap(rows, 0.4, 2).subarray(0, bitmap.length));
    const options = { query: vectors.subarray(5 * dim, 6 * dim), k: 4, bitmap };
    expect(await pool.search(index, options)).toEqual(index.search(options));
  });

  test('holds what is searched: it is not changed meanwhile, and freed when the last search has ended', async () => {
    const pool = await openPool();
    const block = fill(pool.kernel);
    const index = graph(pool.kernel, block);
    const expected = index.search({ query: queries[0]!, k: 5, block });
    const asked = Array.from({ length: 30 }, () => pool.search(index, { query: queries[0]!, k: 5, block }));
    for (const change of [
      () => index.add(vectors),
      () => index.addFrom(block, 0),
      () => index.buildStep(1),
      () => index.save(),
      () => block.append(vectors),
      () => block.appendBytes(new Uint8Array(1)),
      () => block.reserve(1),
    ]) {
      expect(change).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    const used = pool.kernel.usedBytes;
    index.free();
    block.free();
    expect(pool.kernel.usedBytes).toBe(used);
    await expect(pool.search(index, { query: queries[0]!, k: 5 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const hits of await Promise.all(asked)) expect(hits).toEqual(expected);
    expect(pool.kernel.usedBytes).toBe(0);
  });

  test('takes and gives back indexes all day in the memory it has', async () => {
    const pool = await openPool({ threads: 1 });
    const block = fill(pool.kernel);
    let memory = 0;
    for (let round = 0; round < 60; round++) {
      const index = createHnsw(pool.kernel, { dim, metric: 'L2', m: 4, efConstruction: 10 });
      index.addFrom(block, 50);
      index.buildStep(50);
      await pool.search(index, { query: queries[0]!, k: 2 });
      index.free();
      if (round === 10) memory = pool.kernel.memoryBytes;
    }
    expect(pool.kernel.memoryBytes).toBe(memory);
  });

  test('a thread that dies refuses what it was at as WORKER_LOST; the others go on and another takes its place', async () => {
    const pool = await openPool({ script: new URL('../testing/dying-thread.ts', import.meta.url) });
    const block = fill(pool.kernel, 5_000);
    const scan = { query: queries[0]!, metric: 'L2' as const, k: 3 };
    const expected = block.scan(scan);
    for (let death = 0; death < 3; death++) {
      const deadly = pool.search(block, { ...scan, k: DEADLY_K }).catch(codeOf);
      expect(await deadly).toBe('WORKER_LOST');
      const after = await Promise.all(Array.from({ length: 50 }, () => pool.search(block, scan)));
      for (const hits of after) expect(hits).toEqual(expected);
    }
    expect(pool.threads).toBe(2);
    expect(pool.waiting).toBe(0);
    block.append(vectors); // nothing is held any more
  });

  test('cannot start when its threads cannot: an error, not silence', async () => {
    const script = new URL('./no-such-thread.ts', import.meta.url);
    await expect(createSearchPool({ threads: 2, script, maxBytes: 2 ** 26 })).rejects.toMatchObject({ code: 'WORKER_LOST' });
    await expect(createSearchPool({ threads: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(createSearchPool({ maxBytes: 2 ** 20 })).rejects.toMatchObject({ code: 'MEMORY_LIMIT' });
  });

  test('a search that is given up is withdrawn where it waits: in the queue at once, at its thread when its turn comes; the others are answered', async () => {
    const pool = await openPool({ threads: 1 });
    const many = 300_000;
    const block = pool.kernel.createBlock({ dim: 1, capacity: many, screen: false });
    block.append(new Float32Array(many));
    const scan = { query: Float32Array.of(1), metric: 'L2' as const, k: 3 };
    const expected = block.scan(scan);
    const callers = Array.from({ length: 60 }, () => new AbortController());
    const order: number[] = [];
    const asked = callers.map(({ signal }, at) =>
      pool
        .search(block, scan, signal)
        .catch(codeOf)
        .finally(() => order.push(at)),
    );
    await Promise.resolve();
    // The first batch runs, the second waits at the thread, the rest here.
    for (const [at, caller] of callers.entries()) if (at % 2 === 1 && at >= 17) caller.abort();
    const answers = await Promise.all(asked);
    for (const [at, answer] of answers.entries()) expect(answer).toEqual(at % 2 === 1 && at >= 17 ? 'ABORTED' : expected);
    expect(order.indexOf(59)).toBeLessThan(order.indexOf(0));
    expect(await pool.search(block, scan, AbortSignal.abort()).catch(codeOf)).toBe('ABORTED');
    expect(pool.waiting).toBe(0);
    // Numbers are used again, and mean nothing of before.
    for (let round = 0; round < 5; round++) {
      const again = await Promise.all(callers.map(() => pool.search(block, { ...scan, k: 1 })));
      expect(again.every(({ offsets }) => offsets.length === 1)).toBe(true);
    }
    block.append(Float32Array.of(1)); // nothing is held any more
  });

  test('closed, it refuses what waits and what comes; its kernel stays', async () => {
    const pool = await openPool();
    const block = fill(pool.kernel);
    const scan = { query: queries[0]!, metric: 'L2' as const, k: 3 };
    const asked = Array.from({ length: 200 }, () => pool.search(block, scan).then(() => 'answered', codeOf));
    await pool.close();
    expect(new Set(await Promise.all(asked))).toContain('ABORTED');
    await expect(pool.search(block, scan)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(pool.threads).toBe(0);
    expect(block.scan(scan).offsets.length).toBe(3);
    await pool.close();
  });

  test('many searches of everything at once give what one after the other gives', async () => {
    const pool = await openPool({ threads: 3 });
    const block = fill(pool.kernel);
    const [coded, floats] = [graph(pool.kernel, block), graph(pool.kernel, block, 'f32')];
    const noise = makeVectors({ shape: 'normal', rows: 50, dim, seed: 8 });
    const asked = Array.from({ length: 600 }, (_, at) => {
      const query = noise.slice((at % 50) * dim, ((at % 50) + 1) * dim);
      if (at % 3 === 0)
        return [pool.search(block, { query, metric: 'IP', k: 4 }), () => block.scan({ query, metric: 'IP', k: 4 })] as const;
      const index = at % 3 === 1 ? coded : floats;
      return [pool.search(index, { query, k: 4, ef: 20, block }), () => index.search({ query, k: 4, ef: 20, block })] as const;
    });
    for (const [given, expected] of asked) expect(await given).toEqual(expected());
  });
});
