import type { ScalarValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { PartitionView } from '../../database/types.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';
import { testSchema } from '../../testing/test-channel.ts';
import { verdictOf } from './statistics.ts';
import { type ValueLeaf, valueTest } from './value-test.ts';

const compare = (operator: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte', value: ScalarValue): ValueLeaf => ({
  type: 'compare',
  field: 'x',
  operator,
  value,
});
const among = (...values: ScalarValue[]): ValueLeaf => ({ type: 'in', field: 'x', values, negated: false });
const stats = (min: ScalarValue | null, max: ScalarValue | null) => ({ min, max, nulls: 1, distinct: null });

describe('statistics of a segment', () => {
  it.each([
    [compare('gt', 10), 1, 10, 'none'],
    [compare('gte', 10), 1, 10, 'some'],
    [compare('lt', 11), 1, 10, 'all'],
    [compare('lte', 9), 1, 10, 'some'],
    [compare('eq', 0), 1, 10, 'none'],
    [compare('eq', 5), 5, 5, 'all'],
    [compare('ne', 5), 5, 5, 'none'],
    [compare('ne', 11), 1, 10, 'all'],
    [compare('eq', 2n ** 62n), 1, 10, 'none'],
    [compare('gt', 5), -(2n ** 63n), 4n, 'none'],
    [compare('lt', 'b'), 'c', 'd', 'none'],
    [compare('eq', true), false, false, 'none'],
    [compare('eq', 'a'), 1, 10, 'some'],
    [among(0, 11), 1, 10, 'none'],
    [among(0, 5), 1, 10, 'some'],
    [among('a'), 1, 10, 'some'],
    [among(), 1, 10, 'none'],
  ] as const)('%o of values from %s to %s: %s', (leaf, min, max, verdict) => {
    expect(verdictOf(leaf, stats(min, max))).toBe(verdict);
  });

  it('say nothing where there are none, and of leaves that have no order', () => {
    expect(verdictOf(compare('gt', 10), undefined)).toBe('some');
    expect(verdictOf(compare('gt', 10), stats(null, null))).toBe('some');
    expect(verdictOf({ type: 'like', field: 'x', pattern: 'z%' }, stats('a', 'b'))).toBe('some');
  });

  it('are known of sealed rows, and not of growing ones', async () => {
    const engine = await openEngine({ ports: await memoryPorts(), schema: testSchema });
    engine.write({
      type: 'put',
      collection: 'things',
      entities: [
        { key: 'a', rank: 3 },
        { key: 'b', rank: 8 },
      ],
    });
    await engine.seal();
    engine.write({ type: 'put', collection: 'things', entities: [{ key: 'c', rank: 1 }] });
    const [{ view }] = engine.views('things') as [PartitionView];
    expect(view.blocks.map((block) => block.stats?.('rank'))).toEqual([{ min: 3, max: 8, nulls: 0, distinct: 2 }, undefined]);
    view.release();
    const keys = (where: object): unknown[] => [...engine.query({ collection: 'things', where }).keys];
    expect([keys({ rank: { lt: 3 } }), keys({ rank: { gt: 8 } }), keys({ rank: { gte: 3 } })]).toEqual([['c'], [], ['a', 'b']]);
    await engine.close();
  });

  it('never say what the values do not', () => {
    const told = { all: 0, none: 0, some: 0 };
    const values = fc.oneof(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom('a', 'b', 'c', 'aa'), { minLength: 1, maxLength: 4 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
      fc.array(fc.constantFrom(-1, 2, 2n ** 60n, -(2n ** 60n)), { minLength: 1, maxLength: 3 }),
    ) as fc.Arbitrary<ScalarValue[]>;
    const constant = fc.constantFrom<ScalarValue>(-3, 0, 2, 3, 'a', 'bb', 'c', true, false, 2n ** 60n);
    const leaf = fc.oneof(
      fc
        .tuple(fc.constantFrom('eq', 'ne', 'lt', 'lte', 'gt', 'gte'), constant)
        .map(([operator, value]) => compare(operator as 'eq', value)),
      fc.array(constant, { maxLength: 3 }).map((list) => among(...list)),
    );
    fc.assert(
      fc.property(values, leaf, (all, one) => {
        const sorted = [...all].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const verdict = verdictOf(one, stats(sorted[0]!, sorted.at(-1)!));
        const passing = all.filter(valueTest(one) as (value: ScalarValue) => boolean).length;
        told[verdict] += 1;
        if (verdict === 'none') expect(passing).toBe(0);
        if (verdict === 'all') expect(passing).toBe(all.length);
      }),
      propertyOptions(2_000),
    );
    for (const count of Object.values(told)) expect(count).toBeGreaterThan(50);
  });
});
