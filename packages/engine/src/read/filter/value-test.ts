import {
  arithmeticResult,
  assertNever,
  compileLike,
  compileMatch,
  equalValues,
  type FilterNode,
  listHolds,
  type ReachedValue,
} from '@terndb/core';
import { isScalar, OUTCOMES, outcomeOf } from './compare.ts';

/** A filter node that looks at one field. */
export type Leaf = Extract<FilterNode, { readonly field: string }>;
/** A leaf that is unknown where the field is null. */
export type ValueLeaf = Exclude<Leaf, { readonly type: 'isNull' }>;
export type ValueTest = (value: Exclude<ReachedValue, null>) => boolean;

/**
 * The leaf as a test of one value that is not null, at the end of its path if it has one; compiled once per block. This is the slow, general form: columns with a better
 * layout have their own. `in` ignores `negated`, which the caller applies.
 */
export function valueTest(leaf: ValueLeaf): ValueTest {
  switch (leaf.type) {
    case 'compare': {
      const outcomes = OUTCOMES[leaf.operator];
      const numeric = typeof leaf.value !== 'string' && typeof leaf.value !== 'boolean';
      return (value) =>
        isScalar(value) &&
        isNumber(value) === numeric &&
        (numeric || typeof value === typeof leaf.value) &&
        (outcomeOf(value, leaf.value) & outcomes) !== 0;
    }
    case 'compareList':
      return (value) => Array.isArray(value) && equalValues(value, leaf.values) === (leaf.operator === 'eq');
    case 'arithmetic': {
      const outcomes = OUTCOMES[leaf.operator];
      return (value) => {
        const result = arithmeticResult(leaf, value);
        return result !== undefined && (outcomeOf(result, leaf.value) & outcomes) !== 0;
      };
    }
    case 'in': {
      const wanted = new Set<unknown>(leaf.values);
      return (value) => wanted.has(value);
    }
    case 'like': {
      const matches = compileLike(leaf.pattern);
      return (value) => typeof value === 'string' && matches(value);
    }
    case 'contains':
      return (value) => listHolds(value, leaf.mode, leaf.values);
    case 'arrayLength': {
      const outcomes = OUTCOMES[leaf.operator];
      return (value) => Array.isArray(value) && (outcomeOf(value.length, leaf.value) & outcomes) !== 0;
    }
    case 'match': {
      const matches = compileMatch(leaf);
      return (value) => typeof value === 'string' && matches(value);
    }
    default:
      return assertNever(leaf, 'filter leaf');
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
