import { expect, it } from 'vitest';
import { formatBytes, formatCount, topicLabel } from './format.ts';

it('counts with a noun in its number', () => {
  expect([formatCount(1, 'passage'), formatCount(0, 'passage'), formatCount(1234, 'passage')]).toEqual([
    '1 passage',
    '0 passages',
    '1,234 passages',
  ]);
});

it('gives bytes in the unit that keeps them short', () => {
  expect([0, 999, 1500, 25_000_000, 3e15].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 KB', '25.0 MB', '3000 TB']);
});

it('gives the sample’s topics a readable name and leaves others alone', () => {
  expect(['noun.animal', 'adv.all', 'my notes', 'noun'].map(topicLabel)).toEqual(['Animal (noun)', 'Manner (adv)', 'my notes', 'noun']);
});
