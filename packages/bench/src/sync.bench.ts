/**
 * Replication as its users meet it: a real `terndb serve` on embedded storage in a process of its own, on loopback, and real clients. What each
 * figure is, and how it is taken: the head of its file in `sync/`, and docs/benchmarks/sync.md. BENCH_PARTS=NAME,NAME takes some of them.
 */
import { bootstrapNewDevice } from './sync/bootstrap.ts';
import { changeFeed } from './sync/change-feed.ts';
import { firstSync } from './sync/first-sync.ts';
import { globalSearch } from './sync/global-search.ts';
import { idleSubscribers } from './sync/idle-subscribers.ts';
import { leaderAppend } from './sync/leader-append.ts';
import { sustainedRate } from './sync/sustained-rate.ts';
import { visibility } from './sync/visibility.ts';

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  visibility,
  'leader-append': leaderAppend,
  'idle-subscribers': idleSubscribers,
  'global-search': globalSearch,
  'change-feed': changeFeed,
  'first-sync': firstSync,
  bootstrap: bootstrapNewDevice,
  'sustained-rate': sustainedRate,
};

const wanted = process.env['BENCH_PARTS']?.split(',') ?? Object.keys(PARTS);
for (const name of wanted) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`no part named ${name}; there are: ${Object.keys(PARTS).join(', ')}`);
  await part();
}
// A whole client in Node leaves its ports open, which would keep this process.
process.exit(0);
