import { assertNever, type FilterPath, type ScalarValue, type StoredValue } from '@terndb/core';
import { andInto, andNotInto, countBits, createBitmap } from '../../bitmap/bitmap.ts';
import type { Column } from '../../columns/column.ts';
import { columnValue } from '../../columns/column-value.ts';
import { isIndexWorth, matchTexts } from '../../text/match-rows.ts';
import type { RowBlock } from '../../view/view.ts';
import { compareInt64s, compareKeywords, compareNumbers, OUTCOMES, rowsWhere } from './compare.ts';
import { indexedRows } from './indexed.ts';
import { keysPassing } from './keys.ts';
import { listsContain, listsOfLength } from './lists.ts';
import { copyMask, isEmptyMask, type Mask, type MaskView } from './mask.ts';
import { booleansIn, int64sIn, keywordsIn, keywordsLike, numbersIn } from './membership.ts';
import { presentRows } from './present.ts';
import { pathLeafMask } from './reach.ts';
import { verdictOf } from './statistics.ts';
import { compareStrings, stringsWhere } from './strings.ts';
import { type Leaf, type ValueLeaf, valueTest } from './value-test.ts';

/** Rows of `mask` for which the leaf, or with `negated` its negation, is true. A comparison with null is unknown and so neither. */
export function leafMask(block: RowBlock, keyField: string, leaf: Leaf, negated: boolean, mask: MaskView): Mask {
  const { rows } = block;
  if (hasPath(leaf)) return pathLeafMask(block, keyField, leaf, negated, mask);
  if (leaf.field === keyField) {
    if (leaf.type === 'isNull') return leaf.negated !== negated ? copyMask(mask, rows) : createBitmap(rows);
    return withSign(copyMask(mask, rows), keysPassing(block, leaf, valueTest(leaf), mask), isNegative(leaf, negated));
  }
  const column = block.column(leaf.field);
  if (column === undefined) return constantLeaf(block.valueAt(leaf.field, 0), leaf, negated, mask, rows);
  const present = presentRows(column, mask, rows);
  if (leaf.type === 'isNull') {
    if (leaf.negated !== negated) return present;
    const absent = copyMask(mask, rows);
    andNotInto(absent, present);
    return absent;
  }
  if (isEmptyMask(present)) return present;
  // Of lists they are those of the items.
  const verdict = column.kind === 'list' ? 'some' : verdictOf(leaf, block.stats?.(leaf.field));
  if (verdict !== 'some') return (verdict === 'all') !== isNegative(leaf, negated) ? present : createBitmap(rows);
  return withSign(present, valueHits(block, column, leaf, present), isNegative(leaf, negated));
}

/** Rows of `present` for which the leaf is true: from an index where that is cheaper than a look at the column. */
function valueHits(block: RowBlock, column: Column, leaf: ValueLeaf, present: Mask): Mask {
  const indexed = indexedRows(block, leaf);
  if (indexed?.paysOver(countBits(present))) {
    const hits = indexed.mask();
    andInto(hits, present);
    return indexed.isExact ? hits : columnHits(column, leaf, hits, block.rows);
  }
  if (leaf.type === 'match' && isIndexWorth(block, leaf.field, countBits(present))) return matchTexts(block, leaf, present);
  return columnHits(column, leaf, present, block.rows);
}

function hasPath(leaf: Leaf): leaf is Leaf & { readonly path: FilterPath } {
  return 'path' in leaf && leaf.path !== undefined;
}

/** `notIn` is `in` with the sign turned. */
function isNegative(leaf: ValueLeaf, negated: boolean): boolean {
  return leaf.type === 'in' ? leaf.negated !== negated : negated;
}

/** Takes over `present`. */
function withSign(present: Mask, hits: Mask, negative: boolean): Mask {
  if (!negative) return hits;
  andNotInto(present, hits);
  return present;
}

/** The block is older than the field: every row has the same value. */
function constantLeaf(value: StoredValue, leaf: Leaf, negated: boolean, mask: MaskView, rows: number): Mask {
  let truth: boolean;
  if (leaf.type === 'isNull') truth = (value === null) !== (leaf.negated !== negated);
  else truth = value !== null && valueTest(leaf)(value) !== isNegative(leaf, negated);
  return truth ? copyMask(mask, rows) : createBitmap(rows);
}

/** Rows of `present` for which the leaf is true. A kind that cannot satisfy it (a field that changed its type) satisfies nothing. */
function columnHits(column: Column, leaf: ValueLeaf, present: Mask, rows: number): Mask {
  switch (column.kind) {
    case 'number':
      if (leaf.type === 'compare') return compareNumbers(column.values, OUTCOMES[leaf.operator], Number(leaf.value), present, rows);
      if (leaf.type === 'arithmetic') return valuesWhere(column, leaf, present, rows);
      return leaf.type === 'in' ? numbersIn(column.values, leaf.values, present, rows) : createBitmap(rows);
    case 'int64':
      if (leaf.type === 'compare') return compareInt64s(column, OUTCOMES[leaf.operator], leaf.value as number | bigint, present, rows);
      if (leaf.type === 'arithmetic') return valuesWhere(column, leaf, present, rows);
      return leaf.type === 'in' ? int64sIn(column, leaf.values, present, rows) : createBitmap(rows);
    case 'boolean':
      if (leaf.type === 'compare')
        return compareNumbers(column.values, OUTCOMES[leaf.operator], leaf.value === true ? 1 : 0, present, rows);
      return leaf.type === 'in' ? booleansIn(column.values, leaf.values, present, rows) : createBitmap(rows);
    case 'keyword':
      if (leaf.type === 'compare') return compareKeywords(column, OUTCOMES[leaf.operator], leaf.value as string, present, rows);
      if (leaf.type === 'in') return keywordsIn(column, leaf.values, present, rows);
      return leaf.type === 'like' ? keywordsLike(column, leaf.pattern, present, rows) : createBitmap(rows);
    case 'string':
      if (leaf.type === 'compare') return compareStrings(column, OUTCOMES[leaf.operator], leaf.value as string, present, rows);
      return stringsWhere(column, valueTest(leaf), present, rows);
    case 'list':
      if (leaf.type === 'contains') return listsContain(column, leaf.mode, leaf.values as readonly ScalarValue[], present, rows);
      if (leaf.type === 'compareList') return valuesWhere(column, leaf, present, rows);
      return leaf.type === 'arrayLength' ? listsOfLength(column, OUTCOMES[leaf.operator], leaf.value, present, rows) : createBitmap(rows);
    case 'values':
      return valuesWhere(column, leaf, present, rows);
    case 'bytes':
    case 'sparse':
    case 'vector':
      return createBitmap(rows);
    default:
      return assertNever(column, 'column');
  }
}

/** For leaves that have no faster form. Every row of `present` has a value. */
function valuesWhere(column: Column, leaf: ValueLeaf, present: Mask, rows: number): Mask {
  const test = valueTest(leaf);
  return rowsWhere(present, rows, (row) => test(columnValue(column, row)!));
}
