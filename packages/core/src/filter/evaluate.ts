import { assertNever } from '../errors/assert.ts';
import { analyzerOf } from '../text/analyzer.ts';
import { holdsPhrase } from '../text/phrase.ts';
import type { ScalarValue, StoredValue } from '../value/value.ts';
import { floatArithmetic, integerArithmetic } from './arithmetic.ts';
import type { CompareOperator, FilterNode, FilterPath, FilterValue, MatchNode } from './ast.ts';
import { compileLike } from './like.ts';
import { compilePath, type ReachedValue } from './path.ts';

/** True, false, or unknown (null): Kleene's logic, as SQL's. */
export type Truth = true | false | null;
type Leaf = Extract<FilterNode, { readonly field: string }>;
type Arithmetic = Extract<FilterNode, { readonly type: 'arithmetic' }>;
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
    case 'compareFields': {
      const [left, right] = [get(node.left), get(node.right)];
      return left === null || right === null ? null : compareScalars(left, node.operator, right as ScalarValue);
    }
    case 'isNull':
      return (valueAt(get(node.field), node.path) === null) !== node.negated;
    default:
      return evaluateLeaf(node, valueAt(get(node.field), 'path' in node ? node.path : undefined));
  }
}

function valueAt(stored: StoredValue, path: FilterPath | undefined): ReachedValue {
  return path === undefined ? stored : compilePath(path)(stored);
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

function evaluateLeaf(node: Exclude<Leaf, { readonly type: 'isNull' }>, value: ReachedValue): Truth {
  if (value === null) return null;
  switch (node.type) {
    case 'compare':
      return compareScalars(value, node.operator, node.value);
    case 'compareList':
      return Array.isArray(value) && equalValues(value, node.values) === (node.operator === 'eq');
    case 'arithmetic':
      return compareResult(value, node);
    case 'in':
      return node.values.includes(value as ScalarValue) !== node.negated;
    case 'contains':
      return listHolds(value, node.mode, node.values);
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
function compareScalars(value: ReachedValue, operator: CompareOperator, constant: ScalarValue): boolean {
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

function kindOf(value: ReachedValue | bigint): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function compareResult(value: ReachedValue | bigint, node: Arithmetic): boolean {
  const result = arithmeticResult(node, value);
  // By value, not `===`: a result beyond 64 bits has no normal form.
  if (result === undefined) return false;
  if (node.operator === 'eq' || node.operator === 'ne') return (result >= node.value && result <= node.value) === (node.operator === 'eq');
  return compareScalars(result as number, node.operator, node.value);
}

/** The left side of an `arithmetic` node for one value; undefined where it has none. */
export function arithmeticResult(node: Arithmetic, value: unknown): number | bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  return node.integer
    ? integerArithmetic(node.arithmetic, value, node.operand)
    : floatArithmetic(node.arithmetic, Number(value), Number(node.operand));
}

/** All of nothing is true, any of nothing false. */
export function listHolds(value: unknown, mode: 'any' | 'all', wanted: readonly FilterValue[]): boolean {
  if (!Array.isArray(value)) return false;
  const items: readonly unknown[] = value;
  const holds = (one: FilterValue): boolean =>
    typeof one === 'object' ? items.some((item) => equalValues(item, one)) : items.includes(one);
  return mode === 'any' ? wanted.some(holds) : wanted.every(holds);
}

/** Scalars of one normal form, or lists of them, however deep. */
export function equalValues(value: unknown, wanted: FilterValue): boolean {
  if (typeof wanted !== 'object') return value === wanted;
  return Array.isArray(value) && value.length === wanted.length && wanted.every((one, index) => equalValues(value[index], one));
}

function textTestOf(node: Extract<FilterNode, { readonly type: 'like' | 'match' }>): TextTest {
  const known = textTests.get(node);
  if (known !== undefined) return known;
  const test = node.type === 'like' ? compileLike(node.pattern) : compileMatch(node);
  textTests.set(node, test);
  return test;
}

/**
 * Does a text hold at least `minimum` of the different terms of the wanted text, or its phrase? Nothing holds the terms of a text without one,
 * and a `minimum` above their number is their number.
 */
export function compileMatch({ mode, text: wanted, minimum = 1, slop = 0, analyzer: option }: MatchNode): TextTest {
  const analyzer = analyzerOf(option);
  const phrase = analyzer.queryTokens(wanted);
  const terms = new Set(phrase.map(({ term }) => term));
  if (terms.size === 0) return () => false;
  const positionsIn = (text: string): ReadonlyMap<string, number[]> => {
    const found = new Map<string, number[]>();
    analyzer.tokens(text, (term, position) => {
      if (!terms.has(term)) return;
      const positions = found.get(term);
      if (positions === undefined) found.set(term, [position]);
      else if (positions.at(-1) !== position) positions.push(position);
    });
    return found;
  };
  if (mode === 'phrase') {
    return (text) => {
      const found = positionsIn(text);
      return found.size === terms.size && holdsPhrase(phrase, slop, (term) => found.get(term) ?? []);
    };
  }
  const needed = Math.max(1, Math.min(minimum, terms.size));
  return (text) => positionsIn(text).size >= needed;
}
