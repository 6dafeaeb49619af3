import { type Frame, type Timestamp, ZERO_HASH } from '@terndb/core';
import { decodeMessage, type ServerMessage } from '@terndb/sync';
import { expect, it } from 'vitest';
import { encodeShared } from './shared-frames.ts';

const frame: Frame = {
  logEpoch: 'e',
  leaderEpoch: 1,
  channel: 'c/p/0',
  base: 1,
  hashBefore: ZERO_HASH,
  records: [{ type: 'expire', clientId: 'a' }],
};
const message = (subscription: number): ServerMessage => ({ type: 'frame', channel: 'c/p/0', subscription, frame });

it('makes the bytes of a frame once for all of one subscription number, and others for another', () => {
  const first = encodeShared(message(1));
  expect(encodeShared(message(1))).toBe(first);
  expect(decodeMessage(encodeShared(message(2)))).toEqual(message(2));
  expect(decodeMessage(encodeShared(message(1)))).toEqual(message(1));
  expect(decodeMessage(first)).toEqual(message(1));
});

it('makes the bytes of a tick once for all who get the same one', () => {
  const tick = (position: number): ServerMessage => ({
    type: 'tick',
    channel: 'c/p/0',
    subscription: 1,
    time: 2048 as Timestamp,
    position,
  });
  const first = encodeShared(tick(3));
  expect(encodeShared(tick(3))).toBe(first);
  expect(decodeMessage(encodeShared(tick(4)))).toEqual(tick(4));
  expect(decodeMessage(encodeShared(tick(3)))).toEqual(tick(3));
});
