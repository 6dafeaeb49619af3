import { describe, expect, test } from 'vitest';
import { defineSchema } from '../../schema/define-schema.ts';
import { f } from '../../schema/fields.ts';
import { errorOf } from '../../testing/errors.ts';
import { parseFilter } from './parse-filter.ts';

/** The schema of Milvus' own parser tests, in Tern's kinds. A, B and C are keys of the dynamic field there, and json fields in `declared`. */
const fields = {
  BoolField: f.boolean(),
  Int8Field: f.int64(),
  Int16Field: f.int64(),
  Int32Field: f.int64(),
  Int64Field: f.int64(),
  FloatField: f.number(),
  DoubleField: f.number(),
  VarCharField: f.text(),
  StringField: f.keyword(),
  JSONField: f.json(),
  ArrayField: f.array(f.int64()),
  StringArrayField: f.array(f.keyword()),
  FloatVectorField: f.vector(3).nullable(),
};
const { strict, declared } = defineSchema({
  strict: fields,
  declared: { ...fields, A: f.json(), B: f.json(), C: f.json() },
}).definition.collections;

const MUST_PARSE = [
  'Int64Field in []',
  'A in ["1", 2, "abc", 2.2]',
  'FloatField in [1373, 115]',
  'Int8Field < Int16Field',
  'Int64Field >= FloatField',
  'StringField != VarCharField',
  '$meta["A"] > 10',
  'C["0"] not in [90,91]',
  '$meta[0] > 100',
  '1 < Int8Field < 2',
  '100 > B > 14',
  '0 <= $meta["A"] < 5',
  '"str13" < StringField < "str14"',
  'Int64Field % 10 != 9',
  'FloatField + 11 < 12',
  "JSONField['A'] / 17 >= 18",
  'ArrayField[0] % 19 >= 20',
  '15 + JSONField == 16',
  'Int64Field + (2**3) > 0',
  '100 == $meta["A"] + 6',
  'not ($meta["A"] == 95)',
  'exists $meta["A"]["B"]["C"]',
  'exists $meta["A"] && exists JSONField["A"]',
  'ArrayField == [1,2,3,4]',
  'ArrayField[0] in []',
  '+ArrayField[0] == 1',
  'array_length(B) != 1',
  'array_contains_all(ArrayField, [1])',
  'not JSON_CONTAINS_ALL(A, [1,"2",3.0])',
  'VarCharField IS NOT NULL && random_sample(0.01)',
  'ArrayField is null',
  'A == [1,2,3]',
  `'ab"c' < StringField < "d'ef"`,
  'A["姓名"] == "小明"',
  'Int64Field > 0 && VarCharField > "0"',
  'A like "8\\\\_0%"',
  'empty(VarCharField,)',
];
/** Why Tern does not take a vector as it stands; those that need a dynamic field only are also tried on declared json fields. */
const NEEDS_DYNAMIC_FIELD = /\$meta|\b[ABC]\b(?!"|')/;
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'VarCharField IS NOT NULL && random_sample(0.01)':
    'random_sample is not supported: a page, a count and a live result of one filter must agree',
};
const onJson = (text: string): string => text.replaceAll('$meta', 'JSONField');

describe('Milvus takes, and so does Tern:', () => {
  test.each(MUST_PARSE.filter((text) => !Object.hasOwn(UNSUPPORTED, text)))('%s', (text) => {
    expect(parseFilter(declared, 'declared', onJson(text))).toHaveProperty('type');
  });
});

