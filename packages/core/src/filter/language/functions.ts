import { MAX_MINIMUM_MATCH, MAX_SLOP } from '../../limits.ts';
import { isVectorField, type TextField } from '../../schema/lookup.ts';
import { analyzerPart } from '../compile-where.ts';
import { toElement } from './columns.ts';
import { likePattern, placeOf, predicate, textOf } from './comparisons.ts';
import { type FilterContext, invalid, unsupported } from './context.ts';
import { type Column, describeColumn, describeOperand, isList, type Operand, type Predicate } from './operand.ts';

/** `name(arguments)`. `options` are the named ones (`minimum_should_match=2`). */
export interface Call {
  /** In lower case. */
  readonly name: string;
  readonly offset: number;
  readonly operands: readonly Operand[];
  readonly minimum?: bigint;
}
type CallFunction = (context: FilterContext, call: Call) => Operand;

const FUNCTIONS: Readonly<Record<string, CallFunction>> = {
  text_match: matchText,
  phrase_match: matchPhrase,
  array_length: arrayLength,
  empty: isEmpty,
  starts_with: startsWith,
};
for (const kind of ['json', 'array']) {
  const functions = FUNCTIONS as Record<string, CallFunction>;
  functions[`${kind}_contains`] = (context, call) => contains(context, call, 'one');
  functions[`${kind}_contains_any`] = (context, call) => contains(context, call, 'any');
  functions[`${kind}_contains_all`] = (context, call) => contains(context, call, 'all');
}
const UNSUPPORTED: Readonly<Record<string, string>> = {
  random_sample: 'a page, a count and a live result of one filter must agree; choose keys at random instead',
  text_match_fuzzy: 'use text_match, or search by text',
  element_filter: 'there are no arrays of structs',
  match_all: 'there are no arrays of structs',
  match_any: 'there are no arrays of structs',
  match_least: 'there are no arrays of structs',
  match_most: 'there are no arrays of structs',
  match_exact: 'there are no arrays of structs',
};

export function callFunction(context: FilterContext, call: Call): Operand {
  const { name, offset } = call;
  if (name.startsWith('st_')) throw unsupported(context, offset, name, 'there are no geometry fields');
  if (Object.hasOwn(UNSUPPORTED, name)) throw unsupported(context, offset, name, UNSUPPORTED[name]!);
  if (!Object.hasOwn(FUNCTIONS, name)) throw invalid(context, offset, `function (${Object.keys(FUNCTIONS).join(', ')})`, `'${name}'`);
  if (call.minimum !== undefined && name !== 'text_match') throw invalid(context, offset, 'no minimum_should_match', name);
  return FUNCTIONS[name]!(context, call);
}

function columnAt(context: FilterContext, { name, offset, operands }: Call, count: number): Column {
  if (operands.length !== count) throw invalid(context, offset, `${name} of ${count} arguments`, `${operands.length}`);
  const first = operands[0]!;
  if (first.kind !== 'column' || first.shiftMs !== 0) throw invalid(context, first.offset, `field in ${name}`, describeOperand(first));
  return first;
}

function contains(context: FilterContext, call: Call, mode: 'one' | 'any' | 'all'): Predicate {
  const column = columnAt(context, call, 2);
  if (column.class !== 'json' && column.class !== 'list')
    throw invalid(context, column.offset, `array field or json path in ${call.name}`, describeColumn(column));
  const wanted = call.operands[1]!;
  if (wanted.kind !== 'constant') throw invalid(context, wanted.offset, `constant in ${call.name}`, describeOperand(wanted));
  if (mode !== 'one' && !isList(wanted.value)) throw invalid(context, wanted.offset, `list in ${call.name}`, describeOperand(wanted));
  const items = mode !== 'one' && isList(wanted.value) ? wanted.value : [wanted.value];
  const values = items.map((item) => toElement(context, column, wanted, item));
  return predicate(context, call.offset, { type: 'contains', ...placeOf(column), mode: mode === 'all' ? 'all' : 'any', values });
}

