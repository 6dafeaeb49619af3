/**
 * One condition over one column of a segment: by a look at the column, and by each kind of scalar index that the column can have; by the share of rows
 * for which it is true, and by the share of rows that are still asked (the others are deleted, or other conditions left them out). `ns` are
 * nanoseconds per row of the segment, of the fastest quarter of runs. The figures behind the constants of the engine's `find-rows.ts`; tables in
 * `docs/benchmarks/filter.md`.
 */
import { leafMask, openScalarFile, scalarFile, structuresOf } from '@terndb/engine/testing';
import { percentile, report, round, tiny } from './lib/report.ts';

type Block = Parameters<typeof leafMask>[0];
type Leaf = Parameters<typeof leafMask>[2];
type Column = NonNullable<ReturnType<Block['column']>>;

const seed = Number(process.env['BENCH_SEED'] ?? 1);
const sizes = tiny ? [2_000] : [100_000, 1_000_000];
const shares = [0.0001, 0.001, 0.01, 0.1, 0.5];
const asked = [1, 0.1, 0.01];
const runs = tiny ? 2 : 24;

/** mulberry32: the same numbers everywhere. */
let state = seed >>> 0;
function uniform(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

interface Case {
  readonly type: string;
  readonly column: Column;
  readonly leafOf: (share: number) => Leaf;
}

const TERMS = 10_000;
const below = (value: number | bigint | string): Leaf => ({ type: 'compare', field: 'x', operator: 'lt', value });
const nameOf = (term: number): string => `term-${String(term).padStart(6, '0')}`;

function keywords(rows: number, terms: number): Extract<Column, { kind: 'keyword' }> {
  const codes = Uint32Array.from({ length: rows }, () => Math.floor(uniform() * terms));
  return { kind: 'keyword', codes, dictionary: Array.from({ length: terms }, (_, term) => nameOf(term)), validity: null };
}

function strings(rows: number): Column {
  const width = 'some-name-000000000'.length;
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, row) => row * width);
  const bytes = new Uint8Array(rows * width);
  const encoder = new TextEncoder();
  for (let row = 0; row < rows; row++)
    bytes.set(encoder.encode(`some-name-${String(Math.floor(uniform() * 1e9)).padStart(9, '0')}`), row * width);
  return { kind: 'string', offsets, bytes, validity: null };
}

function casesOf(rows: number): Case[] {
  const numbers = Float64Array.from({ length: rows }, uniform);
  const integers = BigInt64Array.from(numbers, (value) => BigInt(Math.floor(value * 1e12)));
  const items = keywords(rows * 3, TERMS);
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, row) => row * 3);
  const few = keywords(rows, 16);
  return [
    { type: 'number', column: { kind: 'number', values: numbers, validity: null }, leafOf: below },
    { type: 'int64', column: { kind: 'int64', values: integers, validity: null }, leafOf: (share) => below(Math.floor(share * 1e12)) },
    { type: 'keyword of 10,000', column: keywords(rows, TERMS), leafOf: (share) => below(nameOf(Math.round(share * TERMS))) },
    { type: 'keyword of 16', column: few, leafOf: (share) => below(nameOf(Math.ceil(share * 16))) },
    { type: 'text', column: strings(rows), leafOf: (share) => below(`some-name-${String(Math.floor(share * 1e9)).padStart(9, '0')}`) },
    {
      type: '100 of 10,000 numbers',
      column: { kind: 'number', values: numbers.map((value) => Math.floor(value * TERMS)), validity: null },
      leafOf: () => ({ type: 'in', field: 'x', values: Array.from({ length: 100 }, (_, i) => i * 97), negated: false }),
    },
    {
      type: 'lists of 3 keywords',
      column: { kind: 'list', offsets, items, validity: null },
      leafOf: (share) => ({
        type: 'contains',
        field: 'x',
        mode: 'any',
        values: Array.from({ length: Math.max(1, Math.round((1 - (1 - share) ** (1 / 3)) * TERMS)) }, (_, i) => nameOf(i)),
      }),
    },
  ];
}

function maskOf(rows: number, share: number): Uint32Array {
  const mask = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row++) if (share === 1 || uniform() < share) mask[row >>> 5]! |= 1 << (row & 31);
  return mask;
}

function nsPerRow(rows: number, work: () => unknown): number {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
  }
  return round((percentile(times, 0.25) * 1e6) / rows, 3);
}

for (const rows of sizes) {
  const masks = asked.map((share) => ({ share, mask: maskOf(rows, share) }));
  for (const { type, column, leafOf } of casesOf(rows)) {
    const plain = { rows, column: () => column } as unknown as Block;
    // A bitmap per value of a column of many is a file of gigabytes: nobody gets one.
    const structures = structuresOf(column).filter((structure) => structure !== 'bitmap' || type === 'keyword of 16');
    const indexes = structures.map((structure) => {
      const start = performance.now();
      const file = scalarFile(column, rows, structure);
      const buildMs = performance.now() - start;
      return { structure, buildMs: round(buildMs), bytesPerRow: round(file.length / rows, 2), index: openScalarFile(file, column, rows) };
    });
    for (const { structure, buildMs, bytesPerRow } of indexes)
      report('filter', { part: 'build', seed, rows, type, structure, buildMs, bytesPerRow });
    for (const share of type.startsWith('100') ? [0.01] : shares) {
      const leaf = leafOf(share);
      for (const { share: askedShare, mask } of masks) {
        const columnNs = nsPerRow(rows, () => leafMask(plain, 'id', leaf, false, mask));
        const expected = leafMask(plain, 'id', leaf, false, mask);
        const ns: Record<string, number | null> = { column: columnNs };
        const chosen: string[] = [];
        for (const { structure, index } of indexes) {
          const block = {
            ...plain,
            // Found anew each time, and used whatever the plan says.
            index: () => ({
              find: (one: Parameters<typeof index.find>[0]) => {
                const found = index.find(one);
                return found === undefined ? undefined : { ...found, paysOver: () => true };
              },
            }),
          } as unknown as Block;
          const found = index.find(leaf as Parameters<typeof index.find>[0]);
          if (found === undefined) continue;
          const bits = mask.reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0);
          if (found.paysOver(bits)) chosen.push(structure);
          const rowsFound = leafMask(block, 'id', leaf, false, mask);
          if (rowsFound.some((word, at) => word !== expected[at])) throw new Error(`${type}, ${structure}: other rows than by the column`);
          ns[structure] = nsPerRow(rows, () => leafMask(block, 'id', leaf, false, mask));
        }
        report('filter', { part: 'condition', seed, rows, type, share, asked: askedShare, ns, chosen, runs });
      }
    }
  }
}
