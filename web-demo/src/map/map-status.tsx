import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { formatCount } from '../app/format.ts';
import { MIN_ROWS } from './layout-limits.ts';
import type { MapState, MeaningMapHandle } from './use-meaning-map.ts';

/** What the drawing is at, with a way to stop it or to begin again. Nothing when all is drawn. */
export function MapStatus({ handle: { state, draw, cancel } }: { handle: MeaningMapHandle }) {
  if (state.name === 'done' || state.name === 'none') return null;
  if ('share' in state) {
    const percent = Math.round(100 * overall(state.name, state.share));
    return (
      <Group gap="sm" wrap="nowrap" role="group" aria-label="Drawing the map">
        <Text fz="sm" c="var(--ink-soft)" flex="none" miw={150}>
          {LABELS[state.name]} {percent} %
        </Text>
        <Progress.Root size="md" flex={1} miw={60}>
          <Progress.Section value={percent} aria-label="Progress of the map" />
        </Progress.Root>
        <Button variant="default" size="compact-sm" flex="none" onClick={cancel}>
          Cancel
        </Button>
      </Group>
    );
  }
  return (
    <Stack gap={4} align="flex-start" role="status">
      <Text fz="sm" c="var(--ink-soft)">
        {textOf(state)}
      </Text>
      <Button variant="default" size="compact-sm" onClick={draw}>
        Draw the map
      </Button>
    </Stack>
  );
}

type Drawing = Extract<MapState, { share: number }>['name'];
const LABELS: Readonly<Record<Drawing, string>> = { reading: 'Reading vectors', comparing: 'Comparing', laying: 'Laying out' };
/** Where each part begins and how much of the whole it is, by how long it takes. */
const PARTS: Readonly<Record<Drawing, readonly [number, number]>> = { reading: [0, 0.1], comparing: [0.1, 0.4], laying: [0.5, 0.5] };

function overall(name: Drawing, share: number): number {
  const [start, length] = PARTS[name];
  return start + length * share;
}

function textOf(state: Exclude<MapState, { share: number }>): string {
  switch (state.name) {
    case 'too-few':
      return `A map needs ${MIN_ROWS} passages that were read for their meaning; there ${state.count === 1 ? 'is' : 'are'} ${formatCount(state.count)}.`;
    case 'failed':
      return `The map could not be drawn: ${state.message}`;
    case 'stopped':
      return 'Stopped: the map is as far as it was drawn.';
    case 'none':
    case 'done':
      return '';
  }
}
