import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import type { Doc } from 'yjs';

/** Ten a second is what a server passes on. */
const MIN_INTERVAL_MS = 100;

export interface PresencePort {
  say(peer: number, state: Uint8Array): void;
  watch(onNews: (news: { readonly peer: number; readonly subject: string; readonly state: Uint8Array }) => void): () => void;
  after(ms: number, run: () => void): () => void;
}

/**
 * Who else has the document open, as Yjs' editor bindings expect it. The page's own state goes out at most ten times a second; those of others come
 * in with `subject`, the name in their token, which they cannot choose. Somebody unheard for 30 s is gone.
 */
export class DocumentPresence {
  readonly awareness: Awareness;
  readonly #port: PresencePort;
  readonly #stop: () => void;
  #cancel: (() => void) | undefined;
  #isWaiting = false;
  #isOver = false;

  constructor(doc: Doc, port: PresencePort) {
    this.#port = port;
    this.awareness = new Awareness(doc);
    this.awareness.on('update', (_changes: unknown, origin: unknown) => {
      if (origin !== this && !this.#isOver) this.#say();
    });
    this.#stop = port.watch(({ peer, subject, state }) => this.#hear(peer, subject, state));
    // A topic is heard by those who are in it.
    this.#say();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel?.();
    this.#stop();
    this.#port.say(this.awareness.clientID, new Uint8Array(0));
    this.awareness.destroy();
  }

  /** At once, then what is newest when the interval is over. */
  #say(): void {
    this.#isWaiting = true;
    if (this.#cancel !== undefined) return;
    this.#sayNow();
    this.#cancel = this.#port.after(MIN_INTERVAL_MS, () => {
      this.#cancel = undefined;
      if (this.#isWaiting && !this.#isOver) this.#say();
    });
  }

  #sayNow(): void {
    this.#isWaiting = false;
    const { clientID } = this.awareness;
    const state = this.awareness.getLocalState();
    const clock = this.awareness.meta.get(clientID)?.clock ?? 0;
    const text = state === null ? '' : JSON.stringify({ clock, state });
    this.#port.say(clientID, new TextEncoder().encode(text));
  }

  #hear(peer: number, subject: string, bytes: Uint8Array): void {
    if (this.#isOver || peer === this.awareness.clientID) return;
    if (bytes.length === 0) {
      removeAwarenessStates(this.awareness, [peer], this);
      return;
    }
    const said = read(bytes);
    if (said === undefined) return;
    // Only of who says it: an update of Yjs' own could speak for others.
    const states = new Map([[peer, { ...said.state, subject }]]);
    const meta = new Map([[peer, { clock: said.clock, lastUpdated: 0 }]]);
    applyAwarenessUpdate(this.awareness, encodeAwarenessUpdate({ states, meta } as unknown as Awareness, [peer]), this);
  }
}

/** Of other devices: anything may be in it. */
function read(bytes: Uint8Array): { readonly clock: number; readonly state: Readonly<Record<string, unknown>> } | undefined {
  try {
    const { clock, state } = JSON.parse(new TextDecoder().decode(bytes)) as { clock?: unknown; state?: unknown };
    if (!Number.isSafeInteger(clock) || (clock as number) < 0 || typeof state !== 'object' || state === null) return undefined;
    return { clock: clock as number, state: state as Readonly<Record<string, unknown>> };
  } catch {
    return undefined;
  }
}
