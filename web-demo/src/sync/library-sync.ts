import type { Connection } from '@terndb/client';
import type { Library } from '../library/open-library.ts';
import { findServer, rememberedServer } from './server-address.ts';
import { fetchToken } from './token.ts';
import { ValueStore } from './value-store.ts';

export interface Sharing {
  /** `looking`: not known yet whether there is one. `none`: this page's host is static, the library stays on this device. */
  readonly server: 'looking' | 'none' | 'found';
  /** Switched off by the user, in every tab of this browser. */
  readonly pretendOffline: boolean;
  /** Newest first; the last `MAX_NOTES` of them. */
  readonly notes: readonly SyncNote[];
}
export interface SyncNote {
  readonly id: number;
  readonly at: Date;
  readonly text: string;
}

/**
 * The whole library is the partition that entities are in unless they say another: one made before there was a server becomes shared as it is,
 * row by row, with the first connection.
 */
export const PARTITIONS = ['_default'];

const OFFLINE_KEY = 'tern-library:pretend-offline';
/** A look back, not a log file. */
const MAX_NOTES = 20;

/** Connects the library to the server that it was loaded from, if there is one, and keeps what happened. One per page, as the library. */
export class LibrarySync {
  readonly store: ValueStore<Sharing> = new ValueStore<Sharing>({
    server: 'looking',
    pretendOffline: localStorage.getItem(OFFLINE_KEY) !== null,
    notes: [],
  });
  readonly #library: Library;
  #server: string | null = null;
  #connection: Connection | null = null;
  #nextNote = 1;

  constructor(library: Library) {
    this.#library = library;
    this.#listen();
    void this.#start();
  }

  /** Ends or begins the connection: for trying what happens offline without leaving the room. Other tabs follow. */
  pretendOffline(pretend: boolean): void {
    if (pretend) localStorage.setItem(OFFLINE_KEY, '1');
    else localStorage.removeItem(OFFLINE_KEY);
    this.#follow(pretend);
  }

  note(text: string): void {
    const note = { id: this.#nextNote++, at: new Date(), text };
    this.#change({ notes: [note, ...this.store.get().notes].slice(0, MAX_NOTES) });
  }

  async #start(): Promise<void> {
    const remembered = rememberedServer();
    if (remembered !== null) this.#found(remembered);
    // What cannot be told now is looked for when the network is back.
    if (navigator.onLine) await this.#look();
    if (this.store.get().server === 'looking') window.addEventListener('online', () => void this.#look(), { once: true });
  }

  async #look(): Promise<void> {
    try {
      const server = await findServer();
      if (server !== null) this.#found(server);
      else if (this.#server === null) this.#change({ server: 'none' });
    } catch {
      // No network; the client goes on by itself with what it knows.
    }
  }

  #found(server: string): void {
    if (this.#server === server) return;
    this.#server = server;
    this.#change({ server: 'found' });
    this.#follow(this.store.get().pretendOffline);
  }

  #follow(pretendOffline: boolean): void {
    this.#change({ pretendOffline });
    const server = this.#server;
    if (server === null) return;
    if (pretendOffline) {
      void this.#connection?.disconnect();
      this.#connection = null;
      return;
    }
    this.#connection ??= this.#library.connect({ url: server, partitions: PARTITIONS, getToken: () => this.#token(server) });
  }

  async #token(server: string): Promise<string> {
    try {
      return await fetchToken(server);
    } catch (error) {
      this.note(`No token: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  #listen(): void {
    window.addEventListener('storage', ({ key }) => {
      if (key === OFFLINE_KEY || key === null) this.#follow(localStorage.getItem(OFFLINE_KEY) !== null);
    });
    this.#library.on('rejected', ({ error }) => this.note(`The server refused a write: ${error.code}.`));
    this.#library.on('conflict', ({ field, lost }) =>
      this.note(`Another device changed the same ${field} later; “${excerpt(lost)}” gave way.`),
    );
    let before = this.#library.sync.get().state.name;
    this.#library.sync.subscribe(({ state }) => {
      if (state.name === before) return;
      if (state.name === 'live') this.note('Up to date with the server.');
      else if (state.name === 'offline' && before !== 'connecting') this.note('The server cannot be reached.');
      else if (state.name === 'needs-auth') this.note(`The server wants a token${state.detail === undefined ? '' : `: ${state.detail}`}.`);
      else if (state.name === 'incompatible') this.note('Server and page do not understand each other.');
      else if (state.name === 'off') this.note('Disconnected.');
      before = state.name;
    });
  }

  #change(change: Partial<Sharing>): void {
    this.store.set({ ...this.store.get(), ...change });
  }
}

/** Enough of a value to recognise it. */
const EXCERPT_CHARS = 40;

function excerpt(value: unknown): string {
  const text = String(value);
  return text.length > EXCERPT_CHARS ? `${text.slice(0, EXCERPT_CHARS)}…` : text;
}

let shared: LibrarySync | undefined;

export function librarySync(library: Library): LibrarySync {
  shared ??= new LibrarySync(library);
  return shared;
}
