import { ManualClock } from '@terndb/core/testing';
import type { Present } from '@terndb/sync';
import { beforeEach, describe, expect, it } from 'vitest';
import { PresenceRoom } from './presence.ts';

const CHANNEL = 'c/p/0';
class TestGuest {
  readonly heard: Present[] = [];
  tell(message: Present): void {
    this.heard.push(message);
  }
  get last(): [number, string, string] | undefined {
    const message = this.heard.at(-1);
    return message && [message.peer, message.subject, new TextDecoder().decode(message.state)];
  }
}

let clock: ManualClock;
let room: PresenceRoom;
let [ann, bob, eve] = [new TestGuest(), new TestGuest(), new TestGuest()];
beforeEach(() => {
  clock = new ManualClock(1_000);
  room = new PresenceRoom(clock);
  [ann, bob, eve] = [new TestGuest(), new TestGuest(), new TestGuest()];
});
function say(guest: TestGuest, peer: number, state: string, { topic = 't', channel = CHANNEL } = {}): void {
  const subject = guest === ann ? 'ann' : guest === bob ? 'bob' : 'eve';
  room.say(guest, subject, { type: 'presence', channel, topic, peer, state: new TextEncoder().encode(state) });
}

describe('a room', () => {
  it('tells those in a topic what others in it say, under the names of their tokens, and who comes what was said', () => {
    say(ann, 1, 'a1');
    say(bob, 2, 'b1');
    expect(bob.heard.map(({ peer }) => peer)).toEqual([1]);
    expect(ann.last).toEqual([2, 'bob', 'b1']);
    say(ann, 1, 'a2');
    expect(bob.last).toEqual([1, 'ann', 'a2']);
    expect(ann.heard).toHaveLength(1);
    say(eve, 3, 'e', { topic: 'other' });
    say(eve, 3, 'e', { channel: 'c/q/0' });
    expect([ann.heard.length, bob.heard.length, eve.heard.length]).toEqual([1, 2, 0]);
  });

  it('forgets who says so, who is cut off, and who is silent for 30 seconds', () => {
    say(ann, 1, 'a');
    say(bob, 2, 'b');
    say(eve, 3, 'e');
    say(ann, 1, '');
    expect(bob.last).toEqual([1, 'ann', '']);
    room.leave(eve);
    expect(bob.last).toEqual([3, 'eve', '']);
    say(ann, 1, 'again');
    clock.advance(20_000);
    say(ann, 1, 'here');
    clock.advance(15_000);
    expect(ann.last).toEqual([2, 'bob', '']);
    expect(room.seats).toBe(1);
    clock.advance(60_000);
    expect(room.seats).toBe(0);
  });

  it('drops what is more than ten a second, too large, or said for somebody else', () => {
    say(ann, 1, 'a');
    for (let count = 0; count < 50; count++) say(bob, 2, `b${count}`);
    expect(ann.heard).toHaveLength(10);
    clock.advance(1_000);
    say(bob, 2, 'x'.repeat(3_000));
    say(bob, 1, 'I am ann');
    expect(ann.heard).toHaveLength(10);
    clock.advance(1_000);
    for (let peer = 100; peer < 300; peer++) {
      clock.advance(100);
      say(eve, peer, 'many');
    }
    expect(room.seats).toBeLessThanOrEqual(2 + 64);
  });
});
