import { assertNever, compileLike, compileMatch, type FilterNode, type ScalarValue, type StoredValue } from '@terndb/core';
import { isScalar, OUTCOMES, outcomeOf } from './compare.ts';

/** A filter node that looks at one field. */
export type Leaf = Extract<FilterNode, { readonly field: string }>;
/** A leaf that is unknown where the field is null. */
export type ValueLeaf = Exclude<Leaf, { readonly type: 'isNull' }>;
export type ValueTest = (value: Exclude<StoredValue, null>) => boolean;

/**
 * The leaf as a test of one value that is not null; compiled once per block. This is the slow, general form: columns with a better
 * layout have their own. `in` ignores `negated`, which the caller applies.
 */
export function valueTest(leaf: ValueLeaf): ValueTest {
  switch (leaf.type) {
    case 'compare': {
      const outcomes = OUTCOMES[leaf.operator];
      return (value) => isScalar(value) && (outcomeOf(value, leaf.value) & outcomes) !== 0;
    }
    case 'in': {
      const wanted = new Set<StoredValue>(leaf.values);
      return (value) => wanted.has(value);
    }
    case 'like': {
      const matches = compileLike(leaf.pattern);
      return (value) => typeof value === 'string' && matches(value);
    }
    case 'contains':
      return containsTest(leaf.mode, leaf.values);
    case 'arrayLength': {
      const outcomes = OUTCOMES[leaf.operator];
      return (value) => Array.isArray(value) && (outcomeOf(value.length, leaf.value) & outcomes) !== 0;
    }
    case 'match': {
      const matches = compileMatch(leaf.mode, leaf.text);
      return (value) => typeof value === 'string' && matches(value);
    }
    default:
      return assertNever(leaf, 'filter leaf');
  }
}

function containsTest(mode: 'any' | 'all', values: readonly ScalarValue[]): ValueTest {
  return (value) => {
    if (!Array.isArray(value)) return false;
    const items = value as readonly ScalarValue[];
    return mode === 'any' ? values.some((wanted) => items.includes(wanted)) : values.every((wanted) => items.includes(wanted));
  };
}
