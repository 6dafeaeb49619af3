import { DbError, type ErrorMessage } from '@terndb/core';

/**
 * Calls over one port, both ways: how a page and its engine worker talk. Each side answers calls by name, in the order in which they come; a call
 * begins when its message arrives. Messages without a known `rpc` are somebody else's on the same port.
 */
type Message =
  | { readonly rpc: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly rpc: 'done'; readonly id: number; readonly value: unknown }
  /** Of anything thrown, as a DbError with its code; a bug arrives as INTERNAL with its message. */
  | { readonly rpc: 'failed'; readonly id: number; readonly error: ErrorMessage };

export interface PeerPort {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Message | undefined>) => void): void;
  /** Of message ports. */
  start?(): void;
}

export type Methods = Readonly<Record<string, (...args: any[]) => unknown>>;

/** Answers with `own` from now on. @returns calls the other side; rejects with its error, or with DataCloneError, and waits as long as it takes. */
export function connectPeer(port: PeerPort, own: Methods): (method: string, ...args: readonly unknown[]) => Promise<unknown> {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: DbError): void }>();
  let nextId = 1;
  const post = (message: Message): void => port.postMessage(message);
  const answer = async (id: number, method: string, args: readonly unknown[]): Promise<void> => {
    try {
      post({ rpc: 'done', id, value: await own[method]!(...args) });
    } catch (thrown) {
      post({ rpc: 'failed', id, error: DbError.from(thrown).toJSON() });
    }
  };
  port.addEventListener('message', ({ data }) => {
    if (data?.rpc === 'call') {
      void answer(data.id, data.method, data.args);
    } else if (data?.rpc !== undefined) {
      const waiting = pending.get(data.id);
      pending.delete(data.id);
      if (data.rpc === 'done') waiting?.resolve(data.value);
      else waiting?.reject(DbError.fromMessage(data.error));
    }
  });
  port.start?.();
  return (method, ...args) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      post({ rpc: 'call', id, method, args });
      pending.set(id, { resolve, reject });
    });
}
