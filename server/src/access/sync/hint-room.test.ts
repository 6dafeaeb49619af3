import { ManualClock } from '@terndb/core/testing';
import { HINTS_PER_SECOND, type Hint, type Hinted, MAX_HINT_BYTES, MAX_HINT_TOPICS } from '@terndb/sync';
import { beforeEach, describe, expect, it } from 'vitest';
import { HintRoom } from './hint-room.ts';

const CHANNEL = 'c/p/0';
class TestListener {
  readonly heard: Hinted[] = [];
  tell(message: Hinted): void {
    this.heard.push(message);
  }
}

let clock: ManualClock;
let room: HintRoom;
let [ann, bob, eve] = [new TestListener(), new TestListener(), new TestListener()];
beforeEach(() => {
  clock = new ManualClock(1_000);
  room = new HintRoom(clock);
  [ann, bob, eve] = [new TestListener(), new TestListener(), new TestListener()];
});

function say(listener: TestListener, what: Hint['what'], { topic = 't', channel = CHANNEL, bytes = what === 'update' ? 3 : 0 } = {}): void {
  room.say(listener, { type: 'hint', channel, topic, what, update: new Uint8Array(bytes) });
}

describe('a room of hints', () => {
  it('tells those who joined a topic what others say in it, and not those who say it or left', () => {
    for (const one of [ann, bob, eve]) say(one, 'join');
    say(eve, 'leave');
    say(ann, 'update');
    expect([ann.heard.length, bob.heard.length, eve.heard.length]).toEqual([0, 1, 0]);
    expect(bob.heard[0]).toEqual({ type: 'hinted', channel: CHANNEL, topic: 't', update: new Uint8Array(3) });
    say(ann, 'update', { topic: 'another document' });
    say(ann, 'update', { channel: 'c/q/0' });
    expect(bob.heard).toHaveLength(1);
    // Who only writes need not listen.
    say(eve, 'update');
    expect([ann.heard.length, bob.heard.length]).toEqual([1, 2]);
  });

  it('forgets a connection that is over', () => {
    for (const topic of ['t', 'u']) for (const one of [ann, bob]) say(one, 'join', { topic });
    expect(room.listeners).toBe(4);
    room.end(bob);
    expect(room.listeners).toBe(2);
    say(ann, 'update');
    expect(bob.heard).toEqual([]);
    room.end(ann);
    expect(room.listeners).toBe(0);
  });

  it('leaves to the log what is large, too often, or for many', () => {
    say(bob, 'join');
    say(ann, 'update', { bytes: MAX_HINT_BYTES + 1 });
    say(ann, 'update', { bytes: 0 });
    expect(bob.heard).toHaveLength(0);
    for (let count = 0; count < HINTS_PER_SECOND * 3; count++) say(ann, 'update');
    expect(bob.heard).toHaveLength(HINTS_PER_SECOND);
    // Nothing is owed for what was dropped.
    clock.advance(1_000);
    say(ann, 'update');
    expect(bob.heard).toHaveLength(HINTS_PER_SECOND + 1);
    for (let count = 0; count < 16; count++) say(new TestListener(), 'join');
    say(ann, 'update');
    expect(bob.heard).toHaveLength(HINTS_PER_SECOND + 1);
  });

  it('bounds what one connection listens to', () => {
    for (let topic = 0; topic < MAX_HINT_TOPICS * 2; topic++) say(ann, 'join', { topic: `t${topic}` });
    expect(room.listeners).toBe(MAX_HINT_TOPICS);
    say(ann, 'join', { topic: 'x'.repeat(2_000) });
    expect(room.listeners).toBe(MAX_HINT_TOPICS);
  });
});
