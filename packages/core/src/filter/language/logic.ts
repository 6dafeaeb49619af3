import { MAX_FILTER_DEPTH } from '../../limits.ts';
import type { FilterNode } from '../ast.ts';
import { countNode, type FilterContext, invalid } from './context.ts';
import { type Constant, describeOperand, type Operand, type Predicate } from './operand.ts';

type Decided = Constant & { readonly value: boolean };

/** A boolean that an operation on constants gave. Beside a real condition a bare `true` is more likely a mistake than meant. */
function isDecided(operand: Operand): operand is Decided {
  return operand.kind === 'constant' && typeof operand.value === 'boolean';
}

/** All operands of a run of `and`, or of `or`. What is decided already leaves the run, or decides it. */
export function joinOperands(context: FilterContext, type: 'and' | 'or', operands: readonly Operand[]): Operand {
  const { offset } = operands[0]!;
  const conditions: Predicate[] = [];
  const decided: Decided[] = [];
  for (const operand of operands) {
    if (operand.kind === 'predicate') conditions.push(operand);
    else if (isDecided(operand)) decided.push(operand);
    else throw invalid(context, operand.offset, `predicate beside ${type}`, shown(operand));
  }
  const bare = decided.find((operand) => operand.bare);
  if (bare !== undefined && conditions.length > 0) throw invalid(context, bare.offset, `predicate beside ${type}`, describeOperand(bare));
  const deciding = type === 'or';
  if (conditions.length === 0 || decided.some((operand) => operand.value === deciding)) {
    const value = decided.some((operand) => operand.value === deciding) === deciding;
    return { kind: 'constant', offset, value, bare: false };
  }
  if (conditions.length === 1) return conditions[0]!;
  return group(context, offset, { type, nodes: conditions.map(({ node }) => node) }, Math.max(...conditions.map(({ depth }) => depth)));
}

export function negate(context: FilterContext, offset: number, operand: Operand): Operand {
  if (isDecided(operand)) return { kind: 'constant', offset, value: !operand.value, bare: false };
  if (operand.kind !== 'predicate') throw invalid(context, operand.offset, 'predicate behind not', shown(operand));
  return group(context, offset, { type: 'not', node: operand.node }, operand.depth);
}

function group(context: FilterContext, offset: number, node: FilterNode, below: number): Predicate {
  countNode(context, offset);
  if (below + 1 > MAX_FILTER_DEPTH) throw invalid(context, offset, `at most ${MAX_FILTER_DEPTH} levels of and, or and not`, 'more');
  return { kind: 'predicate', offset, node, depth: below + 1 };
}

/** The whole filter. */
export function finish(context: FilterContext, operand: Operand): FilterNode {
  if (operand.kind === 'predicate') return operand.node;
  if (!isDecided(operand) || operand.bare) throw invalid(context, operand.offset, 'predicate', shown(operand));
  return operand.value ? { type: 'true' } : { type: 'not', node: { type: 'true' } };
}

function shown(operand: Operand): string {
  const hint = operand.kind === 'column' && operand.class === 'bool' ? ` (write ${operand.field.name} == true)` : '';
  return `${describeOperand(operand)}${hint}`;
}
