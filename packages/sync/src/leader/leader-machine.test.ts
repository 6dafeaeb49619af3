import { type Op, type OpRecord, type SingleOp, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import type { Ablations } from '../ablations.ts';
import type { ChannelAnswer } from '../protocol.ts';
import { PlainFolds } from '../testing/plain-fold.ts';
import { LeaderMachine } from './leader-machine.ts';
import { type LeaderEffect, type LeaderEvent, type LeaderOptions, type Principal, serverClientId } from './types.ts';

const NOW_MS = 1_795_000_000_000;
const CHANNEL = 'c/p/0';
const EPOCH = 'epoch';
const HLC = (NOW_MS * TICKS_PER_MS) as Timestamp;

/** A leader whose appends are answered by the test, one event at a time. */
class Bench {
  readonly folds = new PlainFolds();
  readonly machine: LeaderMachine;
  effects: LeaderEffect[] = [];
  nowMs = NOW_MS;

  constructor(options: Partial<LeaderOptions> & { readonly ablations?: Ablations } = {}) {
    this.machine = new LeaderMachine({ logEpoch: EPOCH, leaderEpoch: 1, folds: this.folds, ...options });
    this.machine.start();
  }

  step(event: LeaderEvent): LeaderEffect[] {
    this.effects = this.machine.step(event, this.nowMs);
    return this.effects;
  }

  get append(): Extract<LeaderEffect, { type: 'append' }> | undefined {
    return this.effects.find((effect) => effect.type === 'append');
  }

  /** Answers the append of the last step, and those that follow from it. */
  commit(): LeaderEffect[] {
    const all: LeaderEffect[] = [];
    for (let append = this.append; append !== undefined; append = this.append) {
      all.push(...this.step({ type: 'appended', append: append.append, outcome: 'ok' }));
    }
    return all;
  }

  serve(): this {
    this.step({ type: 'replayed', lastSequence: 0, newestEpoch: 0 });
    this.commit();
    return this;
  }

  subscribe(session: string, clientId: string, subscription = 1): LeaderEffect[] {
    const principal = principalOf(session, clientId);
    this.step({ type: 'subscribe', principal, message: { type: 'subscribe', channel: CHANNEL, subscription, credit: 1_000, formers: [] } });
    return this.commit();
  }

  push(session: string, clientId: string, records: readonly OpRecord[], subscription = 1): LeaderEffect[] {
    const principal = principalOf(session, clientId);
    return this.step({ type: 'push', principal, message: { type: 'push', channel: CHANNEL, subscription, records } });
  }

  write(request: number, ops: readonly SingleOp[], hlc?: Timestamp): LeaderEffect[] {
    const stamp = hlc === undefined ? {} : { hlc };
    return this.step({ type: 'write', request, channel: CHANNEL, ops, author: 'rest', schemaVersion: 1, ...stamp });
  }
}

function principalOf(session: string, clientId: string): Principal {
  return { session, clientId, term: 1, subject: `user of ${clientId}`, canWrite: true };
}

function put(pk: string): SingleOp {
  return { type: 'put', pk, fields: {}, create: false };
}

function record(clientId: string, seq: number, op: Op, more: Partial<OpRecord> = {}): OpRecord {
  return { type: 'op', op, hlc: (HLC - 1_000 + seq) as Timestamp, clientId, seq, author: '', schemaVersion: 1, ...more };
}

function replies(effects: readonly LeaderEffect[]): ChannelAnswer[] {
  return effects.flatMap((effect) => (effect.type === 'reply' ? [effect.message] : []));
}

function typesOf(effects: readonly LeaderEffect[]): string[] {
  return effects.map((effect) => (effect.type === 'reply' ? effect.message.type : effect.type));
}

describe("a server's own writes", () => {
  it('are stamped above the wall clock and everything in the channel, under the id that leaders share', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    const ahead = (HLC + 60_000 * TICKS_PER_MS) as Timestamp;
    bench.push('s', 'a', [record('a', 1, put('k'), { hlc: ahead })]);
    bench.commit();
    bench.write(7, [{ type: 'patch', pk: 'k', fields: { f: 1 } }]);
    const [frame] = bench.append!.entries;
    expect(frame).toMatchObject({ base: 2, records: [{ clientId: serverClientId(EPOCH), seq: 1, hlc: ahead + 1, author: 'rest' }] });
    expect(bench.commit()).toContainEqual({ type: 'written', request: 7, position: 2, hlc: ahead + 1 });
  });

  it('[R17] are answered when they are durable, and not before', () => {
    const bench = new Bench().serve();
    expect(typesOf(bench.write(1, [put('k')]))).toStrictEqual(['append']);
    expect(typesOf(bench.commit())).toContain('written');
  });

  it('have one stamp and one outcome: a batch with a patch of nothing appends nothing', () => {
    const bench = new Bench().serve();
    const effects = bench.write(1, [put('k'), { type: 'patch', pk: 'absent', fields: {} }]);
    expect(effects).toStrictEqual([{ type: 'write-refused', request: 1, code: 'NOT_FOUND' }]);
    expect(bench.folds.get(CHANNEL).position).toBe(0);
  });

  it('that carry the stamp of their view win over all of it, and lose to what came later', () => {
    const bench = new Bench().serve();
    bench.write(1, [put('old')]);
    bench.commit();
    const view = bench.folds.get(CHANNEL).maxHlc;
    bench.write(2, [put('new')]);
    bench.commit();
    bench.write(
      3,
      ['old', 'new'].map((pk): SingleOp => ({ type: 'delete', pk })),
      view,
    );
    bench.commit();
    const isDead = (pk: string): boolean => {
      const { put: begun, delete: ended } = bench.folds.get(CHANNEL).entity(pk)!;
      return ended!.hlc > begun!.hlc || (ended!.hlc === begun!.hlc && ended!.clientId > begun!.clientId);
    };
    expect([isDead('old'), isDead('new')]).toStrictEqual([true, false]);
  });

  it('are told what is known when their leader steps down', () => {
    const bench = new Bench().serve();
    bench.write(1, [put('k')]);
    const { append } = bench.append!;
    bench.write(2, [put('k')]);
    bench.step({ type: 'tick-now', request: 3 });
    const effects = bench.step({ type: 'appended', append, outcome: 'conflict' });
    const unanswered = effects.filter(({ type }) => type === 'unanswered');
    expect(unanswered).toStrictEqual([
      { type: 'unanswered', request: 1, mayBeInLog: true },
      { type: 'unanswered', request: 2, mayBeInLog: false },
      { type: 'unanswered', request: 3, mayBeInLog: false },
    ]);
    expect(typesOf(effects)).toContain('step-down');
  });

  it('above what a log may have unsealed are refused until a manifest has shortened its tail, and pushes are told to wait', () => {
    const bench = new Bench({ maxTailBytes: 100 }).serve();
    bench.subscribe('s', 'a');
    bench.step({ type: 'tail', channel: CHANNEL, bytes: 101 });
    expect(bench.write(1, [put('k')])).toStrictEqual([{ type: 'write-refused', request: 1, code: 'RATE_LIMITED' }]);
    expect(typesOf(bench.push('s', 'a', [record('a', 1, put('k'))]))).toStrictEqual(['busy']);
    bench.step({ type: 'tail', channel: CHANNEL, bytes: 0 });
    bench.write(2, [put('k')]);
    expect(typesOf(bench.commit())).toContain('written');
  });
});

