import type { CollabBase } from '@terndb/engine';
import { describe, expect, it } from 'vitest';
import { applyUpdate, Doc, encodeStateAsUpdate, mergeUpdates } from 'yjs';
import type { CollabNews } from '../worker/protocol.ts';
import { CollabDocument, type CollabPort } from './collab-document.ts';

/** What is stored of one document, and the device that has it; the log and the others are the test. */
class Device {
  readonly stored: Doc = new Doc();
  base: CollabBase = { clientId: 'ann', seq: 1, home: 'server' };
  readonly written: Uint8Array[] = [];
  readonly hinted: Uint8Array[] = [];
  readonly timers = new Set<() => void>();
  tell: (event: CollabNews) => void = () => {};
  watches = 0;
  isFull = false;
  readonly document: CollabDocument;

  /** `writer`: Yjs' number of who wrote the text. */
  constructor(text: string, writer: number = this.stored.clientID) {
    this.stored.clientID = writer;
    this.stored.getText('text').insert(0, text);
    const port: CollabPort = {
      hint: (_, update) => this.hinted.push(update),
      write: async (_, update) => {
        if (this.isFull) throw new Error('no write expected');
        this.written.push(update);
        this.log(update);
      },
      watch: (onEvent) => {
        this.watches += 1;
        this.tell = onEvent;
        this.whole();
        return () => {
          this.tell = () => {};
        };
      },
      after: (_, run) => {
        this.timers.add(run);
        return () => this.timers.delete(run);
      },
      presence: { say: () => {}, watch: () => () => {} },
    };
    this.document = new CollabDocument(port, { isText: true });
  }

  whole(): void {
    this.tell({ type: 'document', base: this.base, update: encodeStateAsUpdate(this.stored), bytes: 10 });
  }

  log(update: Uint8Array): void {
    applyUpdate(this.stored, update);
    this.tell({ type: 'updates', base: this.base, updates: [update], bytes: 10 });
  }

  hint(update: Uint8Array): void {
    this.tell({ type: 'hint', update });
  }

  /** All timers that are set. */
  elapse(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const run of due) run();
  }

  get text(): string {
    return this.document.text.toString();
  }

  get storedText(): string {
    return this.stored.getText('text').toString();
  }
}

/** Somebody else, who types into a copy. */
function typist(device: Device): (at: number, letters: string) => Uint8Array {
  const doc = new Doc();
  applyUpdate(doc, encodeStateAsUpdate(device.stored));
  return (at, letters) => {
    let update: Uint8Array | undefined;
    doc.once('update', (bytes: Uint8Array) => {
      update = bytes;
    });
    doc.getText('text').insert(at, letters);
    return update!;
  };
}

