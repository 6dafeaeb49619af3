import { DbError } from '../errors/db-error.ts';
import { MAX_FILTER_DEPTH, MAX_FILTER_NODES, MAX_FILTER_VALUES, MAX_MINIMUM_MATCH, MAX_PATTERN_BYTES, MAX_SLOP } from '../limits.ts';
import type { CollectionDefinition, FieldDefinition, FieldDefinitionOf } from '../schema/definition.ts';
import { fieldOf, type TextField } from '../schema/lookup.ts';
import type { AnalyzerOption } from '../text/analyzer-definition.ts';
import { toScalar, toText } from '../value/convert.ts';
import { describe, isPlainObject, tagOf } from '../value/describe.ts';
import { Misfit } from '../value/misfit.ts';
import type { ScalarValue } from '../value/value.ts';
import type { CompareOperator, FilterNode, MatchNode } from './ast.ts';

/**
 * From a typed `where` object to a filter tree. Accepts exactly what the type `Condition<F>` allows for a field of each kind, and checks it
 * again, because callers may be JavaScript. A condition that is undefined is an error, not a condition less: a filter that silently matches
 * more than was meant deletes what was not meant.
 *
 * | kind                              | operators                                                            |
 * |-----------------------------------|----------------------------------------------------------------------|
 * | keyword                           | a value, eq ne in notIn gt gte lt lte like                            |
 * | primaryKey, int64, number, date   | a value, eq ne in notIn gt gte lt lte                                 |
 * | boolean                           | a value, eq ne in notIn                                               |
 * | array                             | contains containsAll containsAny length (a number, or as for numbers) |
 * | text, collabText with `search`    | match (a text, or { text, minimum }), phrase (a text, or { text, slop }) |
 * | any kind that is nullable         | isNull                                                                |
 */
export function compileWhere(definition: CollectionDefinition, collection: string, where: unknown): FilterNode {
  return where === undefined ? { type: 'true' } : compileGroup({ definition, collection, nodes: 0, values: 0 }, where, 'where', 0);
}

/** What is counted over the whole filter. */
interface Compiler {
  readonly definition: CollectionDefinition;
  readonly collection: string;
  nodes: number;
  values: number;
}
type ScalarField = Parameters<typeof toScalar>[0];

const EQUALITY = ['eq', 'ne', 'in', 'notIn'];
const ORDER = [...EQUALITY, 'gt', 'gte', 'lt', 'lte'];
const OPERATORS: { readonly [Kd in FieldDefinition['type']]?: readonly string[] } = {
  keyword: [...ORDER, 'like'],
  primaryKey: ORDER,
  int64: ORDER,
  number: ORDER,
  date: ORDER,
  boolean: EQUALITY,
  array: ['contains', 'containsAll', 'containsAny', 'length'],
};
const LENGTH: ScalarField = { name: 'length', type: 'number', nullable: false, params: {} };

function fail({ collection }: Compiler, path: string, expected: string, got: string): never {
  throw new DbError('FILTER_INVALID', `${path}: ${expected} expected, got ${got}`, { details: { collection, path, expected, got } });
}

function compileGroup(compiler: Compiler, group: unknown, path: string, depth: number): FilterNode {
  if (!isPlainObject(group)) return fail(compiler, path, 'object of conditions', describe(group));
  if (depth > MAX_FILTER_DEPTH) fail(compiler, path, `at most ${MAX_FILTER_DEPTH} levels`, 'more');
  return allOf(
    compiler,
    Object.keys(group).map((name) => compileEntry(compiler, name, group[name], `${path}.${name}`, depth)),
  );
}

function compileEntry(compiler: Compiler, name: string, value: unknown, path: string, depth: number): FilterNode {
  if (value === undefined) fail(compiler, path, 'condition (leave the key out for none)', 'undefined');
  switch (name) {
    case 'and':
    case 'or': {
      if (!Array.isArray(value)) return fail(compiler, path, 'array of filters', describe(value));
      const nodes = Array.from(value, (item, i) => compileGroup(compiler, item, `${path}[${i}]`, depth + 1));
      return name === 'and' ? allOf(compiler, nodes) : count(compiler, { type: 'or', nodes });
    }
    case 'not':
      return count(compiler, { type: 'not', node: compileGroup(compiler, value, path, depth + 1) });
    default: {
      const field = fieldOf(compiler.definition, name);
      if (!field)
        return fail(
          compiler,
          path,
          `field of ${compiler.collection} (${compiler.definition.fields.map((f) => f.name).join(', ')})`,
          `'${name}'`,
        );
      return compileField(compiler, field, value, path);
    }
  }
}

