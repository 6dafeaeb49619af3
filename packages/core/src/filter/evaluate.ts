import { assertNever } from '../errors/assert.ts';
import { tokenize } from '../text/tokenize.ts';
import type { ScalarValue, StoredValue } from '../value/value.ts';
import type { CompareOperator, FilterNode } from './ast.ts';
import { compileLike } from './like.ts';

/** True, false, or unknown (null): Kleene's logic, as SQL's. */
export type Truth = true | false | null;
type Leaf = Extract<FilterNode, { readonly field: string }>;
type TextTest = (text: string) => boolean;

/** Compiled `like` and `match` nodes: a filter is asked once per row. Nodes are immutable. */
const textTests = new WeakMap<FilterNode, TextTest>();

/**
 * A filter on one row. `get` gives the stored value of a field, null where there is none. A leaf on a null field is unknown, `isNull` never;
 * only rows that are `true` pass. The reference that faster evaluators must agree with.
 */
export function evaluateFilter(node: FilterNode, get: (field: string) => StoredValue): Truth {
  switch (node.type) {
    case 'true':
      return true;
    case 'not': {
      const truth = evaluateFilter(node.node, get);
      return truth === null ? null : !truth;
    }
    case 'and':
      return evaluateAll(node.nodes, get, false);
    case 'or':
      return evaluateAll(node.nodes, get, true);
    case 'isNull':
      return (get(node.field) === null) !== node.negated;
    default:
      return evaluateLeaf(node, get(node.field));
  }
}

/** `and` is decided by one false, `or` by one true; else one unknown makes it unknown. */
function evaluateAll(nodes: readonly FilterNode[], get: (field: string) => StoredValue, decisive: boolean): Truth {
  let truth: Truth = !decisive;
  for (const node of nodes) {
    const part = evaluateFilter(node, get);
    if (part === decisive) return decisive;
    if (part === null) truth = null;
  }
  return truth;
}

function evaluateLeaf(node: Exclude<Leaf, { readonly type: 'isNull' }>, value: StoredValue): Truth {
  if (value === null) return null;
  switch (node.type) {
    case 'compare':
      return compareScalars(value, node.operator, node.value);
    case 'in':
      return node.values.includes(value as ScalarValue) !== node.negated;
    case 'contains':
      return contains(value, node.mode, node.values);
    case 'arrayLength':
      return Array.isArray(value) && compareScalars(value.length, node.operator, node.value);
    case 'like':
    case 'match':
      return typeof value === 'string' && textTestOf(node)(value);
    default:
      return assertNever(node, 'filter node');
  }
}

/** Strings by code units, false before true, numbers and bigints by value. False, also for `ne`, where the kinds cannot be compared. */
function compareScalars(value: StoredValue, operator: CompareOperator, constant: ScalarValue): boolean {
  if (value === null || kindOf(value) !== kindOf(constant)) return false;
  const scalar = value as ScalarValue;
  switch (operator) {
    case 'eq':
      return scalar === constant;
    case 'ne':
      return scalar !== constant;
    case 'lt':
      return scalar < constant;
    case 'lte':
      return scalar <= constant;
    case 'gt':
      return scalar > constant;
    case 'gte':
      return scalar >= constant;
    default:
      return assertNever(operator, 'operator');
  }
}

function kindOf(value: StoredValue): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

/** All of nothing is true, any of nothing false. */
function contains(value: StoredValue, mode: 'any' | 'all', wanted: readonly ScalarValue[]): boolean {
  if (!Array.isArray(value)) return false;
  const items: readonly ScalarValue[] = value;
  return mode === 'any' ? wanted.some((one) => items.includes(one)) : wanted.every((one) => items.includes(one));
}

function textTestOf(node: Extract<FilterNode, { readonly type: 'like' | 'match' }>): TextTest {
  const known = textTests.get(node);
  if (known !== undefined) return known;
  const test = node.type === 'like' ? compileLike(node.pattern) : compileMatch(node.mode, node.text);
  textTests.set(node, test);
  return test;
}

/** Does a text hold any of the tokens of `wanted`, or all of them adjacent and in order? Nothing holds the tokens of a text without one. */
export function compileMatch(mode: 'any' | 'phrase', wanted: string): TextTest {
  const tokens = tokenize(wanted);
  if (tokens.length === 0) return () => false;
  if (mode === 'phrase') return (text) => hasPhrase(tokenize(text), tokens);
  const set = new Set(tokens);
  return (text) => tokenize(text).some((token) => set.has(token));
}

function hasPhrase(tokens: readonly string[], phrase: readonly string[]): boolean {
  for (let start = tokens.indexOf(phrase[0]!); start >= 0; start = tokens.indexOf(phrase[0]!, start + 1)) {
    if (phrase.every((token, index) => tokens[start + index] === token)) return true;
  }
  return false;
}
