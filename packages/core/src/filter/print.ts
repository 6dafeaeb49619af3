import { assertNever } from '../errors/assert.ts';
import type { CollectionDefinition } from '../schema/definition.ts';
import { fieldOf } from '../schema/lookup.ts';
import type { ArithmeticOperator, CompareOperator, FilterNode, FilterPath, FilterValue, MatchNode } from './ast.ts';

const SYMBOLS: { readonly [Op in CompareOperator]: string } = { eq: '==', ne: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' };
const ARITHMETIC: { readonly [Op in ArithmeticOperator]: string } = { add: '+', sub: '-', mul: '*', div: '/', mod: '%' };
/** The language has no literal that is a predicate by itself. */
const ALWAYS = '1 == 1';

/**
 * A filter in the filter language. With the definition, which says what a number means (a date is written as one), `parseFilter` reads it back
 * as a filter that is true of the same rows; as the same tree, if the tree has no constant inside it and no group of fewer than two.
 */
export function printFilter(node: FilterNode, definition?: CollectionDefinition): string {
  return print(node, definition, false);
}

function print(node: FilterNode, definition: CollectionDefinition | undefined, nested: boolean): string {
  switch (node.type) {
    case 'true':
      return nested ? `(${ALWAYS})` : ALWAYS;
    case 'and':
    case 'or':
      return printGroup(node, definition, nested);
    case 'not':
      return `not (${print(node.node, definition, false)})`;
    case 'compare':
      return `${place(node)} ${SYMBOLS[node.operator]} ${constant(node.value, node.field, definition)}`;
    case 'compareList':
      return `${place(node)} ${SYMBOLS[node.operator]} ${list(node.values)}`;
    case 'compareFields':
      return `${node.left} ${SYMBOLS[node.operator]} ${node.right}`;
    case 'arithmetic':
      return `${place(node)} ${ARITHMETIC[node.arithmetic]} ${literal(node.operand)} ${SYMBOLS[node.operator]} ${literal(node.value)}`;
    case 'in':
      return `${place(node)} ${node.negated ? 'not in' : 'in'} [${node.values.map((value) => constant(value, node.field, definition)).join(', ')}]`;
    case 'like':
      return `${place(node)} like ${JSON.stringify(node.pattern)}`;
    case 'isNull':
      return `${place(node)} is ${node.negated ? 'not null' : 'null'}`;
    case 'contains':
      return `array_contains_${node.mode}(${place(node)}, ${list(node.values)})`;
    case 'arrayLength':
      return `array_length(${place(node)}) ${SYMBOLS[node.operator]} ${node.value}`;
    case 'match':
      return printMatch(node);
    default:
      return assertNever(node, 'filter node');
  }
}

function printGroup(
  node: Extract<FilterNode, { readonly type: 'and' | 'or' }>,
  definition: CollectionDefinition | undefined,
  nested: boolean,
): string {
  if (node.nodes.length === 0)
    return print(node.type === 'and' ? { type: 'true' } : { type: 'not', node: { type: 'true' } }, definition, nested);
  const text = node.nodes.map((part) => print(part, definition, node.nodes.length > 1)).join(` ${node.type} `);
  return nested ? `(${text})` : text;
}

function printMatch({ field, mode, text, minimum, slop }: MatchNode): string {
  const option = minimum !== undefined ? `, minimum_should_match=${minimum}` : slop !== undefined ? `, ${slop}` : '';
  return `${mode === 'any' ? 'text_match' : 'phrase_match'}(${field}, ${JSON.stringify(text)}${option})`;
}

function place({ field, path }: { readonly field: string; readonly path?: FilterPath }): string {
  return path === undefined ? field : printPath(field, path);
}

export function printPath(field: string, path: FilterPath): string {
  return `${field}${path.map((step) => `[${JSON.stringify(step)}]`).join('')}`;
}

function constant(value: FilterValue, field: string, definition: CollectionDefinition | undefined): string {
  const isDate = typeof value === 'number' && definition !== undefined && fieldOf(definition, field)?.type === 'date';
  return isDate ? `ISO '${new Date(value).toISOString()}'` : literal(value);
}

function literal(value: FilterValue): string {
  if (typeof value === 'object') return list(value);
  if (typeof value === 'string') return JSON.stringify(value);
  // Digits alone would be an integer, which has 64 bits.
  return typeof value === 'number' && Math.abs(value) >= 2 ** 63 ? value.toExponential() : String(value);
}

function list(values: readonly FilterValue[]): string {
  return `[${values.map(literal).join(', ')}]`;
}
