import { Button, Group, Progress, Text } from '@mantine/core';
import { useStore } from '@terndb/react';
import { useEffect, useRef, useState } from 'react';
import { formatBytes, formatCount } from '../app/format.ts';
import { useLibrary } from '../library/library-context.tsx';
import classes from './importing.module.css';

/** The queue of passages that have no vector yet: what the model is doing, how fast, what is left. Nothing when nothing waits. */
export function EmbeddingCard() {
  const { embedding } = useLibrary();
  const status = useStore(embedding);
  const perSecond = usePerSecond(status.done);
  const isBusy = status.waiting > 0 || status.state === 'loading';
  if (!isBusy && status.error === null) return null;
  const total = status.done + status.waiting;
  const toggle = (): void => void (status.paused ? embedding.resume?.() : embedding.pause?.());
  const isStopped = status.paused || status.error !== null;
  return (
    <section className={classes['part']} aria-label="Reading for meaning">
      <Group justify="space-between" wrap="nowrap" mb={8}>
        <Text fw={600} miw={0}>
          {titleOf(status)}
        </Text>
        <Button variant="default" size="compact-sm" flex="none" onClick={status.error === null ? toggle : () => void embedding.resume?.()}>
          {status.error !== null ? 'Try again' : status.paused ? 'Resume' : 'Pause'}
        </Button>
      </Group>
      <Progress.Root size="md">
        <Progress.Section value={total === 0 ? 0 : (100 * status.done) / total} aria-label="Embedding progress" animated={!isStopped} />
      </Progress.Root>
      <Text fz="sm" mt={8} c="var(--ink-soft)" className={classes['numbers']!}>
        {status.error === null ? detailOf(status, perSecond) : `${status.error.message}. Search by words goes on.`}
      </Text>
    </section>
  );
}

type Status = ReturnType<ReturnType<typeof useLibrary>['embedding']['get']>;

function titleOf({ state, paused, error }: Status): string {
  if (error !== null) return 'Search by meaning is not available';
  if (paused) return 'Paused';
  return state === 'loading' ? 'Loading the model' : 'Reading for meaning';
}

function detailOf({ state, waiting, loadedBytes, totalBytes, paused }: Status, perSecond: number): string {
  const left = `${formatCount(waiting, 'passage')} left`;
  if (state === 'loading')
    return `${formatBytes(loadedBytes)}${totalBytes === null ? '' : ` of ${formatBytes(totalBytes)}`}${waiting > 0 ? ` · ${left}` : ''}`;
  return paused || perSecond === 0 ? left : `${left} · ${formatCount(perSecond)} per second`;
}

/** Over the last seconds: the queue tells how many it has done. */
const WINDOW_MS = 3_000;

function usePerSecond(done: number): number {
  const samples = useRef<{ ms: number; done: number }[]>([]);
  const [rate, setRate] = useState(0);
  useEffect(() => {
    const now = performance.now();
    const last = samples.current.at(-1);
    // A new round counts from nothing.
    if (last !== undefined && done < last.done) samples.current = [];
    samples.current = [...samples.current.filter(({ ms }) => now - ms < WINDOW_MS), { ms: now, done }];
    const first = samples.current[0]!;
    setRate(now - first.ms < 200 ? 0 : (1000 * (done - first.done)) / (now - first.ms));
  }, [done]);
  return rate;
}
