import { describe, expect, it } from 'vitest';
import { DYNAMIC_FIELD, withDynamicNames } from './dynamic.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import { shortest } from './rows.ts';

const D = DYNAMIC_FIELD;

describe('names of the dynamic field in a filter', () => {
  it('become paths, and nothing else does', () => {
    const fields = new Set(['id', 'tags']);
    const cases: readonly (readonly [string, string])[] = [
      ['color == "red"', `${D}["color"] == "red"`],
      ['id > 1 AND Color like "a%"', `id > 1 AND ${D}["Color"] like "a%"`],
      ['$meta["color"] == \'color\'', `${D}["color"] == 'color'`],
      ['a["b"][0] == 1', `${D}["a"]["b"][0] == 1`],
      ['json_contains(tags, 1) or array_contains (x, {x})', `json_contains(tags, 1) or array_contains (${D}["x"], {x})`],
      ['exists a && not (b in [true, FALSE])', `exists ${D}["a"] && not (${D}["b"] in [true, FALSE])`],
      ['a == "say \\"color\\" now" and b is not null', `${D}["a"] == "say \\"color\\" now" and ${D}["b"] is not null`],
      ['x < 1e5', `${D}["x"] < 1e5`],
    ];
    for (const [filter, rewritten] of cases) expect(withDynamicNames(filter, fields)).toBe(rewritten);
  });

  it('are found in one pass, also in texts that never end', () => {
    for (const piece of ['"', '\\"', '{', 'a ', "'\\"])
      expect(withDynamicNames(piece.repeat(200_000), new Set(['a']))).toHaveLength(piece.length * 200_000);
  });
});

describe('exact JSON', () => {
  it('keeps integers of 64 bits, and leaves fractions and texts alone', () => {
    for (const text of [
      '{"a":9223372036854775807}',
      '[-9007199254740993,1]',
      '{"a":"9223372036854775807"}',
      '[1.25,1e+30]',
      '{"a":[[12345678901234567890]]}',
    ]) {
      expect(stringifyExact(parseExact(text))).toBe(text);
    }
    expect(parseExact('[0.1234567890123456]')).toEqual([0.123_456_789_012_345_6]);
    expect(() => parseExact('{"a":')).toThrow(SyntaxError);
  });
});

describe('a float32', () => {
  it('is written with as few digits as name it', () => {
    for (const value of [0.1, 0.6, 1.5, 3.4e38, 1e-45, -0.333_333_34, 16_777_217]) {
      const float = Math.fround(value);
      expect(Math.fround(shortest(float))).toBe(float);
      expect(String(shortest(float)).length).toBeLessThanOrEqual(String(float).length);
    }
    expect(shortest(Math.fround(0.1))).toBe(0.1);
  });
});
