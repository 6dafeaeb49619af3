import { defineSchema, f } from '@terndb/core';
import { expect, test } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Engine } from '../database/types.ts';
import { memoryPorts } from '../testing/memory-ports.ts';

const schema = defineSchema({
  notes: { title: f.text({ search: true }), stars: f.number(), extra: f.json().nullable(), at: f.date(), vec: f.vector(2) },
}).definition;
const entities = [
  { id: 'a', title: 'arctic tern', stars: 1, extra: { color: 'red', sizes: [1, 2] }, at: new Date('2025-01-01'), vec: [1, 0] },
  { id: 'b', title: 'common tern', stars: 2, extra: { color: 'green' }, at: new Date('2025-02-01'), vec: [1, 1] },
  { id: 'c', title: 'gull', stars: 3, extra: null, at: new Date('2025-03-01'), vec: [0, 1] },
];
const keys = (engine: Engine, filter: string, rest: object = {}) => engine.query({ collection: 'notes', filter, ...rest }).keys;

test('a filter text finds, counts, ranks and deletes, before and after rows are sealed and read again', async () => {
  const ports = await memoryPorts();
  const first = await openEngine({ ports, schema });
  first.write({ type: 'put', collection: 'notes', entities });
  const check = (engine: Engine): void => {
    expect(keys(engine, 'extra["color"] == "red"')).toEqual(['a']);
    expect(keys(engine, 'extra["color"] != "red"')).toEqual(['b']);
    expect(keys(engine, 'not exists extra["color"] or json_contains(extra["sizes"], 2)')).toEqual(['a', 'c']);
    expect(keys(engine, "at >= ISO '2025-02-01' and stars * 2 > 3")).toEqual(['b', 'c']);
    expect(keys(engine, 'text_match(title, {word})', { filterParams: { word: 'TERN' }, where: { stars: { gt: 1 } } })).toEqual(['b']);
    expect(engine.count({ collection: 'notes', filter: 'id in ["a", "c", "x"]' }).count).toBe(2);
    const { hits } = engine.search({ collection: 'notes', vector: [1, 0], field: 'vec', filter: '1 < stars <= 3' });
    expect(hits.map((hit) => hit.key)).toEqual(['b', 'c']);
  };
  check(first);
  await first.flush();
  await first.seal();
  check(first);
  await first.close();

  const again = await openEngine({ ports, schema });
  check(again);
  const ticket = again.write({ type: 'deleteBy', collection: 'notes', filter: 'stars >= {n}', filterParams: { n: 2 } });
  expect(ticket.keys).toEqual(['b', 'c']);
  expect(keys(again, '')).toEqual(['a']);
  expect(() => keys(again, 'stars >')).toThrow('filter at 7: value expected, got the end');
  await again.close();
});