describe('what others type, before the log tells it', () => {
  it('is shown, and stays when the log tells it', async () => {
    const device = new Device('tern');
    const update = typist(device)(4, 's');
    device.hint(update);
    expect([device.text, device.storedText]).toEqual(['terns', 'tern']);
    device.log(update);
    expect(device.text).toBe('terns');
    device.elapse();
    device.elapse();
    expect([device.watches, device.document.state.get().generation]).toEqual([1, 0]);
    await device.document.close();
    expect(device.timers.size).toBe(0);
  });

  it('is taken back when the log never tells it, and nothing is shown so early again', () => {
    const device = new Device('tern');
    const type = typist(device);
    device.hint(type(4, 's'));
    device.elapse();
    expect(device.text).toBe('tern');
    expect(device.document.state.get()).toMatchObject({ name: 'open', generation: 1, error: null });
    device.hint(type(5, '!'));
    expect(device.text).toBe('tern');
    expect(device.document.text).toBe(device.document.doc.getText('text'));
  });

  it('is stored with what is typed upon it: nothing waits for letters that the log never gets', async () => {
    const device = new Device('tern');
    device.hint(typist(device)(4, 's'));
    device.document.text.insert(5, ' fly');
    await device.document.flush();
    expect(device.written).toHaveLength(1);
    // Its writer is gone for good: another device has what was written here, and that alone.
    const other = new Doc();
    applyUpdate(other, encodeStateAsUpdate(device.stored));
    expect(other.getText('text').toString()).toBe('terns fly');
    expect(device.text).toBe('terns fly');
    device.elapse();
    device.elapse();
    expect([device.document.state.get().generation, device.text]).toEqual([0, 'terns fly']);
  });

  it('is looked for in the whole document when that comes in place of updates', () => {
    const device = new Device('tern');
    const type = typist(device);
    const [first, second] = [type(4, 's'), type(5, '!')];
    device.hint(first);
    device.hint(second);
    applyUpdate(device.stored, first);
    device.whole();
    expect([device.text, device.document.state.get().generation]).toEqual(['terns!', 0]);
    applyUpdate(device.stored, second);
    device.whole();
    device.elapse();
    device.elapse();
    expect([device.text, device.watches, device.document.state.get().generation]).toEqual(['terns!', 1, 0]);
  });

  it('is kept while this page has something unwritten, which is stored with it', async () => {
    const device = new Device('tern');
    device.hint(typist(device)(4, 's'));
    device.document.text.insert(0, 'two ');
    // Not written yet: the write begins at the end of this turn.
    device.elapse();
    expect(device.text).toBe('two terns');
    await device.document.flush();
    expect([device.storedText, device.document.state.get().generation]).toEqual(['two terns', 0]);
  });

  it('is nothing when Yjs cannot read it, and bounded', () => {
    const device = new Device('tern');
    const type = typist(device);
    for (const bytes of [[], [255, 255, 1], [1, 1, 1, 0, 200]]) device.hint(Uint8Array.from(bytes));
    expect(device.timers.size).toBe(0);
    for (let count = 0; count < 200; count++) device.hint(type(4 + count, 'x'));
    expect(device.text).toBe(`tern${'x'.repeat(64)}`);
    device.elapse();
    expect(device.text).toBe('tern');
  });

  it('takes nothing with it of what this page types when Yjs reads it alone and fails on it in the document', async () => {
    const device = new Device('an arctic tern', 7);
    const hostile = Uint8Array.from([1, 1, 7, 10, 0xc4, 7, 0, 7, 67, 2, 120, 121, 0]);
    const copy = new Doc();
    applyUpdate(copy, encodeStateAsUpdate(device.stored));
    applyUpdate(new Doc(), hostile);
    expect(() => applyUpdate(copy, hostile)).toThrow();
    device.document.text.insert(0, 'Look: ');
    device.hint(hostile);
    await device.document.flush();
    expect(device.storedText).toBe('Look: an arctic tern');
    device.elapse();
    expect([device.text, device.document.state.get()]).toMatchObject(['Look: an arctic tern', { generation: 1, error: null }]);
  });

  it('is of the document that is open: another one begins without it', () => {
    const device = new Device('tern');
    device.hint(typist(device)(4, 's'));
    device.stored.getText('text').insert(0, 'arctic ');
    device.base = { ...device.base, seq: 2 };
    device.whole();
    expect([device.text, device.timers.size]).toEqual(['arctic tern', 0]);
  });

  it('is not taken back because something else is looked for: who types on has the same time', () => {
    const device = new Device('tern');
    const type = typist(device);
    const [first, second] = [type(4, 's'), type(5, '!')];
    device.hint(first);
    // The log has it, though nothing has told so here.
    applyUpdate(device.stored, first);
    device.hint(second);
    device.elapse();
    expect([device.watches, device.text, device.document.state.get().generation]).toEqual([2, 'terns!', 0]);
    device.elapse();
    device.elapse();
    expect([device.text, device.document.state.get().generation]).toEqual(['terns', 1]);
  });

  it('is confirmed by the log’s own words, not by what its writer typed after it and somebody else stored', () => {
    const device = new Device('tern');
    const type = typist(device);
    const [first, second] = [type(4, 's'), type(5, '!')];
    device.hint(first);
    device.log(second);
    expect(device.text).toBe('terns!');
    device.elapse();
    expect([device.text, device.document.state.get().generation]).toEqual(['tern', 1]);
  });

  it('is confirmed when the log has told all parts of it, whatever they came with', () => {
    const device = new Device('tern');
    const type = typist(device);
    const letters = [type(4, 's'), type(5, '!'), type(6, '?')];
    device.hint(mergeUpdates(letters));
    device.log(letters[1]!);
    device.log(mergeUpdates([letters[0]!, letters[2]!]));
    device.elapse();
    device.elapse();
    expect([device.text, device.watches, device.document.state.get().generation]).toEqual(['terns!?', 1, 0]);
  });

  it('is not doubted for what was hinted in the document before it', () => {
    const device = new Device('tern');
    device.hint(typist(device)(4, 's'));
    device.base = { ...device.base, seq: 2 };
    device.elapse();
    expect([device.watches, device.document.state.get().generation]).toEqual([2, 1]);
    device.hint(typist(device)(4, '!'));
    device.whole();
    expect([device.text, device.document.state.get().generation]).toEqual(['tern!', 1]);
  });
});

describe('what this page types', () => {
  it('is hinted while the document is open, and no more once it is closed: nobody will store it', async () => {
    const device = new Device('tern');
    device.document.text.insert(4, 's');
    await device.document.close();
    expect([device.hinted.length, device.storedText]).toEqual([1, 'terns']);
    device.document.text.insert(5, '!');
    await Promise.resolve();
    expect([device.hinted.length, device.storedText, device.document.state.get().unsaved]).toEqual([1, 'terns', 0]);
  });
});