/** Every node is a pass over rows, the shape of the tree included. */
function count(compiler: Compiler, node: FilterNode): FilterNode {
  if (++compiler.nodes > MAX_FILTER_NODES) fail(compiler, 'where', `at most ${MAX_FILTER_NODES} conditions`, 'more');
  return node;
}

function allOf(compiler: Compiler, nodes: readonly FilterNode[]): FilterNode {
  if (nodes.length === 0) return count(compiler, { type: 'true' });
  return nodes.length === 1 ? nodes[0]! : count(compiler, { type: 'and', nodes });
}

function compileField(compiler: Compiler, field: FieldDefinition, value: unknown, path: string): FilterNode {
  const operators = operatorsOf(field);
  if (operators.length === 0) fail(compiler, path, `field that \`where\` can ask (${whyNot(field)})`, field.type);
  const scalar = asScalar(field);
  // A Date is a value; any other object holds operators.
  if (typeof value !== 'object' || value === null || tagOf(value) === 'Date') {
    if (value === null) fail(compiler, path, field.nullable ? 'condition ({ isNull: true } for null)' : 'condition', 'null');
    if (!scalar) return fail(compiler, path, `object with ${operators.join(', ')}`, describe(value));
    return count(compiler, { type: 'compare', field: field.name, operator: 'eq', value: operand(compiler, scalar, value, path) });
  }
  if (!isPlainObject(value))
    return fail(compiler, path, `${scalar ? `${kindText(field)} or ` : ''}object with ${operators.join(', ')}`, describe(value));
  const names = Object.keys(value);
  if (names.length === 0) fail(compiler, path, `object with ${operators.join(', ')}`, 'no condition');
  const nodes = names.map((name) => {
    if (!operators.includes(name)) {
      const hint = name === 'isNull' ? ' (the field is never null)' : '';
      fail(compiler, `${path}.${name}`, `one of ${operators.join(', ')}${hint}`, `'${name}'`);
    }
    return compileOperator(compiler, field, name, value[name], `${path}.${name}`);
  });
  return allOf(compiler, nodes);
}

function operatorsOf(field: FieldDefinition): readonly string[] {
  const isSearchable = (field.type === 'text' || field.type === 'collabText') && field.params.search;
  const own = isSearchable ? ['match', 'phrase'] : (OPERATORS[field.type] ?? []);
  return field.nullable ? [...own, 'isNull'] : own;
}

/** The field itself where its values are compared, else nothing. */
function asScalar(field: FieldDefinition): ScalarField | undefined {
  return field.type !== 'array' && OPERATORS[field.type] ? (field as ScalarField) : undefined;
}

function kindText(field: FieldDefinition): string {
  return field.type === 'primaryKey' ? field.params.keyType : field.type === 'date' ? 'Date' : field.type;
}

function whyNot(field: FieldDefinition): string {
  if (field.type === 'json') return 'json is reached by `filter`';
  if (field.type === 'text' || field.type === 'collabText') return 'text needs { search: true } to be matched; f.keyword is compared';
  return field.type === 'collab' ? 'collab documents are opaque' : 'vectors are searched';
}

function compileOperator(compiler: Compiler, field: FieldDefinition, operator: string, value: unknown, path: string): FilterNode {
  if (value === undefined) fail(compiler, path, 'operand (leave the key out for none)', 'undefined');
  const { name } = field;
  switch (operator) {
    case 'isNull':
      if (typeof value !== 'boolean') return fail(compiler, path, 'boolean', describe(value));
      return count(compiler, { type: 'isNull', field: name, negated: !value });
    case 'like':
      return count(compiler, { type: 'like', field: name, pattern: pattern(compiler, value, path) });
    case 'match':
    case 'phrase':
      return count(compiler, compileMatching(compiler, field as TextField, operator, value, path));
    case 'length':
      return compileLength(compiler, name, value, path);
    case 'contains':
    case 'containsAll':
    case 'containsAny': {
      const { of } = (field as FieldDefinitionOf<'array'>).params;
      const values = operator === 'contains' ? [operand(compiler, of, value, path)] : operands(compiler, of, value, path);
      return count(compiler, { type: 'contains', field: name, mode: operator === 'containsAll' ? 'all' : 'any', values });
    }
    case 'in':
    case 'notIn':
      return count(compiler, {
        type: 'in',
        field: name,
        values: operands(compiler, field as ScalarField, value, path),
        negated: operator === 'notIn',
      });
    default:
      return count(compiler, {
        type: 'compare',
        field: name,
        operator: operator as CompareOperator,
        value: operand(compiler, field as ScalarField, value, path),
      });
  }
}

