import { type Database, defineSchema, f, open, type Shapes } from '@terndb/client';
import { type CollabDocument, openCollab } from '@terndb/client/yjs';
import { act, createElement, type ReactNode, StrictMode } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CollabTextView, type CollabView, type Peer, useCollab, useCollabText, usePresence } from './index.ts';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
const schema = defineSchema({ notes: { title: f.text(), body: f.collabText(), drawing: f.collab() } });

async function openNotes() {
  return await open(`react-yjs-${Date.now().toString(36)}-${Math.random()}`, { schema });
}
let db: Awaited<ReturnType<typeof openNotes>>;
let place: HTMLElement;
let root: Root;
/** Opened beside the components, as another tab would. */
const others: CollabDocument[] = [];

beforeEach(async () => {
  db = await openNotes();
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  for (const other of others.splice(0)) await other.close();
  await (db as unknown as Database<Shapes>).logout({ unsynced: 'discard' });
  place.remove();
});

async function render(element: ReactNode): Promise<void> {
  await act(async () => root.render(createElement(StrictMode, null, element)));
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
}
async function put(note: { id: string; title: string; body: string }): Promise<void> {
  await act(async () => {
    await db.notes.put(note);
  });
}
async function openBeside(key = 'a'): Promise<CollabDocument> {
  const other = await openCollab(db.notes, key, 'body');
  others.push(other);
  return other;
}
/** A turn of React later, everything that was to be closed is. */
async function settle(): Promise<void> {
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
}

function Text({ id, seen }: { readonly id: string | null; readonly seen: CollabTextView[] }): ReactNode {
  const view = useCollabText(db.notes, id, 'body');
  seen.push(view);
  const change = (event: { readonly target: { readonly value: string } }): void => view.setText(event.target.value);
  return createElement('textarea', { value: view.text ?? '', onChange: change, ref: view.ref });
}
interface Noted {
  readonly field?: string;
  readonly note: (view: CollabView) => unknown;
}
function Document({ note, field = 'body' }: Noted): ReactNode {
  note(useCollab(db.notes, 'a', field));
  return null;
}
function Words({ note, field = 'body' }: Noted): ReactNode {
  note(useCollabText(db.notes, 'a', field));
  return null;
}

interface Said {
  readonly user: { readonly name: string };
  readonly cursor?: number;
}
function Together({ name, seen }: { readonly name: string; readonly seen: (readonly Peer<Said>[])[] }): ReactNode {
  const { document } = useCollab(db.notes, 'a', 'body');
  seen.push(usePresence<Said>(document, { user: { name } }));
  return null;
}
const element = (): HTMLTextAreaElement => place.querySelector('textarea')!;

/** As a browser does: React's own setter would hide the change from it. */
async function typeInto(value: string): Promise<void> {
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')!.set!.call(element(), value);
    element().dispatchEvent(new Event('input', { bubbles: true }));
  });
}

