import { DbError, MAX_COLLAB_UPDATE_BYTES } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector, Map as Named, XmlElement, XmlText } from 'yjs';
import { cutUpdate } from './cut-update.ts';

/** What people do to a document, by several authors. */
const anyEdit = fc.oneof(
  fc.record({ do: fc.constant('type' as const), at: fc.nat(), text: fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }) }),
  fc.record({ do: fc.constant('delete' as const), at: fc.nat(), length: fc.nat({ max: 60 }) }),
  fc.record({ do: fc.constant('format' as const), at: fc.nat(), length: fc.nat({ max: 60 }) }),
  fc.record({ do: fc.constant('set' as const), key: fc.constantFrom('a', 'b'), value: fc.jsonValue() }),
  fc.record({ do: fc.constant('list' as const), at: fc.nat(), values: fc.array(fc.jsonValue(), { minLength: 1, maxLength: 40 }) }),
  fc.record({ do: fc.constant('picture' as const), bytes: fc.nat({ max: 200 }) }),
  fc.record({ do: fc.constant('nest' as const), text: fc.string({ maxLength: 40 }) }),
  fc.record({ do: fc.constant('markup' as const), text: fc.string({ maxLength: 40 }) }),
  fc.constant({ do: 'meet' as const }),
);
type Edit = typeof anyEdit extends fc.Arbitrary<infer T> ? T : never;

function edit(doc: Doc, step: Edit): void {
  const text = doc.getText('text');
  const list = doc.getArray('list');
  const map = doc.getMap('map');
  if (step.do === 'type') text.insert(within(text, step.at), step.text);
  else if (step.do === 'delete') text.delete(within(text, step.at), Math.min(step.length, text.length - within(text, step.at)));
  else if (step.do === 'format')
    text.format(within(text, step.at), Math.min(step.length, text.length - within(text, step.at)), { bold: true });
  else if (step.do === 'set') map.set(step.key, step.value);
  else if (step.do === 'list') list.insert(within(list, step.at), [...step.values]);
  else if (step.do === 'picture') map.set('picture', new Uint8Array(step.bytes).fill(7));
  else if (step.do === 'nest') map.set('nested', new Named([['text', step.text]]));
  else if (step.do === 'markup') {
    const element = new XmlElement('p');
    doc.getXmlFragment('xml').push([element]);
    element.push([new XmlText(step.text)]);
  }
}

function within({ length }: { readonly length: number }, at: number): number {
  return length === 0 ? 0 : at % length;
}

/** One document that two authors wrote, some of it without the other's. */
function written(steps: readonly (Edit & { readonly author: number })[]): Doc {
  const authors = [new Doc(), new Doc()] as const;
  for (const [index, doc] of authors.entries()) doc.clientID = 10 + index;
  for (const step of steps) {
    if (step.do === 'meet') for (const doc of authors) for (const other of authors) applyUpdate(doc, encodeStateAsUpdate(other));
    else edit(authors[step.author]!, step);
  }
  applyUpdate(authors[0], encodeStateAsUpdate(authors[1]));
  return authors[0];
}

function shown(doc: Doc): unknown {
  return {
    text: doc.getText('text').toDelta(),
    map: doc.getMap('map').toJSON(),
    list: doc.getArray('list').toJSON(),
    xml: doc.getXmlFragment('xml').toString(),
    vector: [...encodeStateVector(doc)],
  };
}

const anySteps = fc.array(
  fc.tuple(anyEdit, fc.nat({ max: 1 })).map(([step, author]) => ({ ...step, author })),
  { maxLength: 40 },
);

describe('an update that is cut', () => {
  it('makes the same document in any order and more than once, of pieces that are as small as was asked for', () => {
    let cut = 0;
    fc.assert(
      fc.property(anySteps, fc.integer({ min: 80, max: 400 }), fc.infiniteStream(fc.nat()), (steps, pieceBytes, random) => {
        const source = written(steps);
        const pieces = cutUpdate(encodeStateAsUpdate(source), pieceBytes);
        // A picture and a JSON value are one thing.
        const largest = 200 + Math.max(0, ...steps.map((step) => JSON.stringify(step).length * 2));
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(Math.max(pieceBytes, largest));
        if (pieces.length > 2) cut += 1;
        const shuffled = [...pieces, ...pieces]
          .map((piece) => ({ piece, rank: random.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ piece }) => piece);
        for (const order of [pieces, [...pieces].reverse(), shuffled]) {
          const doc = new Doc();
          for (const piece of order) applyUpdate(doc, piece);
          expect(shown(doc)).toEqual(shown(source));
          // Nothing waits for ever, and later edits of the source merge.
          expect(doc.store.pendingStructs).toBeNull();
          expect(doc.store.pendingDs).toBeNull();
          const later = new Doc();
          applyUpdate(later, encodeStateAsUpdate(source));
          later.getText('text').insert(Math.floor(later.getText('text').length / 2), 'later');
          later.getMap('map').delete('a');
          applyUpdate(doc, encodeStateAsUpdate(later, encodeStateVector(source)));
          expect(shown(doc)).toEqual(shown(later));
        }
      }),
      propertyOptions(150),
    );
    expect(cut).toBeGreaterThan(20);
  });

  it('keeps what waits in it for what it never got', () => {
    const [source, other] = [new Doc(), new Doc()];
    source.getText('text').insert(0, 'begun');
    const begun = encodeStateAsUpdate(source);
    const before = encodeStateVector(source);
    source.getText('text').insert(5, ` and ${'typed '.repeat(200)}`);
    applyUpdate(other, encodeStateAsUpdate(source, before));
    expect(other.getText('text').length).toBe(0);
    const doc = new Doc();
    for (const piece of cutUpdate(encodeStateAsUpdate(other), 100)) applyUpdate(doc, piece);
    applyUpdate(doc, begun);
    expect(doc.getText('text').toString()).toBe(source.getText('text').toString());
  });

  it('of damaged bytes is refused, or is what can be read, in pieces all the same', () => {
    const source = written([]);
    source.getText('text').insert(0, 'a passage that somebody wrote');
    source.getText('text').format(2, 7, { bold: true });
    source.getArray('list').insert(0, [1, 'two', { three: 3 }]);
    const good = encodeStateAsUpdate(source);
    let refused = 0;
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: good.length }), (at, byte, length) => {
        const damaged = good.slice(0, Math.max(1, length));
        damaged[Math.min(at, damaged.length - 1)] = byte;
        try {
          for (const piece of cutUpdate(damaged, 64)) expect(piece.length).toBeLessThan(1_000);
        } catch (error) {
          expect(error).toBeInstanceOf(DbError);
          expect(error).toMatchObject({ code: 'FIELD_INVALID' });
          refused += 1;
        }
      }),
      propertyOptions(500),
    );
    expect(refused).toBeGreaterThan(20);
  });

  it('is refused with both sizes where something that cannot be cut is larger than an update may be', () => {
    const doc = new Doc();
    doc.getMap('map').set('picture', new Uint8Array(600_000));
    const details = { expected: MAX_COLLAB_UPDATE_BYTES, got: expect.any(Number) };
    expect(() => cutUpdate(encodeStateAsUpdate(doc))).toThrowError(expect.objectContaining({ code: 'ENTITY_TOO_LARGE', details }));
    doc.getMap('map').set('picture', new Uint8Array(500_000));
    const pieces = cutUpdate(encodeStateAsUpdate(doc));
    const again = new Doc();
    for (const piece of pieces) applyUpdate(again, piece);
    expect(again.getMap('map').get('picture')).toHaveLength(500_000);
  });
});
