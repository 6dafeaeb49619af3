import { describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate, Array as List, Map as Named, Text, XmlElement, XmlText } from 'yjs';
import { jsonOf } from './json-view.ts';

function read(doc: Doc): unknown {
  return JSON.parse(jsonOf(encodeStateAsUpdate(doc)));
}

describe('an opaque document as JSON', () => {
  it('has each root type as what it holds', () => {
    const doc = new Doc();
    doc.getMap('shapes').set('b', { x: 1, tags: ['round'] });
    doc.getMap('shapes').set('a', new Text('label'));
    doc.getArray('order').push(['b', 2, true, null, new Named([['deep', new List()]])]);
    doc.getText('title').insert(0, 'Terns', { bold: true });
    doc.getXmlFragment('page').push([new XmlElement('p')]);
    (doc.getXmlFragment('page').get(0) as XmlElement).push([new XmlText('far')]);
    expect(read(doc)).toEqual({
      order: ['b', 2, true, null, { deep: [] }],
      page: '<p>far</p>',
      shapes: { a: 'label', b: { x: 1, tags: ['round'] } },
      title: 'Terns',
    });
  });

  it('reads equal for equal documents, whatever the order they were written in', () => {
    const [left, right] = [new Doc(), new Doc()];
    left.getMap('m').set('b', 1);
    right.getMap('m').set('a', { d: 1, c: 2 });
    right.getArray('l').push([1]);
    const [of, other] = [encodeStateAsUpdate(left), encodeStateAsUpdate(right)];
    applyUpdate(left, other);
    applyUpdate(right, of);
    expect(jsonOf(encodeStateAsUpdate(left))).toBe(jsonOf(encodeStateAsUpdate(right)));
    expect(jsonOf(encodeStateAsUpdate(left))).toBe('{"l":[1],"m":{"a":{"c":2,"d":1},"b":1}}');
  });

  it('says what JSON has no words for in words of its own', () => {
    const doc = new Doc();
    doc.getMap('m').set('bytes', Uint8Array.of(251, 255));
    doc.getMap('m').set('large', 2n ** 60n);
    doc.getMap('m').set('nothing', undefined);
    doc.getMap('m').set('infinite', Number.POSITIVE_INFINITY);
    doc.getMap('m').set('other', new Doc());
    doc.getMap('m').set('__proto__', 1);
    doc.getText('gone').insert(0, 'text');
    doc.getText('gone').delete(0, 4);
    doc.getMap('empty').set('a', 1);
    doc.getMap('empty').delete('a');
    expect(jsonOf(encodeStateAsUpdate(doc))).toBe(
      '{"empty":{},"gone":null,"m":{"__proto__":1,"bytes":"-_8","infinite":null,"large":"1152921504606846976","nothing":null,"other":null}}',
    );
  });

  it('is an empty object of an empty document, and of bytes that are none', () => {
    expect(jsonOf(encodeStateAsUpdate(new Doc()))).toBe('{}');
    expect(jsonOf(Uint8Array.of(9, 9, 9))).toBe('{}');
    expect(jsonOf(new Uint8Array())).toBe('{}');
  });

  it('ends, however deeply a document is nested', () => {
    const doc = new Doc();
    let inner = doc.getMap('m');
    doc.transact(() => {
      for (let depth = 0; depth < 20_000; depth++) inner = inner.set('m', new Named()) as typeof inner;
    });
    const text = jsonOf(encodeStateAsUpdate(doc));
    expect(text.length).toBeLessThan(1_000);
    expect(text).toContain('null');
    const page = new Doc();
    let element = new XmlElement('p');
    page.transact(() => {
      page.getXmlFragment('page').push([element]);
      for (let depth = 0; depth < 20_000; depth++) {
        const next = new XmlElement('p');
        element.push([next]);
        element = next;
      }
    });
    expect(jsonOf(encodeStateAsUpdate(page))).toBe('{"page":null}');
  });
});