/** A text, or the text with how much of it must be there, or how far apart. */
function compileMatching(compiler: Compiler, field: TextField, operator: 'match' | 'phrase', value: unknown, path: string): MatchNode {
  const isMatch = operator === 'match';
  const node = { type: 'match', field: field.name, mode: isMatch ? 'any' : 'phrase', ...analyzerPart(field) } as const;
  if (!isPlainObject(value)) return { ...node, text: pattern(compiler, value, path) };
  const option = isMatch ? 'minimum' : 'slop';
  for (const name of Object.keys(value))
    if (name !== 'text' && name !== option) fail(compiler, `${path}.${name}`, `only text, ${option}`, `'${name}'`);
  const text = pattern(compiler, value['text'], `${path}.text`);
  const given = value[option];
  const [least, most] = isMatch ? [1, MAX_MINIMUM_MATCH] : [0, MAX_SLOP];
  if (given === undefined || given === least) return { ...node, text };
  if (!Number.isInteger(given) || (given as number) < least || (given as number) > most)
    fail(compiler, `${path}.${option}`, `integer from ${least} to ${most}`, describe(given));
  return { ...node, text, [option]: given as number };
}

/** What a match node says of its field's analyzer: nothing where it is the default. */
export function analyzerPart({ params }: TextField): { readonly analyzer?: AnalyzerOption } {
  return params.analyzer === 'standard' ? {} : { analyzer: params.analyzer };
}

/** `length: 3`, or the operators of numbers; `in` and `notIn` become comparisons, so that a null array stays unknown. */
function compileLength(compiler: Compiler, field: string, value: unknown, path: string): FilterNode {
  const compare = (operator: CompareOperator, length: ScalarValue): FilterNode =>
    count(compiler, { type: 'arrayLength', field, operator, value: length as number });
  if (!isPlainObject(value)) return compare('eq', operand(compiler, LENGTH, value, path));
  const names = Object.keys(value);
  if (names.length === 0) fail(compiler, path, `number or object with ${ORDER.join(', ')}`, 'no condition');
  const nodes = names.map((name) => {
    const at = `${path}.${name}`;
    if (!ORDER.includes(name)) fail(compiler, at, `one of ${ORDER.join(', ')}`, `'${name}'`);
    if (value[name] === undefined) fail(compiler, at, 'operand (leave the key out for none)', 'undefined');
    if (name !== 'in' && name !== 'notIn') return compare(name as CompareOperator, operand(compiler, LENGTH, value[name], at));
    const lengths = operands(compiler, LENGTH, value[name], at);
    if (lengths.length === 0) return compare(name === 'in' ? 'lt' : 'gte', 0);
    return count(compiler, {
      type: name === 'in' ? 'or' : 'and',
      nodes: lengths.map((length) => compare(name === 'in' ? 'eq' : 'ne', length)),
    });
  });
  return allOf(compiler, nodes);
}

function operand(compiler: Compiler, field: ScalarField, value: unknown, path: string): ScalarValue {
  const scalar = toScalar(field, value);
  return scalar instanceof Misfit ? fail(compiler, path, scalar.expected, scalar.got) : scalar;
}

function operands(compiler: Compiler, field: ScalarField, value: unknown, path: string): readonly ScalarValue[] {
  if (!Array.isArray(value)) return fail(compiler, path, `array of ${kindText(field)}`, describe(value));
  compiler.values += value.length;
  if (compiler.values > MAX_FILTER_VALUES) fail(compiler, path, `at most ${MAX_FILTER_VALUES} values in a filter`, `${compiler.values}`);
  return Array.from(value, (item, i) => operand(compiler, field, item, `${path}[${i}]`));
}

function pattern(compiler: Compiler, value: unknown, path: string): string {
  const text = toText(value, MAX_PATTERN_BYTES);
  return text instanceof Misfit ? fail(compiler, path, text.expected, text.got) : text;
}
