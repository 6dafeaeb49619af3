import { describe, expect, test } from 'vitest';
import { MAX_TTL_SECONDS } from '../limits.ts';
import { errorOf } from '../testing/errors.ts';
import { compareDefinitions, mergeDefinitions } from './compatibility.ts';
import { defineSchema, schemaFromDefinition } from './define-schema.ts';
import { f } from './fields.ts';
import { schemaHash } from './hash.ts';

const define = defineSchema as unknown as (collections: unknown, options?: unknown) => ReturnType<typeof schemaFromDefinition>;
const events = { text: f.text() };

describe('the time to live of a collection', () => {
  test('is in the canonical form only where there is one, so the hash of others stays', () => {
    const plain = defineSchema({ events, notes: {} });
    const timed = defineSchema({ events, notes: {} }, { ttlSeconds: { events: 60 } });
    expect(Object.keys(plain.definition.collections.events)).toEqual(['fields']);
    expect(timed.definition.collections.events).toEqual({ ...plain.definition.collections.events, ttlSeconds: 60 });
    expect(schemaHash(timed.definition.collections.notes)).toBe(schemaHash(plain.definition.collections.notes));
    expect(schemaHash(timed.definition.collections.events)).not.toBe(schemaHash(plain.definition.collections.events));
    expect(schemaFromDefinition(JSON.parse(JSON.stringify(timed))).definition).toEqual(timed.definition);
  });

  test.each([0, -1, 1.5, MAX_TTL_SECONDS + 1, '60', null, Number.NaN])('is an integer from 1 to 100 years, not %s', (value) => {
    const error = errorOf(() => define({ events }, { ttlSeconds: { events: value } }));
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID', details: { collection: 'events', param: 'ttlSeconds' } });
  });

  test('is given by collection, and of no others', () => {
    expect(errorOf(() => define({ events }, { ttlSeconds: { event: 60 } })).message).toContain("'event'");
    expect(errorOf(() => define({ events }, { ttlSeconds: 60 })).code).toBe('SCHEMA_INVALID');
    expect(define({ events }, { ttlSeconds: { events: MAX_TTL_SECONDS } }).definition.collections['events']?.ttlSeconds).toBe(
      3_155_760_000,
    );
  });

  test('may differ between two schemas that fit, and what is wanted counts', () => {
    const stored = defineSchema({ events }, { ttlSeconds: { events: 60 } }).definition;
    const wanted = defineSchema({ events }).definition;
    expect(compareDefinitions(stored, wanted)).toEqual({ type: 'equal' });
    expect(mergeDefinitions(stored, wanted).collections['events']).toEqual(wanted.collections.events);
  });
});