describe('ticks', () => {
  it('on demand are one frame for all who wait, after what came before them', () => {
    const bench = new Bench().serve();
    bench.write(1, [put('k')]);
    bench.step({ type: 'tick-now', request: 2 });
    bench.step({ type: 'tick-now', request: 3 });
    bench.step({ type: 'appended', append: 2, outcome: 'ok' });
    expect(bench.append!.entries).toHaveLength(1);
    const time = HLC;
    expect(bench.commit()).toEqual([
      { type: 'ticked', request: 2, time, lastSequence: 3 },
      { type: 'ticked', request: 3, time, lastSequence: 3 },
    ]);
  });

  it('are appended every second while somebody reads, and not otherwise', () => {
    const bench = new Bench().serve();
    bench.step({ type: 'timer', timer: 'tick' });
    expect(bench.append).toBeUndefined();
    bench.step({ type: 'readers', count: 1 });
    bench.step({ type: 'timer', timer: 'tick' });
    expect(bench.append!.entries).toMatchObject([{ record: { type: 'tick', time: HLC } }]);
  });

  it('say nothing of freshness to who has not been sent what was there', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    bench.write(1, [put('k')]);
    bench.commit();
    bench.nowMs += 1_000;
    bench.step({ type: 'timer', timer: 'tick' });
    expect(replies(bench.commit())).toMatchObject([{ type: 'tick', position: 0, time: HLC }]);
    const frame = {
      logEpoch: EPOCH,
      leaderEpoch: 1,
      channel: CHANNEL,
      base: 1,
      hashBefore: { lo: 0, hi: 0 },
      records: [record('a', 1, put('k'))],
    };
    const sent = bench.step({ type: 'read', session: 's', channel: CHANNEL, subscription: 1, frames: [{ frame, bytes: 10 }] });
    expect(replies(sent)).toMatchObject([{ type: 'frame' }, { type: 'tick', position: 1, time: HLC + 1_000 * TICKS_PER_MS }]);
  });
});

