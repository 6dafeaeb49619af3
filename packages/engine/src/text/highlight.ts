import { analyzerOf } from '@terndb/core';
import type { SearchHighlight } from '../database/types.ts';
import type { RowRef } from '../read/context.ts';
import type { FieldQuery, KeywordQuery } from './keyword-query.ts';

/** Ranges of one field that a hit gives; what is beyond is not looked at. */
const MAX_RANGES = 256;

/** The fields in which a row holds a word of the query. Cost: tokenising the row's texts. */
export function highlightRow({ fields }: KeywordQuery, { block, offset }: RowRef): SearchHighlight[] {
  return fields.flatMap((query) => {
    const text = block.valueAt(query.field, offset);
    const ranges = typeof text === 'string' ? rangesIn(query, text) : [];
    return ranges.length === 0 ? [] : [{ field: query.field, ranges }];
  });
}

function rangesIn({ terms, asPrefix, analyzer }: FieldQuery, text: string): (readonly [number, number])[] {
  const wanted = new Set(terms);
  const prefix = asPrefix ? terms.at(-1) : undefined;
  const ranges: [number, number][] = [];
  analyzerOf(analyzer).tokens(text, (term, _position, start, end) => {
    if (!wanted.has(term) && (prefix === undefined || !term.startsWith(prefix))) return;
    const last = ranges.at(-1);
    // Pairs of characters overlap, and several terms may come of one word.
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else if (ranges.length < MAX_RANGES) ranges.push([start, end]);
  });
  return ranges;
}
