import { assertNever } from '../errors/assert.ts';
import type { ScalarValue } from '../value/value.ts';
import type { CompareOperator, FilterNode } from './ast.ts';

const SYMBOLS: { readonly [Op in CompareOperator]: string } = { eq: '==', ne: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' };

/** A filter as text, for logs and test messages; not a language to be read back. */
export function printFilter(node: FilterNode): string {
  switch (node.type) {
    case 'true':
      return 'true';
    case 'and':
    case 'or':
      return `(${node.nodes.map(printFilter).join(` ${node.type} `)})`;
    case 'not':
      return `not ${printFilter(node.node)}`;
    case 'compare':
      return `${node.field} ${SYMBOLS[node.operator]} ${printScalar(node.value)}`;
    case 'in':
      return `${node.field} ${node.negated ? 'not in' : 'in'} ${printScalars(node.values)}`;
    case 'like':
      return `${node.field} like ${printScalar(node.pattern)}`;
    case 'isNull':
      return `${node.field} is ${node.negated ? 'not null' : 'null'}`;
    case 'contains':
      return `${node.field} contains ${node.mode} ${printScalars(node.values)}`;
    case 'arrayLength':
      return `length(${node.field}) ${SYMBOLS[node.operator]} ${node.value}`;
    case 'match':
      return `${node.field} ${node.mode === 'any' ? 'match' : 'phrase'} ${printScalar(node.text)}`;
    default:
      return assertNever(node, 'filter node');
  }
}

function printScalars(values: readonly ScalarValue[]): string {
  return `[${values.map(printScalar).join(', ')}]`;
}

function printScalar(value: ScalarValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
