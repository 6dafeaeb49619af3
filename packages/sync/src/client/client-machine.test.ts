import { type SingleOp, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import type { Ablations } from '../ablations.ts';
import type { ClientMessage, ServerMessage } from '../protocol.ts';
import { ClientMachine } from './client-machine.ts';
import type { DurableState } from './durable.ts';
import type { ClientEffect, ClientEvent, ClientOptions, StoreWrite } from './types.ts';

const EPOCH = 'epoch';
const CHANNEL = 'c/p/0';
const OTHER = 'c/q/0';
const PUT: SingleOp = { type: 'put', pk: 'k', fields: {}, create: true };

/** A machine whose batches are durable at once, and what it did. */
class Bench {
  readonly machine: ClientMachine;
  effects: ClientEffect[] = [];
  readonly writes: StoreWrite[] = [];
  #nowMs = 1_795_000_000_000;

  constructor(options: Partial<ClientOptions> = {}) {
    this.machine = new ClientMachine({ rng: seededRng(7), channels: [CHANNEL], replicaOf: () => undefined, ...options });
  }

  step(event: ClientEvent): ClientEffect[] {
    this.#nowMs += 1;
    const all: ClientEffect[] = [];
    const run = (next: ClientEvent): void => {
      for (const effect of this.machine.step(next, { wallMs: this.#nowMs, monotonicMs: this.#nowMs })) {
        all.push(effect);
        if (effect.type !== 'persist') continue;
        this.writes.push(...effect.writes);
        run({ type: 'persisted', batch: effect.batch });
      }
    };
    run(event);
    this.effects = all;
    return all;
  }

  message(message: ServerMessage): ClientEffect[] {
    return this.step({ type: 'message', socket: 1, message, bytes: 50 });
  }

  live(durable: DurableState = EMPTY): this {
    this.step({ type: 'elected', term: 1, durable });
    this.step({ type: 'token', token: 't', subject: 'user', expiresInMs: 3_600_000 });
    this.step({ type: 'socket-open', socket: 1 });
    this.message({ type: 'welcome', protocol: 2, logEpoch: EPOCH, clock: this.#nowMs, expiresInMs: 3_600_000 });
    return this;
  }

  get sent(): ClientMessage[] {
    return this.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
  }

  /** Answers the last subscribe; the replica is at `from`, which is the head. */
  subscribed(subscription: number, from: number, more: Partial<Extract<ServerMessage, { type: 'subscribed' }>> = {}): ClientEffect[] {
    const known = { clientId: 'device', lmid: 0, position: 0, rejected: [] };
    return this.message({ type: 'subscribed', channel: CHANNEL, subscription, head: from, known, formers: [], from, ...more });
  }
}

const EMPTY: DurableState = {
  device: { clientId: 'device', subject: '', logEpoch: EPOCH, hlc: 0 as Timestamp, nextId: 1 },
  channels: [],
};
const AT_FIVE: DurableState = {
  ...EMPTY,
  channels: [
    {
      channel: CHANNEL,
      clientId: 'device',
      nextSeq: 1,
      everSent: false,
      logEpoch: EPOCH,
      position: 5,
      maxHlc: 0 as Timestamp,
      outbox: [],
      kept: [],
    },
  ],
};

describe('channels at run time', () => {
  it('are subscribed when they are followed, and unsubscribed when they are left', () => {
    const bench = new Bench({ channels: [] }).live();
    bench.step({ type: 'follow', channel: CHANNEL });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', channel: CHANNEL, subscription: 1 }]);
    bench.step({ type: 'leave', channel: CHANNEL });
    expect(bench.sent).toMatchObject([{ type: 'unsubscribe', channel: CHANNEL, subscription: 1 }]);
    expect(bench.message({ type: 'tick', channel: CHANNEL, subscription: 1, time: 1 as Timestamp, position: 9 })).toStrictEqual([]);
  });

  it('keep their outbox while they are left', () => {
    const bench = new Bench().live();
    bench.step({ type: 'write', request: 1, channel: CHANNEL, op: PUT });
    bench.step({ type: 'leave', channel: CHANNEL });
    expect(bench.machine.outbox(CHANNEL)).toHaveLength(0);
    bench.step({ type: 'follow', channel: CHANNEL });
    expect(bench.machine.outbox(CHANNEL)).toMatchObject([{ id: 1, seq: 1 }]);
  });

  it('are followed by a tab that leads later, too', () => {
    const bench = new Bench({ channels: [] });
    bench.step({ type: 'demoted' });
    bench.step({ type: 'follow', channel: CHANNEL });
    bench.live(AT_FIVE);
    expect(bench.sent).toMatchObject([{ type: 'subscribe', channel: CHANNEL, at: 5 }]);
  });
});

describe('a write', () => {
  it('of several channels is one batch, with contiguous ids and one word that it is durable', () => {
    const bench = new Bench({ channels: [CHANNEL, OTHER] }).live();
    const writes = [CHANNEL, OTHER].map((channel) => ({ channel, op: PUT, schemaVersion: 3 }));
    const effects = bench.step({ type: 'write-batch', request: 4, writes });
    expect(effects.filter(({ type }) => type === 'persist')).toHaveLength(1);
    expect(effects).toContainEqual({ type: 'local', request: 4, id: 1 });
    expect([...bench.machine.outbox(CHANNEL), ...bench.machine.outbox(OTHER)]).toMatchObject([
      { id: 1, seq: 1, schemaVersion: 3 },
      { id: 2, seq: 1, schemaVersion: 3 },
    ]);
  });

  it('with the stamp of its view keeps it, and wins its ties', () => {
    const bench = new Bench().live();
    const hlc = 77 as Timestamp;
    bench.step({ type: 'write', request: 1, channel: CHANNEL, op: { type: 'delete', pk: 'k' }, hlc });
    expect(bench.machine.outbox(CHANNEL)).toMatchObject([{ hlc, origin: { clientId: '~~device', seq: 1 } }]);
  });

  it('[R11] that was under way when another election was won has failed, and its late batch changes nothing', () => {
    const bench = new Bench();
    bench.step({ type: 'elected', term: 1, durable: EMPTY });
    const effects = bench.machine.step({ type: 'write', request: 1, channel: CHANNEL, op: PUT }, { wallMs: 1e12, monotonicMs: 1 });
    const { batch } = effects.find((effect) => effect.type === 'persist')!;
    expect(bench.step({ type: 'elected', term: 2, durable: EMPTY })).toContainEqual({ type: 'write-failed', request: 1 });
    expect(bench.step({ type: 'persist-failed', batch, reason: 'fenced' })).toStrictEqual([]);
    expect(bench.machine.role).toBe('leader');
  });
});

describe('a bounce', () => {
  /** Pushed, then overtaken by a download that shows a write of `seen`; the next write follows that, and only then does the bounce arrive. */
  function stampsAfterLateBounce(ablations: Ablations): readonly Timestamp[] {
    const now = 1_795_000_000_000;
    const bounce = ((now + 1) * TICKS_PER_MS) as Timestamp;
    const bench = new Bench({ ablations }).live({ ...EMPTY, device: { ...EMPTY.device, hlc: (bounce * 1.1) as Timestamp } });
    bench.step({ type: 'write', request: 1, channel: CHANNEL, op: PUT });
    bench.subscribed(1, 8, { manifest: { upTo: 8, reference: Uint8Array.of(1) } });
    expect(bench.sent).toMatchObject([{ type: 'push', records: [{ seq: 1 }] }]);
    bench.step({ type: 'fetched', channel: CHANNEL, fetch: 1, snapshot: { position: 8, maxHlc: SEEN, known: [] } });
    bench.step({ type: 'write', request: 2, channel: CHANNEL, op: PUT });
    bench.message({ type: 'restamp', channel: CHANNEL, subscription: 1, seq: 1, hlc: bounce, clock: now + 1 });
    return bench.machine.outbox(CHANNEL).map(({ hlc }) => hlc);
  }
  const SEEN = ((1_795_000_000_000 + 60_000) * TICKS_PER_MS) as Timestamp;

  it('[R9] that comes late is stamped above what its channel has shown meanwhile, which the leader did not know when it answered', () => {
    expect(stampsAfterLateBounce({})).toStrictEqual([SEEN + 1, SEEN + 2]);
    expect(Math.max(...stampsAfterLateBounce({ 'restamp-below-seen': true }))).toBeLessThan(SEEN);
  });
});

describe('what is shown of a bootstrap that is under way', () => {
  it('[R10] is followed: a write that has seen it is stamped above it', () => {
    const bench = new Bench().live(EMPTY);
    const seen = ((1_795_000_000_000 + 60_000) * TICKS_PER_MS) as Timestamp;
    bench.step({ type: 'seen', channel: CHANNEL, hlc: seen });
    // Also after a restart, which finds no replica to read it from.
    expect(bench.writes.at(-1)).toMatchObject({ type: 'device', device: { hlc: seen } });
    bench.step({ type: 'write', request: 1, channel: CHANNEL, op: PUT });
    expect(bench.machine.outbox(CHANNEL).map(({ hlc }) => hlc)).toStrictEqual([seen + 1]);
    // Of a channel that was left meanwhile: void.
    expect(bench.step({ type: 'seen', channel: 'other/p/0', hlc: seen })).toStrictEqual([]);
  });
});

describe('freshness', () => {
  it('is told when what is shown holds all up to a tick, and only then', () => {
    const bench = new Bench().live(AT_FIVE);
    bench.subscribed(1, 5);
    const tick = { type: 'tick', channel: CHANNEL, subscription: 1, time: 99 as Timestamp } as const;
    expect(bench.message({ ...tick, position: 5 })).toStrictEqual([{ type: 'fresh', channel: CHANNEL, time: 99, position: 5 }]);
    expect(bench.message({ ...tick, position: 5 })).toStrictEqual([]);
    // R12: something is missing.
    bench.message({ ...tick, time: 100 as Timestamp, position: 6 });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', subscription: 2 }]);
  });
});

describe('adopting a newer manifest', () => {
  const manifest = { upTo: 8, reference: Uint8Array.of(1) };

  it('[R6] goes on showing the log meanwhile, and swaps at what is shown', () => {
    const bench = new Bench().live(AT_FIVE);
    bench.subscribed(1, 5);
    bench.step({ type: 'adopt', channel: CHANNEL, above: 3 });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', subscription: 2 }]);
    expect(bench.sent[0]).not.toHaveProperty('at');
    const [fetch] = bench.subscribed(2, 4, { head: 5, manifest: { ...manifest, upTo: 4 } });
    expect(fetch).toMatchObject({ type: 'fetch', offer: { upTo: 4 } });
    const record = { type: 'expire', clientId: 'x' } as const;
    for (const base of [5, 6]) {
      const frame = { logEpoch: EPOCH, leaderEpoch: 1, channel: CHANNEL, hashBefore: { lo: 0, hi: 0 }, base, records: [record] };
      bench.message({ type: 'frame', channel: CHANNEL, subscription: 2, frame });
    }
    expect(bench.writes.at(-1)).toMatchObject({ type: 'frame' });
    const effects = bench.step({
      type: 'fetched',
      channel: CHANNEL,
      fetch: 1,
      snapshot: { position: 4, maxHlc: 0 as Timestamp, known: [] },
    });
    expect(effects.map(({ type }) => type)).toContain('stage');
    expect(bench.writes.at(-1)).toStrictEqual({ type: 'swap', channel: CHANNEL, fetch: 1 });
    expect(bench.machine.inspect(CHANNEL)).toStrictEqual({ status: 'following', position: 6, isCaughtUp: true });
  });

  it('does not happen when the server has none above what is asked', () => {
    const bench = new Bench().live(AT_FIVE);
    bench.subscribed(1, 5);
    bench.step({ type: 'adopt', channel: CHANNEL, above: 8 });
    bench.subscribed(2, 8, { head: 8, manifest });
    expect(bench.effects.map(({ type }) => type)).not.toContain('fetch');
    expect(bench.sent).toMatchObject([{ type: 'subscribe', subscription: 3, at: 5 }]);
  });
});

describe('kept ops', () => {
  it('[R16] are dropped when a server says that they are older than seven days, also without a new log epoch', () => {
    const [channel] = AT_FIVE.channels;
    const day = 24 * 3600_000;
    const kept = [6, 8].map((days, index) => ({
      ...{ id: index + 1, channel: CHANNEL, op: PUT, hlc: 5 as Timestamp, clientId: 'device', seq: index + 1, subject: 'user', sent: true },
      schemaVersion: 1,
      keptAtMs: 1_795_000_000_000 - days * day,
    }));
    const bench = new Bench().live({ ...AT_FIVE, channels: [{ ...channel!, nextSeq: 3, everSent: true, kept }] });
    expect(bench.writes.filter(({ type }) => type === 'kept-delete')).toStrictEqual([{ type: 'kept-delete', channel: CHANNEL, id: 2 }]);
  });
});

describe('a log that lost its end and kept its epoch', () => {
  const [channel] = AT_FIVE.channels;
  const entry = { channel: CHANNEL, op: PUT, hlc: 5 as Timestamp, clientId: 'device', subject: 'user', sent: true, schemaVersion: 1 };
  const kept = [{ ...entry, id: 1, seq: 1, keptAtMs: 1_795_000_000_000 }];
  const durable = { ...AT_FIVE, channels: [{ ...channel!, nextSeq: 3, everSent: true, kept }] };

  it('[R14] is another universe for who has shown more', () => {
    const bench = new Bench().live(durable);
    bench.subscribed(1, 4, { known: { clientId: 'device', lmid: 2, position: 3, rejected: [] } });
    expect(bench.writes).toContainEqual({
      type: 'channel',
      record: { channel: CHANNEL, clientId: 'device', nextSeq: 3, everSent: true, logEpoch: 'epoch~lost' },
    });
    expect(bench.effects.map(({ type }) => type)).toContain('disconnect');
  });

  it('[R14] is noticed by what it acknowledged under a former id, although it has grown beyond what is shown', () => {
    const former = [{ ...entry, clientId: 'former', id: 1, seq: 4, keptAtMs: 1_795_000_000_000 }];
    const answer = { head: 9, from: 5, formers: [{ clientId: 'former', lmid: 4, position: 4, rejected: [] }] };
    const bench = new Bench().live({ ...AT_FIVE, channels: [{ ...channel!, kept: former }] });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', formers: ['former'] }]);
    bench.subscribed(1, 5, answer);
    expect(bench.machine.inspect(CHANNEL)).toMatchObject({ status: 'following' });
    const other = new Bench().live({ ...AT_FIVE, channels: [{ ...channel!, kept: former }] });
    other.subscribed(1, 5, { ...answer, formers: [{ clientId: 'former', lmid: 3, position: 3, rejected: [] }] });
    expect(other.effects.map(({ type }) => type)).toContain('disconnect');
  });

  it('[R14] is noticed by a channel whose id is new already, because another channel noticed it first', () => {
    const held = { ...entry, id: 2, clientId: 'former', seq: 2 };
    const before = {
      ...channel!,
      clientId: 'former',
      nextSeq: 3,
      everSent: true,
      outbox: [held],
      kept: kept.map((one) => ({ ...one, clientId: 'former' })),
    };
    const bench = new Bench().live({ ...AT_FIVE, channels: [before] });
    bench.subscribed(1, 0, { head: 4, from: 0, formers: [{ clientId: 'former', lmid: 0, position: 0, rejected: [] }] });
    expect(bench.sent).toMatchObject([
      {
        type: 'push',
        records: [
          { clientId: 'device', seq: 1 },
          { clientId: 'device', seq: 2 },
        ],
      },
    ]);
    expect(bench.effects).toContainEqual(expect.objectContaining({ type: 'fetch' }));
  });

  it('[R13] is noticed by a frame that begins before what is shown ends, because what is shown ends where a frame ended', () => {
    const bench = new Bench().live(AT_FIVE);
    bench.subscribed(1, 5, { head: 7 });
    const records = [5, 6, 7].map(() => ({ type: 'expire', clientId: 'x' }) as const);
    const frame = { logEpoch: EPOCH, leaderEpoch: 1, channel: CHANNEL, hashBefore: { lo: 0, hi: 0 }, base: 5, records };
    const written = bench.writes.length;
    bench.message({ type: 'frame', channel: CHANNEL, subscription: 1, frame });
    expect(bench.writes.slice(written).map(({ type }) => type)).not.toContain('frame');
    expect(bench.sent).toMatchObject([{ type: 'subscribe', subscription: 2 }]);
    expect(bench.sent[0]).not.toHaveProperty('at');
  });

  it('[R14] is another universe for who was told more of its own writes, and gets them again', () => {
    const bench = new Bench().live(durable);
    bench.subscribed(1, 5, { known: { clientId: 'device', lmid: 1, position: 3, rejected: [] } });
    bench.step({ type: 'timer', timer: 'reconnect' });
    const { socket } = bench.effects.find((effect) => effect.type === 'connect')!;
    bench.step({ type: 'socket-open', socket });
    const { clientId } = bench.sent.find((message) => message.type === 'hello')!;
    const welcome = { type: 'welcome', protocol: 2, logEpoch: EPOCH, clock: 1_795_000_000_000, expiresInMs: 3_600_000 } as const;
    bench.step({ type: 'message', socket, message: welcome, bytes: 50 });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', formers: ['device'] }]);
    const known = { clientId, lmid: 0, position: 0, rejected: [] };
    const formers = [{ clientId: 'device', lmid: 0, position: 0, rejected: [] }];
    const answer = { type: 'subscribed', channel: CHANNEL, subscription: 2, head: 5, known, formers, from: 0 } as const;
    bench.step({ type: 'message', socket, message: answer, bytes: 50 });
    expect(bench.sent).toMatchObject([{ type: 'push', records: [{ clientId, seq: 1, origin: { clientId: 'device', seq: 1 } }] }]);
  });
});

describe('a token of an earlier term', () => {
  const bound = (subject: string): DurableState => ({ ...EMPTY, device: { ...EMPTY.device, subject } });

  it('is not used when the database belongs to another subject by now', () => {
    const bench = new Bench().live();
    bench.step({ type: 'elected', term: 2, durable: bound('somebody-else') });
    expect(bench.effects).toContainEqual({ type: 'get-token', reason: 'start' });
    expect(bench.effects.map(({ type }) => type)).not.toContain('connect');
  });

  it('is used again by the same subject, and binds a database that is not bound yet', () => {
    const bench = new Bench().live();
    bench.step({ type: 'elected', term: 2, durable: bound('user') });
    expect(bench.effects.map(({ type }) => type)).toContain('connect');
    bench.step({ type: 'elected', term: 3, durable: EMPTY });
    expect(bench.writes.at(-1)).toMatchObject({ type: 'device', device: { subject: 'user' } });
  });
});

describe('batches', () => {
  it('become durable in their order: a host that leaves one out is stopped', () => {
    const { machine } = new Bench();
    const now = { wallMs: 1e12, monotonicMs: 1 };
    machine.step({ type: 'elected', term: 1, durable: EMPTY }, now);
    const batches = [1, 2].map((request) => {
      const effects = machine.step({ type: 'write', request, channel: CHANNEL, op: PUT }, now);
      return effects.find((effect) => effect.type === 'persist')!.batch;
    });
    expect(() => machine.step({ type: 'persisted', batch: batches[1]! }, now)).toThrow(/expected to be durable next/);
  });
});

describe('a restart', () => {
  it('[R2] with a hole in the outbox queues what is left under a new id', () => {
    const [channel] = AT_FIVE.channels;
    const entry = { channel: CHANNEL, op: PUT, hlc: 5 as Timestamp, clientId: 'device', subject: 'user', sent: false, schemaVersion: 1 };
    const outbox = [1, 3].map((seq) => ({ ...entry, id: seq, seq }));
    const bench = new Bench().live({ ...AT_FIVE, channels: [{ ...channel!, nextSeq: 4, outbox }] });
    bench.subscribed(1, 5);
    expect(bench.sent.map(({ type }) => type)).not.toContain('push');
    expect(bench.effects.map(({ type }) => type)).toContain('disconnect');
  });

  it('[R4] asks what became of entries that stayed under a former id, and queues them again when the log has forgotten it', () => {
    const held = {
      id: 1,
      channel: CHANNEL,
      op: PUT,
      hlc: 5 as Timestamp,
      clientId: 'former',
      seq: 3,
      subject: 'user',
      sent: true,
      schemaVersion: 1,
    };
    const [channel] = AT_FIVE.channels;
    const bench = new Bench().live({ ...AT_FIVE, channels: [{ ...channel!, outbox: [held] }] });
    expect(bench.sent).toMatchObject([{ type: 'subscribe', formers: ['former'] }]);
    bench.subscribed(1, 5, { formers: [{ clientId: 'former', lmid: 0, position: 0, rejected: [] }] });
    expect(bench.writes.at(-1)).toMatchObject({ type: 'device' });
    expect(bench.effects.map(({ type }) => type)).toContain('disconnect');
  });
});
