import { evaluateFilter } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setOffsets } from '../../bitmap/bitmap.ts';
import { matchKeys } from '../get.ts';
import { filtersOf, NAMED, NUMBERED, viewsOf } from '../testing/arbitraries.ts';
import { filterView, matchRows } from './evaluate.ts';

const runs = propertyOptions(2000);

describe.each([
  ['string keys', NAMED],
  ['int64 keys', NUMBERED],
])('a filter over columns, %s', (_name, definition) => {
  test('passes exactly the visible rows for which the row-wise evaluator says true', () => {
    let passed = 0;
    fc.assert(
      fc.property(viewsOf(definition), filtersOf(definition), ({ view }, node) => {
        for (const block of view.blocks) {
          const expected = Array.from(setOffsets(block.live)).filter(
            (offset) => evaluateFilter(node, (field) => block.valueAt(field, offset)) === true,
          );
          expect(Array.from(matchRows(block, node, definition))).toEqual(expected);
          passed += expected.length;
        }
      }),
      runs,
    );
    expect(passed).toBeGreaterThan(0);
  });

  test('finds the same rows through a key lookup as through a scan', () => {
    let looked = 0;
    fc.assert(
      fc.property(viewsOf(definition), filtersOf(definition), fc.array(fc.nat(40), { maxLength: 4 }), ({ view, live }, rest, picks) => {
        const keys = picks.flatMap((pick) => (pick < live.length ? [live[pick]!.key] : []));
        const node = { type: 'and' as const, nodes: [rest, { type: 'in' as const, field: 'id', values: keys, negated: false }] };
        const scanned = view.blocks.flatMap((block) => Array.from(matchRows(block, node, definition), (offset) => block.keyAt(offset)));
        const found = filterView(view, node, definition).flatMap(({ block, mask }) =>
          Array.from(setOffsets(mask), (offset) => block.keyAt(offset)),
        );
        expect(new Set(found)).toEqual(new Set(scanned));
        const [matched] = matchKeys([{ partition: '_default', view }], node, definition);
        expect(new Set(matched!.keys)).toEqual(new Set(scanned));
        looked += scanned.length;
      }),
      runs,
    );
    expect(looked).toBeGreaterThan(0);
  });
});
