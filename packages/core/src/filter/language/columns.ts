import type { FieldDefinition } from '../../schema/definition.ts';
import { fieldOf } from '../../schema/lookup.ts';
import { normalizeInt64, utf8Length } from '../../value/scalar.ts';
import type { ScalarValue } from '../../value/value.ts';
import type { FilterValue } from '../ast.ts';
import { type FilterContext, invalid, unsupported } from './context.ts';
import { parseMoment } from './moment.ts';
import { type Column, type ColumnClass, type Constant, type ConstantValue, describeColumn, describeConstant, isList } from './operand.ts';

/** Name → column. Here undeclared names will become keys of `$meta`, once collections have a dynamic field. */
export function resolveName(context: FilterContext, name: string, offset: number): Column {
  if (name.startsWith('$')) throw unsupported(context, offset, name, 'collections have no dynamic field yet; declare a json field');
  const field = fieldOf(context.definition, name);
  if (field === undefined) {
    const known = context.definition.fields.map((one) => one.name).join(', ');
    throw invalid(context, offset, `field of ${context.collection} (${known})`, `'${name}'`);
  }
  const base = { kind: 'column', offset, field, class: classOf(field), shiftMs: 0 } as const;
  return field.type === 'json' ? { ...base, path: [] } : base;
}

/** `column[step]`. */
export function stepInto(context: FilterContext, column: Column, step: string | number, offset: number): Column {
  const { field, path = [] } = column;
  if (field.type === 'json') {
    if (step === '') throw invalid(context, offset, 'key that is not empty', '""');
    return { ...column, path: [...path, step] };
  }
  if (field.type !== 'array' || path.length > 0) throw invalid(context, offset, 'json or array field before [ ]', describeColumn(column));
  if (typeof step === 'string') throw invalid(context, offset, `index into the array field ${field.name}`, describeConstant(step));
  return { ...column, path: [step], class: classOf(field.params.of) };
}

function classOf(field: FieldDefinition): ColumnClass {
  switch (field.type) {
    case 'primaryKey':
      return field.params.keyType === 'int64' ? 'int' : 'string';
    case 'int64':
      return 'int';
    case 'number':
      return 'float';
    case 'text':
    case 'keyword':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'date':
    case 'json':
      return field.type;
    case 'array':
      return 'list';
    default:
      return 'opaque';
  }
}

const EXPECTED: { readonly [C in ColumnClass]: string } = {
  int: 'integer',
  float: 'number',
  string: 'string',
  bool: 'boolean',
  date: "ISO '…' or an ISO 8601 string",
  json: 'number, string or boolean',
  list: 'list',
  opaque: 'nothing',
};

/** A constant as a stored value of the column's kind. `exact`: compared by `==`, `!=` or `in`, so that it must be one of a keyword's values. */
export function toColumnValue(
  context: FilterContext,
  column: Column,
  constant: Constant,
  value: ConstantValue,
  exact: boolean,
): ScalarValue {
  const scalar = isList(value) ? undefined : convert(column.class, value);
  if (scalar === undefined)
    throw invalid(context, constant.offset, `${EXPECTED[column.class]} for ${describeColumn(column)}`, describeConstant(value));
  if (typeof scalar === 'string') {
    checkString(context, constant.offset, scalar);
    if (exact) checkKeyword(context, column, constant.offset, scalar);
  }
  return scalar;
}

function convert(kind: ColumnClass, value: Exclude<ConstantValue, readonly ConstantValue[]>): ScalarValue | undefined {
  switch (kind) {
    case 'int':
      return typeof value === 'bigint' ? normalizeInt64(value) : undefined;
    case 'float':
      return typeof value === 'bigint' || typeof value === 'number' ? Number(value) + 0 : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'date':
      if (typeof value === 'object') return 'ms' in value ? value.ms : undefined;
      return typeof value === 'string' ? parseMoment(value) : undefined;
    case 'json':
      return jsonScalar(value);
    case 'list':
    case 'opaque':
      return undefined;
  }
}

/** JSON numbers are float64, and so is what they are compared with: the digits somebody stored are the digits that find it. */
function jsonScalar(value: Exclude<ConstantValue, readonly ConstantValue[]>): ScalarValue | undefined {
  if (typeof value === 'object') return undefined;
  return typeof value === 'bigint' ? Number(value) : value;
}

/** Elements of `json_contains…` and of `== [ ]`: scalars, and for json lists of them. */
export function toElement(context: FilterContext, column: Column, constant: Constant, value: ConstantValue): FilterValue {
  if (column.class === 'json' && isList(value)) return value.map((item) => toElement(context, column, constant, item));
  const { field } = column;
  if (field.type !== 'array') return toColumnValue(context, column, constant, value, true);
  return toColumnValue(context, { ...column, path: [0], class: classOf(field.params.of) }, constant, value, true);
}

export function checkString(context: FilterContext, offset: number, text: string): void {
  if (utf8Length(text) < 0) throw invalid(context, offset, 'well-formed string', 'a lone surrogate');
}

function checkKeyword(context: FilterContext, { field, path }: Column, offset: number, text: string): void {
  const keyword = field.type === 'array' && path !== undefined ? field.params.of : field;
  const values = keyword.type === 'keyword' ? keyword.params.values : null;
  if (values !== null && !values.includes(text))
    throw invalid(context, offset, values.map((value) => `'${value}'`).join(' or '), describeConstant(text));
}
