import { DbError } from '@terndb/core';
import {
  type Altered,
  type ClientEvent,
  decodeMessage,
  encodeMessage,
  type Hint,
  type Hinted,
  type Presence,
  type Present,
} from '@terndb/sync';
import type { Endpoint, Network, SyncSocket } from './network.ts';

type SocketEvent = Extract<ClientEvent, { readonly type: 'socket-open' | 'socket-closed' | 'message' }>;
type Outgoing = Parameters<typeof encodeMessage>[0];
type FromServer = Extract<ClientEvent, { type: 'message' }>['message'];
type Hear = (message: Present | Hinted | Altered) => void;

/** The client machine's socket: one at a time, by the machine's number for it; what an older one still says is void. */
export class MachineSocket {
  readonly #network: Network;
  readonly #endpoint: Endpoint;
  readonly #dispatch: (event: SocketEvent) => void;
  /** What is said beside the machine. */
  readonly #hear: Hear;
  #current: { readonly id: number; readonly socket: SyncSocket } | undefined;

  constructor(ports: { readonly network: Network; readonly endpoint: Endpoint }, dispatch: (event: SocketEvent) => void, hear: Hear) {
    this.#network = ports.network;
    this.#endpoint = ports.endpoint;
    this.#dispatch = dispatch;
    this.#hear = hear;
  }

  open(id: number): void {
    this.close();
    const isCurrent = (): boolean => this.#current?.id === id;
    const socket = this.#network.openSocket(this.#endpoint.socket, {
      onOpen: () => isCurrent() && this.#dispatch({ type: 'socket-open', socket: id }),
      onMessage: (bytes) => {
        if (isCurrent()) this.#onMessage(id, bytes);
      },
      onClose: () => {
        if (!isCurrent()) return;
        this.#current = undefined;
        this.#dispatch({ type: 'socket-closed', socket: id });
      },
    });
    this.#current = { id, socket };
  }

  send(id: number, message: Outgoing): void {
    if (this.#current?.id === id) this.#current.socket.send(encodeMessage(message));
  }

  /** Beside the machine, over whatever socket it has. */
  say(message: Presence | Hint): void {
    this.#current?.socket.send(encodeMessage(message));
  }

  close(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.socket.close();
  }

  #onMessage(id: number, bytes: Uint8Array): void {
    try {
      const message = decodeMessage(bytes);
      if (message?.type === 'present' || message?.type === 'hinted' || message?.type === 'altered') {
        this.#hear(message);
        return;
      }
      // Of a newer server, and not needed.
      if (message === undefined) return;
      this.#dispatch({ type: 'message', socket: id, message: message as FromServer, bytes: bytes.length });
    } catch (thrown) {
      if (!(thrown instanceof DbError)) throw thrown;
      // Nothing after a message that cannot be read may be trusted: as if the line were cut.
      this.close();
      this.#dispatch({ type: 'socket-closed', socket: id });
    }
  }
}
