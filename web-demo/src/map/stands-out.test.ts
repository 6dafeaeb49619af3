import { expect, it } from 'vitest';
import { colourBy } from './colours.ts';
import { standsOut } from './stands-out.ts';

const points = [
  { key: '1', title: '', topic: 'a', kind: 'noun', source: null },
  { key: '2', title: '', topic: 'a', kind: 'verb', source: 's' },
  { key: '3', title: '', topic: 'b', kind: 'verb', source: 's' },
];
const colouring = colourBy(points.map(({ topic }) => topic));
const none = { topics: [], kinds: [], sources: [] };

it('points stand out that pass the filters and have a chosen colour', () => {
  const shown = (emphasised: readonly number[], view: object) =>
    standsOut(points, { colouring, emphasised: new Set(emphasised), view: { ...none, ...view } });
  expect(shown([], {})).toBeNull();
  expect([...shown([0], {})!]).toEqual([1, 1, 0]);
  expect([...shown([], { kinds: ['verb'], sources: ['s'] })!]).toEqual([0, 1, 1]);
  expect([...shown([0], { kinds: ['verb'] })!]).toEqual([0, 1, 0]);
  expect([...shown([], { sources: ['other'] })!]).toEqual([0, 0, 0]);
});
