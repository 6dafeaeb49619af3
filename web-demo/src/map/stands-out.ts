import type { View } from '../browse/view-state.ts';
import type { Colouring } from './colours.ts';
import type { MapPoint } from './read-points.ts';

/**
 * Which points the reader has singled out, by the legend and by the filters beside the map: 1 each, null when all are. Stars are not on the map, so
 * that filter does not count here.
 */
export function standsOut(
  points: readonly MapPoint[],
  chosen: { colouring: Colouring; emphasised: ReadonlySet<number>; view: Pick<View, 'topics' | 'kinds' | 'sources'> },
): Uint8Array | null {
  const { colouring, emphasised, view } = chosen;
  const { topics, kinds, sources } = view;
  if (emphasised.size + topics.length + kinds.length + sources.length === 0) return null;
  const passes = (values: readonly string[], value: string | null): boolean =>
    values.length === 0 || (value !== null && values.includes(value));
  return Uint8Array.from(points, ({ topic, kind, source }, i) => {
    const isChosen = emphasised.size === 0 || emphasised.has(colouring.entryOf[i]!);
    return isChosen && passes(topics, topic) && passes(kinds, kind) && passes(sources, source) ? 1 : 0;
  });
}