function arrayLength(context: FilterContext, call: Call): Operand {
  const column = columnAt(context, call, 1);
  if (column.class !== 'json' && column.class !== 'list')
    throw invalid(context, column.offset, 'array field or json path in array_length', describeColumn(column));
  return { kind: 'length', offset: call.offset, column };
}

function searchable(context: FilterContext, call: Call): TextField {
  const column = columnAt(context, call, 2);
  const { field } = column;
  if ((field.type !== 'text' && field.type !== 'collabText') || !field.params.search)
    throw invalid(context, column.offset, `text field with { search: true } in ${call.name}`, describeColumn(column));
  return field;
}

function matchText(context: FilterContext, call: Call): Predicate {
  const field = searchable(context, call);
  const { minimum } = call;
  if (minimum !== undefined && (minimum < 1n || minimum > MAX_MINIMUM_MATCH))
    throw invalid(context, call.offset, `minimum_should_match from 1 to ${MAX_MINIMUM_MATCH}`, `${minimum}`);
  const text = textOf(context, call.operands[1]!);
  const option = minimum === undefined || minimum === 1n ? {} : { minimum: Number(minimum) };
  return predicate(context, call.offset, { type: 'match', field: field.name, mode: 'any', text, ...option, ...analyzerPart(field) });
}

function matchPhrase(context: FilterContext, call: Call): Predicate {
  const [column, words, slop] = call.operands;
  const field = searchable(context, slop === undefined ? call : { ...call, operands: [column!, words!, ...call.operands.slice(3)] });
  return predicate(context, call.offset, {
    type: 'match',
    field: field.name,
    mode: 'phrase',
    text: textOf(context, words!),
    ...slopPart(context, slop),
    ...analyzerPart(field),
  });
}

function slopPart(context: FilterContext, slop: Operand | undefined): { readonly slop?: number } {
  if (slop === undefined) return {};
  if (slop.kind !== 'constant' || typeof slop.value !== 'bigint' || slop.value < 0n || slop.value > MAX_SLOP)
    throw invalid(context, slop.offset, `slop from 0 to ${MAX_SLOP}`, describeOperand(slop));
  return slop.value === 0n ? {} : { slop: Number(slop.value) };
}

function stringColumn(context: FilterContext, call: Call, count: number): Column {
  const column = columnAt(context, call, count);
  if (column.class !== 'string') throw invalid(context, column.offset, `string field in ${call.name}`, describeColumn(column));
  return column;
}

function isEmpty(context: FilterContext, call: Call): Predicate {
  return predicate(context, call.offset, { type: 'compare', ...placeOf(stringColumn(context, call, 1)), operator: 'eq', value: '' });
}

function startsWith(context: FilterContext, call: Call): Predicate {
  const column = stringColumn(context, call, 2);
  const prefix = call.operands[1]!;
  const pattern = `${textOf(context, prefix).replaceAll(/[\\%_]/g, '\\$&')}%`;
  return likePattern(context, column, { kind: 'constant', offset: prefix.offset, value: pattern, bare: false });
}

/** `exists path`: there is something other than null. The same as `path is not null`. */
export function exists(context: FilterContext, offset: number, operand: Operand): Predicate {
  if (operand.kind !== 'column' || operand.class !== 'json' || operand.path?.length === 0)
    throw invalid(context, operand.offset, 'path into a json field behind exists', describeOperand(operand));
  return predicate(context, offset, { type: 'isNull', ...placeOf(operand), negated: true });
}

export function nullTest(context: FilterContext, column: Column, negated: boolean): Predicate {
  if (isVectorField(column.field))
    throw invalid(context, column.offset, 'field other than a vector before is null', describeColumn(column));
  if (column.field.type === 'array' && column.path !== undefined)
    throw invalid(context, column.offset, 'whole array before is null', describeColumn(column));
  // The whole of a json field: JSON's null is its null.
  return predicate(context, column.offset, { type: 'isNull', ...placeOf(column), negated });
}
