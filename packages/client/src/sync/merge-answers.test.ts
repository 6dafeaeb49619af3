import { type CollectionDefinition, defineSchema, f } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { contentVersion, mergeHits, orderOf } from './merge-answers.ts';
import { underOutbox } from './under-outbox.ts';

const definition = defineSchema({ notes: { title: f.text(), due: f.date().nullable() } }).definition.collections[
  'notes'
] as CollectionDefinition;
const row = { key: 'a', entity: { id: 'a', title: 'theirs' } };

describe('a row of the server under the outbox', () => {
  it('is as it came where nothing was written', () => {
    expect(underOutbox(definition, row, [])).toEqual({ entity: row.entity, isPending: false });
  });

  it('has the patched fields that were asked for, in their public form, the last one counting', () => {
    const patch = (fields: object) => ({ type: 'patch' as const, pk: 'a', fields: fields as never });
    const patched = underOutbox(definition, row, [patch({ title: 'mine', due: 5 }), patch({ title: 'mine, again' })]);
    expect(patched).toEqual({ entity: { id: 'a', title: 'mine, again' }, isPending: true });
    expect(row.entity.title).toBe('theirs');
    const dated = underOutbox(definition, { key: 'a', entity: { id: 'a', due: null } }, [patch({ due: '1970-01-01T00:00:00.005Z' })]);
    expect(Object.keys(dated.entity!)).toEqual(['id', 'due']);
  });

  it('is not shown when this device deleted it, or put another in its place', () => {
    expect(underOutbox(definition, row, [{ type: 'delete', pk: 'a' }]).entity).toBeUndefined();
    expect(underOutbox(definition, row, [{ type: 'put', pk: 'a', fields: {}, create: false }]).entity).toBeUndefined();
  });
});

describe('answers of two sides', () => {
  it('have the same number for the same content, and another one for other content', () => {
    const entity = { id: 1n, vec: new Float32Array([1, 2]), due: new Date(5), tags: ['a'] };
    expect(contentVersion(entity)).toBe(contentVersion({ ...entity, vec: new Float32Array([1, 2]) }));
    for (const other of [{ vec: new Float32Array([1, 3]) }, { id: 2n }, { due: new Date(6) }, { tags: [] }])
      expect(contentVersion({ ...entity, ...other })).not.toBe(contentVersion(entity));
    expect(contentVersion(entity)).toBeLessThan(0);
  });

  it('are merged by score, or by rank where scores cannot be compared, and keep what they say of their parts', () => {
    const hit = (key: string, score: number, more: object = {}) =>
      ({ key, score, entity: {}, from: 'local', pending: false, version: 1, ...more }) as never;
    const parts = [{ name: 'keyword', score: 3, rank: 1 }];
    expect(mergeHits([hit('a', 5), hit('b', 1)], [hit('c', 4)], false).map(({ key }) => key)).toEqual(['a', 'c', 'b']);
    const ranked = mergeHits([hit('a', 5), hit('b', 4)], [hit('c', 90, { parts })], true);
    expect(ranked.map(({ key }) => key)).toEqual(['a', 'c', 'b']);
    expect(ranked[1]).toMatchObject({ key: 'c', parts });
  });

  it('are ordered as the engine orders: nulls last, either way', () => {
    const rows = [{ n: null }, { n: 2 }, { n: 1 }];
    expect([...rows].sort(orderOf({ field: 'n' })).map(({ n }) => n)).toEqual([1, 2, null]);
    expect([...rows].sort(orderOf([{ field: 'n', order: 'desc' }])).map(({ n }) => n)).toEqual([2, 1, null]);
  });
});