describe('useCollabText', () => {
  it('shows the text with what others type, and keeps what is typed into a plain field', async () => {
    await put({ id: 'a', title: 'one', body: 'an arctic tern' });
    const seen: CollabTextView[] = [];
    await render(createElement(Text, { id: 'a', seen }));
    expect(seen[0]).toMatchObject({ document: null, state: null, error: null, text: undefined });
    await until(() => element().value === 'an arctic tern');
    const other = await openBeside();
    const { undo } = seen.at(-1)!.document!;
    await typeInto('an elegant arctic tern');
    expect(element().value).toBe('an elegant arctic tern');
    await until(() => other.text.toString() === 'an elegant arctic tern');
    await act(async () => other.text.insert(0, 'Look: '));
    await until(() => element().value === 'Look: an elegant arctic tern');
    await act(async () => seen.at(-1)!.document!.flush());
    expect(await db.notes.get('a')).toMatchObject({ body: 'Look: an elegant arctic tern' });
    await act(async () => {
      undo.undo();
    });
    await until(() => element().value === 'Look: an arctic tern');
  });

  it('keeps the caret of a field where it is in the text while others type before, at and after it', async () => {
    await put({ id: 'a', title: 'one', body: 'one two three' });
    await render(createElement(Text, { id: 'a', seen: [] }));
    await until(() => element().value === 'one two three');
    const other = await openBeside();
    element().focus();
    element().setSelectionRange(4, 7);
    const selected = (): readonly unknown[] => [element().value, element().value.slice(element().selectionStart, element().selectionEnd)];
    await act(async () => {
      other.text.insert(0, 'zero ');
      other.text.insert(other.text.length, ' four');
    });
    await until(() => element().value.length === 23);
    expect(selected()).toEqual(['zero one two three four', 'two']);
    await act(async () => other.text.delete(0, 6));
    await until(() => element().value.length === 17);
    expect(selected()).toEqual(['ne two three four', 'two']);
    element().setSelectionRange(3, 3);
    await typeInto('ne very two three four');
    element().setSelectionRange(8, 8);
    await act(async () => other.text.insert(0, 'o'));
    await until(() => element().value === 'one very two three four');
    expect([element().selectionStart, element().selectionEnd]).toEqual([9, 9]);
  });

  it('follows its key, skips null, and writes what was typed before it closes', async () => {
    await put({ id: 'a', title: 'one', body: 'first' });
    await put({ id: 'b', title: 'two', body: 'second' });
    const seen: CollabTextView[] = [];
    await render(createElement(Text, { id: 'a', seen }));
    await until(() => element().value === 'first');
    const { document: first } = seen.at(-1)!;
    await typeInto('first, typed');
    await render(createElement(Text, { id: 'b', seen }));
    expect(seen.at(-1)!.text).toBeUndefined();
    await until(() => element().value === 'second');
    await until(() => first!.state.get().name === 'closed');
    expect(await db.notes.get('a')).toMatchObject({ body: 'first, typed' });
    await render(createElement(Text, { id: null, seen }));
    expect(seen.at(-1)).toMatchObject({ document: null, state: null, text: undefined });
  });

  it('moves on to the document of another put, and has no text of one that is gone', async () => {
    await put({ id: 'a', title: 'one', body: 'first' });
    const seen: CollabTextView[] = [];
    await render(createElement(Text, { id: 'a', seen }));
    await until(() => element().value === 'first');
    await put({ id: 'a', title: 'one', body: 'second' });
    await until(() => element().value === 'second' && seen.at(-1)!.state!.generation === 1);
    await typeInto('second, typed');
    await act(async () => seen.at(-1)!.document!.flush());
    expect(await db.notes.get('a')).toMatchObject({ body: 'second, typed' });
    await act(async () => {
      await db.notes.delete('a');
    });
    await until(() => seen.at(-1)!.state!.name === 'absent');
    expect(seen.at(-1)!.text).toBeUndefined();
  });

  it('tells why a document cannot be opened', async () => {
    const seen: CollabView[] = [];
    await render(createElement(Document, { field: 'title', note: (view) => seen.push(view) }));
    await until(() => seen.at(-1)!.error !== null);
    expect(seen.at(-1)).toMatchObject({ document: null, error: { code: 'FIELD_INVALID' } });
  });

  it('is open as long as any component shows it, strict mode or not, and closed after the last', async () => {
    await put({ id: 'a', title: 'one', body: 'shared' });
    const documents = new Set<CollabDocument>();
    const note = ({ document }: CollabView): unknown => document !== null && documents.add(document);
    const probes = (count: number): ReactNode =>
      createElement(
        'div',
        null,
        ...[Words, Document, Words, Document].slice(0, count).map((one, index) => createElement(one, { key: `${index}`, note })),
      );
    await render(probes(4));
    await until(() => documents.size > 0);
    await settle();
    await render(probes(1));
    await settle();
    const [one] = documents;
    expect([documents.size, one!.state.get().name]).toEqual([1, 'open']);
    await render(null);
    await settle();
    expect(one!.state.get().name).toBe('closed');
    // And anew.
    await render(probes(2));
    await until(() => documents.size === 2);
    expect([...documents].at(-1)!.state.get().name).toBe('open');
    // Gone before it is open: nothing stays behind.
    await render(null);
    await render(probes(1));
    await render(null);
    await settle();
    expect([...documents].map(({ state }) => state.get().name)).toEqual([...documents].map(() => 'closed'));
  });

  it('renders on a server as what is not open yet, and takes over in the browser', async () => {
    await put({ id: 'a', title: 'one', body: 'text' });
    const page = createElement(Text, { id: 'a', seen: [] });
    const html = renderToString(page);
    expect(html).toContain('<textarea></textarea>');
    await act(async () => root.unmount());
    place.innerHTML = html;
    await act(async () => {
      root = hydrateRoot(place, page);
    });
    await until(() => element().value === 'text');
  });
});

describe('usePresence', () => {
  it('shows who else has the document open, tells them of this one, and leaves with the component', async () => {
    await put({ id: 'a', title: 'one', body: 'text' });
    const seen: (readonly Peer<Said>[])[] = [];
    const other = await openBeside();
    other.awareness.setLocalStateField('user', { name: 'Bob' });
    const namesThere = (): unknown[] =>
      [...other.awareness.getStates()].flatMap(([peer, { user }]) => (peer === other.doc.clientID ? [] : [user?.name]));
    await render(createElement(Together, { name: 'Ann', seen }));
    expect(seen[0]).toEqual([]);
    await until(() => seen.at(-1)!.length === 1 && seen.at(-1)![0]!.state.user?.name === 'Bob');
    expect(seen.at(-1)![0]!.subject).toBe('');
    await until(() => namesThere().includes('Ann'));
    await render(createElement(Together, { name: 'Anna', seen }));
    await until(() => namesThere().includes('Anna'));
    other.awareness.setLocalStateField('cursor', 3);
    await until(() => seen.at(-1)![0]!.state.cursor === 3);
    // Another document in the same place: everybody moves on, names and all.
    await put({ id: 'a', title: 'one', body: 'anew' });
    await until(() => other.state.get().generation === 1 && namesThere().includes('Anna'));
    await render(null);
    await until(() => namesThere().length === 0);
  });
});
