import { MAX_COLLAB_BYTES, MAX_COLLAB_UPDATE_BYTES, WARN_COLLAB_BYTES } from '@terndb/core';
import type { CollabBase } from '@terndb/engine';
import type { Awareness } from 'y-protocols/awareness';
import { applyUpdate, Doc, mergeUpdates, type Text, UndoManager } from 'yjs';
import type { Store } from '../api/status.ts';
import { ValueStore } from '../database/value-store.ts';
import { DbError } from '../index.ts';
import type { CollabNews } from '../worker/protocol.ts';
import { HintedUpdates } from './hinted-updates.ts';
import { DocumentPresence, type PresencePort } from './presence.ts';
import { retype } from './retype.ts';

/** As the engine names it. */
const TEXT_ROOT = 'text';
/** After a write that may work later: storage is full, or goes back to its durable state. */
const RETRY_MS = 1_000;
/** What others typed and the log has not told for one to two of these is looked for in what is stored, and taken back. */
const DOUBT_MS = 15_000;

/** What a document needs of its database. */
export interface CollabPort {
  /** Resolves when the update is durable on this device. */
  write(base: CollabBase, update: Uint8Array): Promise<void>;
  /** Tells those who have it open, at once; it may be lost. */
  hint(base: CollabBase, update: Uint8Array): void;
  watch(onEvent: (event: CollabNews) => void, onError: (error: DbError) => void): () => void;
  after(ms: number, run: () => void): () => void;
  readonly presence: Omit<PresencePort, 'after'>;
}

export interface CollabOptions {
  readonly isText: boolean;
}

export interface CollabState {
  /**
   * `open`: what is typed is kept. `absent`: there is no such entity; what is typed is refused with it. `closed`: by its user, or with its database.
   */
  readonly name: 'opening' | 'open' | 'absent' | 'closed';
  /** Counts the documents: another one when somebody put the entity anew, or an edit could not be kept. Editors have to be bound again. */
  readonly generation: number;
  /** Edits that are not yet durable on this device. */
  readonly unsaved: number;
  readonly bytes: number;
  /** Edits are refused beyond it; from `isLarge` on somebody should split the document. */
  readonly maxBytes: number;
  readonly isLarge: boolean;
  /** The last edit that could not be kept, until one can. */
  readonly error: DbError | null;
}

/**
 * One collab document, open on this page. `doc` (and `text`) are Yjs' own: any editor binding works on them. What the page does to them is written
 * in the order it was done, as few updates as the device can make durable; what others do is applied as it arrives. One store: there is no second
 * one beside the database that could disagree with it.
 */
export class CollabDocument {
  readonly #port: CollabPort;
  readonly #isText: boolean;
  readonly #state: ValueStore<CollabState>;
  readonly #known: Promise<void>;
  #resolveKnown: () => void = () => {};
  #rejectKnown: (error: DbError) => void = () => {};
  #doc: Doc = new Doc();
  #undo: UndoManager | undefined;
  #presence: DocumentPresence | undefined;
  #base: CollabBase | undefined;
  /** Edits to be written, oldest first. */
  #pending: Uint8Array[] = [];
  /** Of this turn. */
  #untold: Uint8Array[] = [];
  #writing: Promise<void> | undefined;
  #cancelRetry: () => void = () => {};
  /** Shown, and not told by the log yet. */
  readonly #hinted = new HintedUpdates();
  /** Something hinted was never true: no more of it in this document. */
  #areHintsOver = false;
  /** Hinted long ago: looked for in the whole document, which is on its way. */
  #doubted: readonly Uint8Array[] = [];
  /** Yjs failed in the middle of a hint: what is shown is made anew when nothing here is unwritten. */
  #isBroken = false;
  #cancelDoubt: (() => void) | undefined;
  #stop: () => void = () => {};

