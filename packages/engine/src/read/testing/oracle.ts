import { comparePrimaryKeys, evaluateFilter, type FilterNode, type PrimaryKey, type StoredValue } from '@terndb/core';
import { setOffsets } from '../../bitmap/bitmap.ts';
import type { ReadContext } from '../context.ts';
import type { OrderTerm } from '../request.ts';

/** A visible row, as the naive readers of the tests see it. */
export interface OracleRow {
  readonly key: PrimaryKey;
  readonly partition: number;
  read(field: string): StoredValue;
}

/** Every visible row that passes, by key, then by partition. */
export function oracleRows(context: ReadContext, node: FilterNode): OracleRow[] {
  const rows = context.partitions.flatMap(({ view }, partition) =>
    view.blocks.flatMap((block) =>
      Array.from(setOffsets(block.live), (offset) => ({
        key: block.keyAt(offset),
        partition,
        read: (field: string) => block.valueAt(field, offset),
      })),
    ),
  );
  return rows
    .filter((row) => evaluateFilter(node, row.read) === true)
    .sort((a, b) => comparePrimaryKeys(a.key, b.key) || a.partition - b.partition);
}

/** A stable sort of rows already ordered by key. */
export function oracleOrder(rows: readonly OracleRow[], order: readonly OrderTerm[]): OracleRow[] {
  return rows.toSorted((a, b) => {
    for (const { field, descending } of order) {
      const [x, y] = [a.read(field), b.read(field)];
      if (x === null && y === null) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      if (x !== y) return (x < y ? -1 : 1) * (descending ? -1 : 1);
    }
    return 0;
  });
}

export function names(rows: readonly { readonly key: PrimaryKey; readonly partition: number }[]): string[] {
  return rows.map((row) => `${row.partition}/${row.key}`);
}
