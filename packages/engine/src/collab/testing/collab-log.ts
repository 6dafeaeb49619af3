import {
  type CollectionDefinition,
  defineSchema,
  f,
  type Op,
  type OpRecord,
  type Origin,
  type SchemaDefinition,
  type Timestamp,
} from '@terndb/core';
import fc from 'fast-check';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';

export const collabSchema: SchemaDefinition<'notes'> = defineSchema({
  notes: { key: f.primaryKey('varchar'), stars: f.number().default(0), body: f.collabText({ search: true }), doc: f.collab() },
}).definition;
export const collabDefinition: CollectionDefinition = collabSchema.collections.notes;

export const KEY = 'k';
const AUTHORS = ['ada', 'bob', 'eve'];

/** What somebody does, or what happens to the log. */
export type Step =
  | { readonly type: 'put'; readonly author: number; readonly text: string }
  | { readonly type: 'patch' | 'delete' | 'read'; readonly author: number }
  | {
      readonly type: 'edit';
      readonly author: number;
      readonly field: 'body' | 'doc';
      readonly at: number;
      readonly remove: number;
      readonly text: string;
      /** Before or after the newest stamp. */
      readonly skew: number;
    }
  | { readonly type: 'damaged'; readonly author: number; readonly update: Uint8Array }
  | { readonly type: 'otherBase'; readonly author: number };

const author = fc.nat({ max: AUTHORS.length - 1 });
const text = fc.constantFrom('', 'a', 'tern', 'märz 🐦', 'one two three');
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('put' as const), author, text }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('patch' as const, 'read' as const), author }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), author }) },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('edit' as const),
      author,
      field: fc.constantFrom('body' as const, 'body' as const, 'doc' as const),
      at: fc.nat({ max: 30 }),
      remove: fc.nat({ max: 3 }),
      text,
      skew: fc.integer({ min: -3, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('damaged' as const), author, update: fc.uint8Array({ maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('otherBase' as const), author }) },
);

interface Documents {
  readonly body: Doc;
  readonly doc: Doc;
}

/** Of one author: the document begun by the put that it has seen last, and what it has received of it. */
interface Copy extends Documents {
  readonly base: Origin;
}

/** One entity edited by several, each with a copy of its own: the log they write, and what Yjs alone makes of it. */
export class CollabLog {
  readonly records: OpRecord[] = [];
  /** Undefined: not live. */
  current: (Copy & { readonly put: number }) | undefined;
  #newest = 0;
  readonly #seqs = new Map<string, number>();
  readonly #copies = new Map<number, Copy>();

  get text(): string | undefined {
    return this.current?.body.getText('text').toString();
  }

  /** Of the opaque document: its one map. */
  get entries(): unknown {
    return this.current?.doc.getMap('m').toJSON();
  }

  /** @returns whether the log has a record more. */
  run(step: Step): boolean {
    const clientId = AUTHORS[step.author]!;
    switch (step.type) {
      case 'put': {
        const origin = this.#append(clientId, { type: 'put', pk: KEY, fields: { body: step.text, stars: 0, doc: null }, create: true });
        this.current = { base: origin, put: this.#newest, ...begin(step.text) };
        this.#copies.set(step.author, copyOf(this.current));
        return true;
      }
      case 'delete':
        if (this.current === undefined) return false;
        this.#append(clientId, { type: 'delete', pk: KEY });
        this.current = undefined;
        return true;
      case 'patch':
        if (this.current === undefined) return false;
        this.#append(clientId, { type: 'patch', pk: KEY, fields: { stars: step.author } });
        return true;
      case 'read':
        if (this.current !== undefined) this.#receive(step.author, this.current);
        return false;
      case 'edit':
        return this.#edit(clientId, step);
      case 'damaged':
      case 'otherBase': {
        if (this.current === undefined) return false;
        const base = step.type === 'damaged' ? this.current.base : { clientId, seq: 10_000 };
        const update = step.type === 'damaged' ? step.update : encodeStateAsUpdate(begin('other').body);
        if (step.type === 'damaged' && isReadable(step.update)) return false;
        this.#append(clientId, { type: 'yjs', pk: KEY, field: 'body', base, update });
        return true;
      }
    }
  }

  #edit(clientId: string, step: Extract<Step, { type: 'edit' }>): boolean {
    const { current } = this;
    const copy = this.#copies.get(step.author);
    if (current === undefined || copy === undefined) return false;
    const updates: Uint8Array[] = [];
    const collect = (update: Uint8Array): number => updates.push(update);
    const doc = copy[step.field];
    doc.on('update', collect);
    doc.transact(() => {
      if (step.field === 'doc') {
        doc.getMap('m').set(String(step.at % 4), `${step.text}${step.remove}`);
        return;
      }
      const body = doc.getText('text');
      const at = Math.min(step.at, body.length);
      body.delete(at, Math.min(step.remove, body.length - at));
      body.insert(at, step.text);
    });
    doc.off('update', collect);
    const update = updates[0];
    if (update === undefined) return false;
    const hlc = Math.max(1, this.#newest + step.skew);
    this.#append(clientId, { type: 'yjs', pk: KEY, field: step.field, base: copy.base, update }, hlc);
    const isHere = copy.base.clientId === current.base.clientId && copy.base.seq === current.base.seq;
    // Not before its put, which it cannot have seen then.
    if (isHere && this.records.at(-1)!.hlc > current.put) applyUpdate(current[step.field], update);
    return true;
  }

  #receive(reader: number, current: Copy): void {
    const copy = this.#copies.get(reader);
    if (copy === undefined || copy.base !== current.base) this.#copies.set(reader, copyOf(current));
    else for (const field of ['body', 'doc'] as const) applyUpdate(copy[field], encodeStateAsUpdate(current[field]));
  }

  #append(clientId: string, op: Op, stamp: number = this.#newest + 4): Origin {
    const seq = (this.#seqs.get(clientId) ?? 0) + 1;
    this.#seqs.set(clientId, seq);
    const current = this.current?.put;
    const hlc = (stamp === current ? stamp + 1 : stamp) as Timestamp;
    this.#newest = Math.max(this.#newest, hlc);
    this.records.push({ type: 'op', op, hlc, clientId, seq, author: '', schemaVersion: 1 });
    return { clientId, seq };
  }
}

/** As everybody begins it. */
function begin(text: string): Documents {
  const body = new Doc();
  body.clientID = 1;
  if (text !== '') body.getText('text').insert(0, text);
  const began = new Doc();
  applyUpdate(began, encodeStateAsUpdate(body));
  return { body: began, doc: new Doc() };
}

function copyOf({ base, body, doc }: Copy): Copy {
  const copy = { base, body: new Doc(), doc: new Doc() };
  applyUpdate(copy.body, encodeStateAsUpdate(body));
  applyUpdate(copy.doc, encodeStateAsUpdate(doc));
  return copy;
}

function isReadable(update: Uint8Array): boolean {
  try {
    applyUpdate(new Doc(), update);
    return true;
  } catch {
    return false;
  }
}
