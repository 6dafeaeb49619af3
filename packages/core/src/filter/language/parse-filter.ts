import { MAX_FILTER_LENGTH } from '../../limits.ts';
import type { CollectionDefinition } from '../../schema/definition.ts';
import { describe, isPlainObject } from '../../value/describe.ts';
import type { FilterNode } from '../ast.ts';
import { type FilterContext, invalid } from './context.ts';
import { finish } from './logic.ts';
import { Parser } from './parser.ts';

/**
 * From a filter in the filter language (`docs/filter.md`) to a filter tree. An empty or blank text is true of everything. `params` are the values
 * of its `{name}` templates: own properties of a plain object; those that the filter does not name are not looked at.
 * @throws FILTER_INVALID with `offset` (UTF-16 units), `expected` and `got`; `reason: 'unsupported'` for what Milvus has and Tern has not.
 * Cost: O(length of the text and of the params it names).
 */
export function parseFilter(definition: CollectionDefinition, collection: string, text: unknown, params?: unknown): FilterNode {
  return parseCounted(definition, collection, text, params).node;
}

/** Also says how many steps it took, for the test that these are proportional to the length. */
export function parseCounted(
  definition: CollectionDefinition,
  collection: string,
  text: unknown,
  params: unknown = {},
): { readonly node: FilterNode; readonly steps: number } {
  const context: FilterContext = { definition, collection, params: isPlainObject(params) ? params : {}, nodes: 0, values: 0 };
  if (typeof text !== 'string') throw invalid(context, 0, 'string', describe(text));
  if (!isPlainObject(params)) throw invalid(context, 0, 'object as filterParams', describe(params));
  if (text.length > MAX_FILTER_LENGTH) throw invalid(context, 0, `filter of at most ${MAX_FILTER_LENGTH} characters`, `${text.length}`);
  const parser = new Parser(context, text);
  if (parser.isEmpty) return { node: { type: 'true' }, steps: parser.steps };
  return { node: finish(context, parser.parse()), steps: parser.steps };
}