describe('Milvus takes, Tern answers unsupported:', () => {
  test.each(Object.entries(UNSUPPORTED))('%s', (text, why) => {
    const error = errorOf(() => parseFilter(strict, 'strict', text));
    expect(error.message).toContain(why);
    expect(error.details).toMatchObject({ reason: 'unsupported' });
  });

  test.each(MUST_PARSE.filter((text) => NEEDS_DYNAMIC_FIELD.test(text)))('%s (there is no dynamic field)', (text) => {
    const error = errorOf(() => parseFilter(strict, 'strict', text));
    expect(error.code).toBe('FILTER_INVALID');
    expect(error.message).toMatch(/no dynamic field yet|field of strict \(/);
  });

  test.each(['st_contains(geo, "POINT(1 1)")', 'ST_DWITHIN(geo, "POINT(1 1)", 5)', 'VarCharField =~ "a+"', 'Int64Field & 1 == 1'])(
    '%s',
    (text) => {
      expect(errorOf(() => parseFilter(strict, 'strict', text.replace('geo', 'JSONField'))).details).toMatchObject({
        reason: 'unsupported',
      });
    },
  );
});

describe('Milvus refuses, and so does Tern:', () => {
  test.each<[string, string]>([
    ['Int64Field == 2.1', 'filter at 14: integer for Int64Field (int64) expected, got float 2.1'],
    ['3 > Int64Field >= 2.1', 'filter at 18: integer for Int64Field'],
    ['Int64Field + 1.1 == 2.1', 'filter at 13: integer for Int64Field'],
    ['Int32Field in [4.0]', 'integer for Int32Field (int64) expected, got float 4'],
    ['BoolField in [4.0]', 'boolean for BoolField'],
    ['BoolField', 'filter at 0: predicate expected, got BoolField (boolean) (write BoolField == true)'],
    ['true', 'predicate expected, got boolean true'],
    ['!BoolField', 'filter at 1: predicate behind not expected, got BoolField (boolean) (write BoolField == true)'],
    ['BoolField and false', 'filter at 0: predicate beside and expected'],
    ['Int64Field < 100 or false', 'filter at 20: predicate beside or expected, got boolean false'],
    ['VarCharField < FloatField', 'field to compare VarCharField (text) with expected, got FloatField (number)'],
    ['"str" == 100', 'constant to compare string "str" with expected, got integer 100'],
    ['StringField - 2', 'number field in arithmetic expected, got StringField (keyword)'],
    ['"str" + "text"', 'number for + expected, got string "str"'],
    ['-Int32Field', 'constant number behind - expected'],
    ['1 - not_in_schema', "got 'not_in_schema'"],
    ['2 % Int64Field == 1', 'field before the operator and one constant behind it expected, got integer 2 % Int64Field'],
    ['Int64Field / 0 == 1', 'divisor other than zero expected, got zero'],
    ['A + B == 3.3', 'field before the operator and one constant behind it'],
    ['1 << 2', 'operator << is not supported'],
    ['1 in [1,2,3]', 'field or path before in expected, got integer 1'],
    ['(Int8Field + 8) in [1]', 'field or path before in expected, got arithmetic on Int8Field'],
    ['Int8Field in [Int16Field]', 'constant in a list expected, got Int16Field'],
    ['1 in A', 'filter at 0: field or path before in'],
    ['Int8Field in A', 'list behind in expected, got A (json)'],
    ['FloatField like "p%"', 'string field or json path before like expected, got FloatField (number)'],
    ['1 < BoolField < 2', 'boolean for BoolField'],
    ['true <= BoolField <= true', 'field with an order expected, got BoolField'],
    ['1 < 3 < 2', 'constant to compare boolean true with expected, got integer 2'],
    ['3 < Int64Field < 2', 'range whose lower bound is below its upper bound expected, got integer 3 and integer 2'],
    ['2 > Int64Field >= 2', 'range whose lower bound'],
    ['1.0 < Int32Field < 2.0', 'integer for Int32Field'],
    ['1 < ArrayField < 3', '== or != with a list expected'],
    ['ArrayField > 1', '== or != with a list expected'],
    ['ArrayField["0"] == 1', 'filter at 11: index into the array field ArrayField expected, got string "0"'],
    ['ArrayField == []', 'list of elements for ArrayField (array) expected, got list of 0'],
    ['ArrayField in [1,2,3]', 'field or path before in expected, got ArrayField (array)'],
    ['ArrayField[0] is null', 'whole array before is null expected'],
    ['FloatVectorField is null', 'field other than a vector before is null'],
    ['exists JSONField', 'path into a json field behind exists expected, got JSONField (json)'],
    ['exists Int64Field', 'path into a json field behind exists expected, got Int64Field (int64)'],
    ['exists JSONField["A"] > 10', 'value to compare expected, got a predicate'],
    ['A[B] > 10', `filter at 2: "key" or index expected, got 'B'`],
    ['Int64Field["A"] == 123', 'json or array field before [ ] expected, got Int64Field (int64)'],
    ['json_contains(StringField,"a")', 'array field or json path in json_contains expected, got StringField'],
    ['json_contains(A)', 'json_contains of 2 arguments expected, got 1'],
    ['json_contains(A,B)', 'constant in json_contains expected, got B (json)'],
    ['JSON_CONTAINS_ALL(A,1)', 'list in json_contains_all expected, got integer 1'],
    ['array_length(Int64Field)==2', 'array field or json path in array_length expected'],
    ['array_length(A) + 1 == 2', 'got array_length(…) + integer 1'],
    ['0 < array_length(StringArrayField) < 1', 'value to compare expected, got a predicate'],
    ['array_length(A) == 2.2', 'integer to compare a length with expected, got float 2.2'],
    ['random_sample(1)', 'random_sample is not supported'],
    ['not random_sample(0.1)', 'random_sample is not supported'],
    ['random_sample(0.01) and (Int16Field == 4)', 'random_sample is not supported'],
    ['A == "\\中国"', "filter at 6: escape sequence expected, got '\\中'"],
    ['A == -9223372036854775809', '64-bit integer expected, got 9223372036854775809'],
    ['A == "\\423"', 'octal escape up to \\377 expected'],
    ['text_match(VarCharField,"q")', 'text field with { search: true } in text_match expected, got VarCharField (text)'],
    ['text_match(VarCharField,"q",minimum_should_match=0)', 'text field with { search: true }'],
    ['2 = Int32Field', "filter at 2: operator or the end expected, got '='"],
  ])('%s', (text, message) => {
    const error = errorOf(() => parseFilter(declared, 'declared', text));
    expect(error.code).toBe('FILTER_INVALID');
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject({
      collection: 'declared',
      path: 'filter',
      offset: expect.any(Number),
      expected: expect.any(String),
      got: expect.any(String),
    });
  });

  test('exists $meta', () => {
    expect(errorOf(() => parseFilter(declared, 'declared', 'exists $meta')).message).toContain('no dynamic field yet');
  });
});