describe('subscriptions', () => {
  it('[R17] are answered only after an append, because another leader may have taken over', () => {
    const bench = new Bench().serve();
    const principal = principalOf('s', 'a');
    const message = { type: 'subscribe', channel: CHANNEL, subscription: 1, credit: 1, formers: [] } as const;
    expect(typesOf(bench.step({ type: 'subscribe', principal, message }))).toStrictEqual(['append']);
    const { append } = bench.append!;
    const effects = bench.step({ type: 'appended', append, outcome: 'conflict' });
    expect(replies(effects)).toMatchObject([{ type: 'ended', reason: 'new-leader' }]);
  });

  it('[R17] no leader answers anybody before its `lead` is in the log', () => {
    const bench = new Bench();
    bench.step({ type: 'replayed', lastSequence: 4, newestEpoch: 0 });
    expect(bench.append).toMatchObject({ expectedLast: 4, entries: [{ record: { type: 'lead', leaderEpoch: 1 } }] });
    const principal = principalOf('s', 'a');
    const message = { type: 'subscribe', channel: CHANNEL, subscription: 1, credit: 1, formers: [] } as const;
    expect(bench.step({ type: 'subscribe', principal, message })).toStrictEqual([]);
  });

  it('[R15] of an expired id end before a first push that comes once more could begin it anew', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    const first = [record('a', 1, put('k'))];
    bench.push('s', 'a', first);
    bench.commit();
    bench.step({ type: 'maintain', channel: CHANNEL, records: [{ type: 'expire', clientId: 'a' }] });
    const expiring = bench.append!.append;
    bench.push('s', 'a', first);
    const effects = [...bench.step({ type: 'appended', append: expiring, outcome: 'ok' }), ...bench.commit()];
    expect(replies(effects)).toMatchObject([
      { type: 'ended', reason: 'expired' },
      { type: 'ended', reason: 'not-subscribed' },
    ]);
    expect(bench.folds.get(CHANNEL).position).toBe(2);
  });

  it('end as gone when their channel is dropped, and so does whoever comes later', () => {
    const dropped = new Set<string>();
    const bench = new Bench({ isGone: (channel) => dropped.has(channel) }).serve();
    bench.subscribe('s', 'a');
    dropped.add(CHANNEL);
    expect(typesOf(bench.step({ type: 'gone', channel: CHANNEL }))).toStrictEqual(['gone']);
    expect(typesOf(bench.push('s', 'a', [record('a', 1, put('k'))]))).toStrictEqual(['gone']);
    expect(typesOf(bench.subscribe('t', 'b'))).toContain('gone');
    expect(bench.write(1, [put('k')])).toStrictEqual([{ type: 'write-refused', request: 1, code: 'PARTITION_UNKNOWN' }]);
  });

  it('take a total of applied bytes as credit: doubled and late ones buy nothing', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    bench.write(1, [put('k')]);
    bench.commit();
    const frame = {
      logEpoch: EPOCH,
      leaderEpoch: 1,
      channel: CHANNEL,
      base: 1,
      hashBefore: { lo: 0, hi: 0 },
      records: [record('a', 1, put('k'))],
    };
    bench.step({ type: 'read', session: 's', channel: CHANNEL, subscription: 1, frames: [{ frame, bytes: 1_000 }] });
    bench.write(2, [put('k')]);
    expect(typesOf(bench.commit())).not.toContain('read');
    const credit = { type: 'credit', session: 's', channel: CHANNEL, subscription: 1 } as const;
    expect(bench.step({ ...credit, bytes: 5_000 })).toMatchObject([{ type: 'read', from: 2, maxBytes: 1_000 }]);
    expect(bench.step({ ...credit, bytes: 10 })).toStrictEqual([]);
  });
});

