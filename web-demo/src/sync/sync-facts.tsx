import type { SyncStatus } from '@terndb/client';
import { formatCount } from '../app/format.ts';
import classes from './sync.module.css';

/** The numbers behind the words. */
export function SyncFacts({ status }: { status: SyncStatus }) {
  const { state, outbox, rejected, leader, partitions } = status;
  const coverage = partitions.length === 0 ? 0 : Math.min(...partitions.map((partition) => partition.coverage));
  const facts: readonly (readonly [string, string])[] = [
    ['Unsent writes', formatCount(outbox)],
    ['Refused writes', formatCount(rejected)],
    ['Lag', state.name !== 'live' ? 'not connected' : state.lagMs === 0 ? 'none' : `${state.lagMs / 1000} s`],
    ['Downloaded', `${Math.floor(100 * coverage)} %`],
    ['Server', location.host],
    ['Socket held by', leader ? 'this tab' : 'another tab'],
  ];
  return (
    <dl className={classes['facts']}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd data-fact={name}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
