import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { queryResult, queryWindow } from './query.ts';
import { filtersOf, NAMED, viewsOf } from './testing/arbitraries.ts';
import { memoryContext } from './testing/memory-view.ts';
import { names, oracleOrder, oracleRows } from './testing/oracle.ts';

const runs = propertyOptions(1000);
const orders = fc.array(
  fc.record({ field: fc.constantFrom('id', 'tag', 'big', 'price', 'stars', 'at', 'sold'), descending: fc.boolean() }),
  { maxLength: 3 },
);
const pages = fc.record({ offset: fc.nat(6), limit: fc.integer({ min: 1, max: 8 }) });

test('a query gives the page that a stable sort of all passing rows would, over segments, growing rows and partitions', () => {
  let rows = 0;
  fc.assert(
    fc.property(fc.array(viewsOf(NAMED), { maxLength: 3 }), filtersOf(NAMED), orders, pages, (views, node, order, page) => {
      const context = memoryContext(
        NAMED,
        views.map(({ view }) => view),
      );
      const plan = { node, order, page, select: { fields: ['id', 'price'] } };
      const sorted = oracleOrder(oracleRows(context, node), order);
      const expected = sorted.slice(page.offset, page.offset + page.limit);
      const window = queryWindow(context, plan);
      const result = queryResult(context, plan, window);
      expect(names(window.slice(page.offset))).toEqual(names(expected));
      expect(result.keys).toEqual(expected.map((row) => row.key));
      expect(result.entities).toEqual(expected.map((row) => ({ id: row.key, price: row.read('price') })));
      rows += expected.length;
    }),
    runs,
  );
  expect(rows).toBeGreaterThan(0);
});
