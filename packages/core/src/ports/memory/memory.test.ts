import { describe, expect, it } from 'vitest';
import { logBrokerContract } from '../../testing/contracts/log-broker-contract.ts';
import { metaStoreContract } from '../../testing/contracts/meta-store-contract.ts';
import { objectStoreContract } from '../../testing/contracts/object-store-contract.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryLocks } from './memory-locks.ts';
import { type MemoryLog, MemoryLogBroker } from './memory-log-broker.ts';
import { type MemoryMeta, MemoryMetaStore } from './memory-meta-store.ts';
import { MemoryObjectStore, type MemoryObjects } from './memory-object-store.ts';

const api = { describe, it, expect };
const dispose = async (): Promise<void> => {};

logBrokerContract(
  'memory',
  async () => {
    const log: MemoryLog = new Map();
    return { store: new MemoryLogBroker(log), reopen: async () => new MemoryLogBroker(log), dispose };
  },
  api,
);
metaStoreContract(
  'memory',
  async () => {
    const meta: MemoryMeta = { revision: 0, entries: new Map() };
    return { store: new MemoryMetaStore(meta), reopen: async () => new MemoryMetaStore(meta), dispose };
  },
  api,
);
objectStoreContract(
  'memory',
  async () => {
    const objects: MemoryObjects = new Map();
    return { store: new MemoryObjectStore(objects), reopen: async () => new MemoryObjectStore(objects), dispose };
  },
  api,
);

/** An AbortController for tests of core, which knows no DOM. */
function createAbort(): {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  abort(): void;
  readonly listeners: number;
} {
  const listeners = new Set<() => void>();
  let aborted = false;
  return {
    get aborted() {
      return aborted;
    },
    get listeners() {
      return listeners.size;
    },
    addEventListener: (_type, listener) => {
      listeners.add(listener);
    },
    removeEventListener: (_type, listener) => {
      listeners.delete(listener);
    },
    abort() {
      aborted = true;
      for (const listener of [...listeners]) listener();
    },
  };
}

function createGate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('MemoryLocks', () => {
  it('lets one hold a name at a time, first come first served, across instances of one table', async () => {
    const table = new Map();
    const [a, b] = [new MemoryLocks(table), new MemoryLocks(table)];
    const order: string[] = [];
    let holders = 0;
    const body = (name: string) => async (): Promise<void> => {
      holders += 1;
      expect(holders).toBe(1);
      order.push(name);
      await Promise.resolve();
      holders -= 1;
    };
    await Promise.all([a.hold('x', {}, body('1')), b.hold('x', {}, body('2')), a.hold('x', {}, body('3'))]);
    expect(order).toEqual(['1', '2', '3']);
    expect(table.size).toBe(0);
  });

  it('keeps different names apart', async () => {
    const locks = new MemoryLocks();
    const gate = createGate();
    const held = locks.hold('x', {}, () => gate.opened);
    let ran = false;
    await locks.hold('y', {}, async () => {
      ran = true;
    });
    expect(ran).toBe(true);
    gate.open();
    await held;
  });

  it('passes a rejection on and frees the name', async () => {
    const locks = new MemoryLocks();
    await expect(locks.hold('x', {}, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
    let ran = false;
    await locks.hold('x', {}, async () => {
      ran = true;
    });
    expect(ran).toBe(true);
  });

  it('ends the waiting, and only that, when the signal says so', async () => {
    const locks = new MemoryLocks();
    const gate = createGate();
    const [first, second] = [createAbort(), createAbort()];
    const held = locks.hold('x', { signal: first }, () => gate.opened);
    const waiting = locks.hold('x', { signal: second }, async () => expect.unreachable());
    first.abort();
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(locks.hold('z', { signal: second }, async () => expect.unreachable())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(second.listeners).toBe(0);
    gate.open();
    await held;
    await locks.hold('x', {}, async () => {});
  });
});

describe('MemoryBus', () => {
  it('delivers to everybody else on the topic, in order, not to the sender and not during publish', async () => {
    const hub = new Set<MemoryBus>();
    const [a, b, c] = [new MemoryBus(hub), new MemoryBus(hub), new MemoryBus(hub)];
    const seen: string[] = [];
    a.subscribe('t', (message) => seen.push(`a ${String(message)}`));
    b.subscribe('t', (message) => seen.push(`b ${String(message)}`));
    const stop = c.subscribe('t', (message) => seen.push(`c ${String(message)}`));
    b.subscribe('other', () => seen.push('other'));
    a.publish('t', 1);
    a.publish('t', 2);
    expect(seen).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(seen).toEqual(['b 1', 'c 1', 'b 2', 'c 2']);
    stop();
    b.publish('t', 3);
    await Promise.resolve();
    await Promise.resolve();
    expect(seen.slice(4)).toEqual(['a 3']);
  });
});
