import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAbsolutePositionFromRelativePosition, createRelativePositionFromTypeIndex, Doc } from 'yjs';
import { retype } from './retype.ts';

const anyText = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '😁', '🐦', 'ä'), maxLength: 12 });

describe('a text that is retyped', () => {
  it('is the wanted one, whole characters included, by one update', () => {
    fc.assert(
      fc.property(anyText, anyText, (before, wanted) => {
        const doc = new Doc();
        const text = doc.getText('text');
        text.insert(0, before);
        let updates = 0;
        doc.on('update', () => {
          updates += 1;
        });
        retype(text, wanted);
        expect(text.toString()).toBe(wanted);
        expect(updates).toBe(before === wanted ? 0 : 1);
      }),
      propertyOptions(500),
    );
  });

  it('keeps what is the same: cursors stay where they were', () => {
    const doc = new Doc();
    const text = doc.getText('text');
    text.insert(0, 'one two three');
    const cursor = createRelativePositionFromTypeIndex(text, 8);
    retype(text, 'one or two three');
    expect(createAbsolutePositionFromRelativePosition(cursor, doc)?.index).toBe(11);
  });
});