  constructor(port: CollabPort, { isText }: CollabOptions) {
    this.#port = port;
    this.#isText = isText;
    this.#state = new ValueStore<CollabState>({
      name: 'opening',
      generation: 0,
      unsaved: 0,
      bytes: 0,
      maxBytes: MAX_COLLAB_BYTES,
      isLarge: false,
      error: null,
    });
    this.#known = new Promise((resolve, reject) => {
      this.#resolveKnown = resolve;
      this.#rejectKnown = reject;
    });
    this.#known.catch(() => {});
    this.#listen();
    this.#watch();
  }

  /** Of this generation: see `state`. */
  get doc(): Doc {
    return this.#doc;
  }

  /** Of a `collabText` field. */
  get text(): Text {
    return this.#doc.getText(TEXT_ROOT);
  }

  /** Makes the text of a `collabText` field this one, with one edit where they differ: for fields that know nothing of edits. */
  setText(wanted: string): void {
    retype(this.text, wanted);
  }

  /** Takes back the page's own edits of the text, never those of others. Of this generation. */
  get undo(): UndoManager {
    this.#undo ??= new UndoManager(this.#isText ? this.text : this.#doc);
    return this.#undo;
  }

  /**
   * Who else has it open, as editor bindings want it: set a `user` of your own (`setLocalStateField('user', { name, color })`), and others see it. Of
   * this generation; the first use joins.
   */
  get awareness(): Awareness {
    const { presence, after } = this.#port;
    this.#presence ??= new DocumentPresence(this.#doc, { ...presence, after });
    return this.#presence.awareness;
  }

  get state(): Store<CollabState> {
    return this.#state;
  }

  /** @throws what opening it ran into. */
  whenKnown(): Promise<void> {
    return this.#known;
  }

  /** Resolves when every edit so far is durable on this device; rejects with what keeps one from being so. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#pending.length > 0) {
      this.#cancelRetry();
      await this.#flush();
      const { error, name } = this.#state.get();
      if (error !== null) throw error;
      if (name !== 'open') return;
    }
  }

  /** What was typed is written first. The Yjs document stays usable, and is no longer kept. */
  async close(): Promise<void> {
    if (this.#state.get().name === 'closed') return;
    await this.flush().catch(() => {});
    this.#end(this.#state.get().error);
  }

  #watch(): void {
    this.#stop = this.#port.watch(
      (event) => this.#onEvent(event),
      (error) => this.#end(error),
    );
  }

  #listen(): void {
    const doc = this.#doc;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this || doc !== this.#doc || this.#state.get().name === 'closed') return;
      this.#pending.push(update);
      this.#untold.push(update);
      this.#state.update({ unsaved: this.#pending.length });
      // At the end of the turn: an editor's transaction is several updates.
      if (this.#untold.length === 1) queueMicrotask(() => this.#turnEnded());
    });
  }

  /** Others need not wait for what is being written. */
  #turnEnded(): void {
    const untold = this.#untold;
    this.#untold = [];
    if (this.#base !== undefined && untold.length > 0) this.#port.hint(this.#base, merge(untold));
    if (this.#writing === undefined) void this.#flush();
  }

  #onEvent(event: CollabNews): void {
    const { name } = this.#state.get();
    if (name === 'closed') return;
    if (event.type === 'hint') {
      this.#show(event.update);
      return;
    }
    if (event.type === 'gone') {
      this.#base = undefined;
      this.#state.update({ name: 'absent' });
    } else if (event.type === 'updates') {
      for (const update of event.updates) applyUpdate(this.#doc, update, this);
      for (const update of event.updates) this.#hinted.confirm(update);
      this.#resized(event.bytes);
    } else {
      const before = this.#base;
      // The same passage, led by a server from now on: what was typed and not yet written goes with it.
      const moved = before?.home === 'device' && event.base.home === 'server' && this.#isText ? this.text.toString() : undefined;
      const isOther = name !== 'opening' && !isSame(before, event.base);
      if (isOther || this.#isUntrue(event.update)) this.#restart();
      if (isOther) this.#areHintsOver = false;
      this.#base = event.base;
      applyUpdate(this.#doc, event.update, this);
      if (moved !== undefined) retype(this.text, moved);
      this.#state.update({ name: 'open' });
      this.#resized(event.bytes);
    }
    this.#resolveKnown();
  }

  /* ---------- what others type, before the log tells it ---------- */
  #show(update: Uint8Array): void {
    if (this.#areHintsOver || this.#isBroken || this.#state.get().name !== 'open' || !this.#hinted.add(update)) return;
    try {
      applyUpdate(this.#doc, update, this);
    } catch {
      // Half applied, perhaps. Stored with what is typed here it would take that with it.
      this.#hinted.drop([update]);
      this.#isBroken = true;
      this.#compare([]);
      return;
    }
    this.#doubtLater();
  }

  #doubtLater(): void {
    const suspects = this.#hinted.held;
    this.#cancelDoubt ??= this.#port.after(DOUBT_MS, () => {
      this.#cancelDoubt = undefined;
      const { held } = this.#hinted;
      const late = held.filter((update) => suspects.includes(update));
      if (late.length > 0 || this.#isBroken) this.#compare(late);
      else if (held.length > 0) this.#doubtLater();
    });
  }

  /** With the document as it is stored. */
  #compare(doubted: readonly Uint8Array[]): void {
    if (this.#state.get().name === 'closed') return;
    this.#doubted = doubted;
    this.#stop();
    this.#watch();
  }

  /** Whether something doubted is not in the whole document; what came since has its time. While somebody types here it is stored with that. */
  #isUntrue(document: Uint8Array): boolean {
    this.#hinted.confirm(document);
    const doubted = this.#doubted;
    this.#doubted = [];
    const { held } = this.#hinted;
    const isTyping = this.#writing !== undefined || this.#pending.length > 0;
    if (!isTyping && (this.#isBroken || held.some((update) => doubted.includes(update)))) {
      this.#areHintsOver = true;
      return true;
    }
    if (held.length > 0 || this.#isBroken) this.#doubtLater();
    return false;
  }

  #forgetHints(): void {
    this.#cancelDoubt?.();
    this.#cancelDoubt = undefined;
    this.#doubted = [];
    this.#isBroken = false;
    this.#hinted.clear();
  }

  /** What was not written for the old document has nothing to merge into. */
  #restart(): void {
    this.#pending = [];
    this.#untold = [];
    this.#forgetHints();
    this.#undo?.destroy();
    this.#undo = undefined;
    const local = this.#presence?.awareness.getLocalState();
    this.#presence?.close();
    this.#presence = undefined;
    const before = this.#doc;
    this.#doc = new Doc();
    this.#listen();
    before.destroy();
    // Selections are of the old document; who it is stays.
    if (local?.['user'] !== undefined) this.awareness.setLocalStateField('user', local['user']);
    this.#state.update({ generation: this.#state.get().generation + 1, unsaved: 0 });
  }

  #resized(bytes: number): void {
    if (bytes !== this.#state.get().bytes) this.#state.update({ bytes, isLarge: bytes >= WARN_COLLAB_BYTES });
  }

  /** One write at a time: what is typed meanwhile goes with the next. */
  async #flush(): Promise<void> {
    if (this.#writing !== undefined) return await this.#writing;
    if (this.#pending.length === 0 || this.#state.get().name === 'closed') return;
    this.#writing = this.#writeNext();
    await this.#writing;
    this.#writing = undefined;
    if (this.#pending.length > 0 && this.#state.get().error === null) void this.#flush();
  }

  async #writeNext(): Promise<void> {
    const base = this.#base;
    if (base === undefined) return this.#refused(absent());
    const taken = this.#take();
    const doc = this.#doc;
    // What was typed upon letters that the log may never get would wait for them for ever: they are stored with it.
    const { held, bytes } = this.#hinted;
    try {
      const fits = sizeOf(taken) + bytes <= MAX_COLLAB_UPDATE_BYTES;
      if (!fits && held.length > 0) await this.#port.write(base, merge(held));
      await this.#port.write(base, merge(fits ? [...held, ...taken] : taken));
      this.#hinted.drop(held);
      this.#state.update({ unsaved: this.#pending.length, error: null });
    } catch (thrown) {
      // Of a document that is not shown any more.
      if (doc !== this.#doc) return;
      const error = DbError.from(thrown);
      if (error.kind === 'closed') this.#end(error);
      else if (error.kind === 'unavailable') this.#tryLater(taken, error);
      else this.#refused(error);
    }
  }

  /** As many as fit one op, at least one. */
  #take(): Uint8Array[] {
    let bytes = 0;
    let count = 0;
    for (const update of this.#pending) {
      bytes += update.length;
      if (count > 0 && bytes > MAX_COLLAB_UPDATE_BYTES) break;
      count += 1;
    }
    return this.#pending.splice(0, count);
  }

  #tryLater(taken: readonly Uint8Array[], error: DbError): void {
    this.#pending = [...taken, ...this.#pending];
    this.#state.update({ unsaved: this.#pending.length, error });
    this.#cancelRetry = this.#port.after(RETRY_MS, () => {
      this.#state.update({ error: null });
      void this.#flush();
    });
  }

  /** It can never be kept, so it is not shown either: the document is opened anew as it is stored. */
  #refused(error: DbError): void {
    this.#stop();
    this.#base = undefined;
    this.#restart();
    this.#state.update({ name: 'opening', error });
    this.#watch();
  }

  #end(error: DbError | null): void {
    this.#stop();
    this.#cancelRetry();
    this.#state.update({ name: 'closed', error, unsaved: 0 });
    this.#pending = [];
    this.#untold = [];
    this.#undo?.destroy();
    this.#undo = undefined;
    this.#presence?.close();
    this.#forgetHints();
    this.#rejectKnown(error ?? new DbError('DATABASE_CLOSED', 'document: an open one expected, got one closed by its user'));
  }
}

function isSame(a: CollabBase | undefined, b: CollabBase): boolean {
  return a?.clientId === b.clientId && a.seq === b.seq && a.home === b.home;
}

function merge(updates: readonly Uint8Array[]): Uint8Array {
  return updates.length === 1 ? updates[0]! : mergeUpdates([...updates]);
}

function sizeOf(updates: readonly Uint8Array[]): number {
  return updates.reduce((sum, { length }) => sum + length, 0);
}

function absent(): DbError {
  return new DbError('NOT_FOUND', 'document: an entity that is there expected, got none');
}