describe('pushes', () => {
  it('[R3] an ack names every refusal it covers, because the one that named it first may be lost', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    bench.push('s', 'a', [record('a', 1, { type: 'patch', pk: 'absent', fields: {} })]);
    bench.commit();
    bench.push('s', 'a', [record('a', 2, put('k'))]);
    expect(replies(bench.commit())).toMatchObject([{ type: 'ack', seq: 2, rejected: [{ seq: 1, code: 'NOT_FOUND' }] }]);
  });

  it('written under another subject are not appended under this one, and what precedes them is', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    const mine = record('a', 1, put('k'), { author: 'user of a' });
    const foreign = record('a', 2, put('k'), { author: 'user of b' });
    bench.push('s', 'a', [mine, foreign]);
    expect(replies(bench.commit())).toMatchObject([{ type: 'ack', seq: 1 }]);
    expect(replies(bench.push('s', 'a', [foreign]))).toMatchObject([{ type: 'denied', access: 'write' }]);
    expect(bench.append).toBeUndefined();
  });

  it('of a schema that this leader has not heard of are not refused for good', () => {
    let known = 1;
    const bench = new Bench({ schemaVersionOf: () => known }).serve();
    bench.subscribe('s', 'a');
    const newer = [record('a', 1, put('k'), { schemaVersion: 2 })];
    expect(typesOf(bench.push('s', 'a', newer))).toStrictEqual(['busy']);
    known = 2;
    bench.push('s', 'a', newer);
    expect(replies(bench.commit())).toMatchObject([{ type: 'ack', seq: 1, rejected: [] }]);
  });

  it('of a collab update must name the put in force, by its origin', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    const origin = { clientId: 'before', seq: 40 };
    const update = (base: typeof origin): Op => ({ type: 'yjs', pk: 'k', field: 'y', base, update: Uint8Array.of(1) });
    bench.push('s', 'a', [
      record('a', 1, put('k'), { origin }),
      record('a', 2, update(origin)),
      record('a', 3, update({ clientId: 'a', seq: 1 })),
    ]);
    expect(replies(bench.commit())).toMatchObject([{ type: 'ack', seq: 3, rejected: [{ seq: 3, code: 'NOT_FOUND' }] }]);
  });

  it('of a collab update must name the later one of two puts of one stamp, as the fold does', () => {
    const bench = new Bench().serve();
    bench.subscribe('s', 'a');
    const hlc = record('a', 1, put('k')).hlc;
    const update = (seq: number): Op => ({ type: 'yjs', pk: 'k', field: 'y', base: { clientId: 'a', seq }, update: Uint8Array.of(1) });
    bench.push('s', 'a', [
      record('a', 1, put('k'), { hlc }),
      record('a', 2, put('k'), { hlc }),
      record('a', 3, update(2), { hlc }),
      record('a', 4, update(1), { hlc }),
    ]);
    expect(replies(bench.commit())).toMatchObject([{ type: 'ack', seq: 4, rejected: [{ seq: 4, code: 'NOT_FOUND' }] }]);
  });
});

describe('without a rule whose absence the simulation seldom notices', () => {
  it('[R15] a first push that comes once more after its id has expired is taken for a new client', () => {
    const bench = new Bench({ ablations: { 'expire-keeps-subscription': true } }).serve();
    bench.subscribe('s', 'a');
    const first = [record('a', 1, put('k'))];
    bench.push('s', 'a', first);
    bench.commit();
    bench.step({ type: 'maintain', channel: CHANNEL, records: [{ type: 'expire', clientId: 'a' }] });
    const expiring = bench.append!.append;
    bench.push('s', 'a', first);
    bench.step({ type: 'appended', append: expiring, outcome: 'ok' });
    bench.commit();
    expect(bench.folds.get(CHANNEL).lmid('a')).toMatchObject({ seq: 1, position: 3 });
  });

  it("[R17] a leader serves without a `lead`, so that its predecessor's late append still fits", () => {
    const bench = new Bench({ ablations: { 'no-lead-record': true } });
    bench.step({ type: 'replayed', lastSequence: 4, newestEpoch: 0 });
    expect(bench.append).toBeUndefined();
    expect(bench.machine.isServing).toBe(true);
  });

  it('[R17] a leader that may be deposed tells a client that it is unknown', () => {
    const bench = new Bench({ ablations: { 'unconfirmed-subscribe': true } }).serve();
    const principal = principalOf('s', 'a');
    const message = { type: 'subscribe', channel: CHANNEL, subscription: 1, credit: 1, formers: [] } as const;
    expect(replies(bench.step({ type: 'subscribe', principal, message }))).toMatchObject([{ type: 'subscribed', known: { lmid: 0 } }]);
  });
});
