import type { OpRecord, Timestamp } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import type { ClientMessage } from '../protocol.ts';
import { type Grants, type SessionEffect, SessionMachine } from './session-machine.ts';

const NOW_MS = 1_000_000;
const HELLO = { type: 'hello', oldest: 1, newest: 2, clientId: 'device', term: 1, token: 't', schemas: [] } as const;

function grants(expiresAtMs: number): Grants {
  return { subject: 'user', expiresAtMs, canRead: () => true, canWrite: () => true };
}

function open(expiresAtMs: number = NOW_MS + 60_000, newest = 2): SessionMachine {
  const machine = new SessionMachine({ session: 's', logEpoch: 'e' });
  machine.step({ type: 'message', message: { ...HELLO, newest } }, NOW_MS);
  machine.step({ type: 'verified', verify: 1, grants: grants(expiresAtMs) }, NOW_MS);
  return machine;
}

function typesOf(effects: readonly SessionEffect[]): string[] {
  return effects.map((effect) => (effect.type === 'send' ? effect.message.type : effect.type));
}

function push(record: Partial<OpRecord>): ClientMessage {
  const op = { type: 'delete', pk: 'k' } as const;
  const whole = { type: 'op', op, hlc: 1 as Timestamp, clientId: 'device', seq: 1, author: '', schemaVersion: 1, ...record } as const;
  return { type: 'push', channel: 'c/p/0', subscription: 1, records: [whole] };
}

describe('a session', () => {
  it('ends when its token has expired, also when the timer was a little early', () => {
    const machine = open();
    expect(machine.step({ type: 'timer' }, NOW_MS + 59_999.5)).toStrictEqual([{ type: 'timer', delayMs: 1 }]);
    expect(typesOf(machine.step({ type: 'timer' }, NOW_MS + 60_000))).toStrictEqual(['refused', 'end', 'close']);
  });

  it('outlives the timer of a token that was renewed', () => {
    const machine = open();
    machine.step({ type: 'message', message: { type: 'auth', token: 'u' } }, NOW_MS + 30_000);
    machine.step({ type: 'verified', verify: 2, grants: grants(NOW_MS + 120_000) }, NOW_MS + 30_000);
    expect(machine.step({ type: 'timer' }, NOW_MS + 60_000)).toStrictEqual([]);
  });

  it('is not opened under the id of a server, or under none', () => {
    for (const clientId of ['~e', '']) {
      const machine = new SessionMachine({ session: 's', logEpoch: 'e' });
      expect(typesOf(machine.step({ type: 'message', message: { ...HELLO, clientId } }, NOW_MS))).toStrictEqual(['end', 'close']);
    }
  });

  it('ends at a push under another id, or with an origin of a server', () => {
    const own = { clientId: 'before', seq: 3 };
    expect(typesOf(open().step({ type: 'message', message: push({ origin: own }) }, NOW_MS))).toStrictEqual(['route']);
    expect(typesOf(open().step({ type: 'message', message: push({ clientId: 'other' }) }, NOW_MS))).toStrictEqual(['end', 'close']);
    const foreign = { clientId: '~e', seq: 3 };
    expect(typesOf(open().step({ type: 'message', message: push({ origin: foreign }) }, NOW_MS))).toStrictEqual(['end', 'close']);
  });

  it('tells of a quota in words that the device knows', () => {
    const message = { type: 'denied', channel: 'c/p/0', subscription: 1, access: 'quota' } as const;
    const told = (newest: number): unknown => open(undefined, newest).step({ type: 'answer', message }, NOW_MS);
    expect(told(4)).toStrictEqual([{ type: 'send', message }]);
    expect(told(3)).toStrictEqual([{ type: 'send', message: { ...message, access: 'write' } }]);
  });
});
