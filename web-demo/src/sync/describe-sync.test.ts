import { describe, expect, it } from 'vitest';
import { describeSync } from './describe-sync.ts';

const found = { server: 'found', pretendOffline: false } as const;

describe('the state of sharing in words', () => {
  it('is no trouble where there is no server', () => {
    expect(describeSync({ name: 'off' }, { server: 'none', pretendOffline: false })).toMatchObject({
      tone: 'off',
      title: 'On this device only',
    });
  });

  it('says that being offline is a pretence, whatever the connection is doing', () => {
    for (const name of ['off', 'live'] as const) {
      const state = name === 'live' ? { name, lagMs: 0 } : { name };
      expect(describeSync(state, { server: 'found', pretendOffline: true }).title).toBe('Pretending to be offline');
    }
  });

  it('is up to date only when nothing is behind', () => {
    expect(describeSync({ name: 'live', lagMs: 0 }, found)).toMatchObject({ tone: 'on', title: 'Up to date' });
    expect(describeSync({ name: 'live', lagMs: 4000 }, found)).toMatchObject({ tone: 'busy', title: '4 s behind' });
  });

  it('says when it tries again, and where writes are until then', () => {
    const { text } = describeSync({ name: 'offline', retryInMs: 1200 }, found);
    expect(text).toContain('kept on this device');
    expect(text).toContain('within 2 s');
  });

  it('tells an old page from an old server', () => {
    expect(describeSync({ name: 'incompatible', need: 'upgrade-client' }, found).text).toContain('Reload');
    expect(describeSync({ name: 'incompatible', need: 'upgrade-server' }, found).title).toContain('server is too old');
  });
});
