import { afterEach, describe, expect, it } from 'vitest';
import { DbError } from '../index.ts';
import { connectPeer, type Methods } from './peer.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function peers(
  page: Methods,
  worker: Methods,
): { call: ReturnType<typeof connectPeer>; back: ReturnType<typeof connectPeer>; port: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  return { call: connectPeer(port1, page), back: connectPeer(port2, worker), port: port1 };
}

describe('calls over one port', () => {
  it('go both ways at once, and each gets its own answer', async () => {
    const { call, back } = peers({ double: (n: number) => n * 2 }, { add: async (a: number, b: number) => a + b });
    expect(await Promise.all([call('add', 1, 2), back('double', 21), call('add', 3, 4)])).toEqual([3, 42, 7]);
  });

  it('begin in the order in which they were made, though one before waits', async () => {
    const begun: number[] = [];
    let release = (): void => {};
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { call } = peers({}, { work: (n: number) => (begun.push(n), n === 1 ? wait : undefined) });
    const first = call('work', 1);
    await call('work', 2);
    expect(begun).toEqual([1, 2]);
    release();
    await first;
  });

  it('reject with the code and details that were thrown there; a bug, and an answer that cannot be copied, come as INTERNAL', async () => {
    const thrown = new DbError('FIELD_INVALID', 'title: text expected', { details: { field: 'title' } });
    const { call } = peers(
      {},
      {
        refuse: () => {
          throw thrown;
        },
        bug: async () => {
          throw new TypeError('oops');
        },
        uncopied: () => () => {},
      },
    );
    await expect(call('refuse')).rejects.toMatchObject({ code: 'FIELD_INVALID', message: thrown.message, details: { field: 'title' } });
    await expect(call('bug')).rejects.toMatchObject({ code: 'INTERNAL', message: 'oops' });
    await expect(call('uncopied')).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(call('nobody knows it')).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('reject at once when what is given cannot be copied, and leave other messages on the port alone', async () => {
    const { call, port } = peers({}, { echo: (value: unknown) => value });
    await expect(call('echo', () => {})).rejects.toMatchObject({ name: 'DataCloneError' });
    port.postMessage({ terndb: 'embedder' });
    port.postMessage(undefined);
    expect(await call('echo', 5n)).toBe(5n);
  });
});
