import type { ResolveAnswer } from '@terndb/sync';
import { expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import { type ConnectRequest, emptyAnswer } from './connection-record.ts';
import { Connector } from './connector.ts';
import { until } from './testing/databases-in-node.ts';
import { tokenOf } from './testing/memory-server.ts';
import { TokenDesk } from './token-desk.ts';

const requestOf = (...names: string[]): ConnectRequest => ({
  url: 'http://server/sync',
  partitions: names.map((name) => ({ name, keep: 'all' })),
});

it('takes answers one after the other: what the one before copies is not copied beside it', async () => {
  const tokens: TokenDesk = new TokenDesk(browserClock, () => tokens.wanted && tokens.give(tokens.wanted.id, tokenOf('ann')));
  const begun: { readonly names: string; readonly isOver: () => boolean; readonly end: () => void }[] = [];
  let resolves = 0;
  const connector = new Connector({
    clock: browserClock,
    rng: createBrowserRng(),
    tokens,
    subject: async () => '',
    resolve: async (): Promise<ResolveAnswer> => {
      resolves += 1;
      return emptyAnswer('epoch');
    },
    resume: () => false,
    adopt: ({ partitions }, _, { isOver }) =>
      new Promise((resolve) => begun.push({ names: partitions.map(({ name }) => name).join(), isOver, end: resolve })),
    stop: () => {},
    onChange: () => {},
  });
  connector.connect(requestOf('a'));
  await until(() => begun.length === 1);
  connector.connect(requestOf('a', 'b'));
  await until(() => resolves === 2);
  connector.connect(requestOf('a', 'b', 'c'));
  await until(() => resolves === 3);
  await new Promise((resolve) => setTimeout(resolve));
  expect(begun.map(({ names, isOver }) => [names, isOver()])).toEqual([['a', true]]);
  begun[0]!.end();
  await until(() => begun.length === 2);
  expect([begun[1]!.names, begun[1]!.isOver()]).toEqual(['a,b,c', false]);
  begun[1]!.end();
  connector.close();
});
