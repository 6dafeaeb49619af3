import { describe, expect, it } from 'vitest';
import { layOut } from './layout.ts';
import { seededRandom } from './random.ts';

const DIM = 8;
const GROUP_ROWS = 40;

/** Three groups of vectors, each around its own axis. */
function threeGroups(): Float32Array {
  const random = seededRandom(3);
  const vectors = new Float32Array(3 * GROUP_ROWS * DIM);
  for (let row = 0; row < 3 * GROUP_ROWS; row++) {
    for (let d = 0; d < DIM; d++) vectors[row * DIM + d] = random() * 0.4 + (d === Math.floor(row / GROUP_ROWS) ? 2 : 0);
  }
  return vectors;
}

describe('the layout', () => {
  it('puts alike rows together: the nearest point on the map is of the same group', () => {
    const shares: number[] = [];
    const places = layOut(threeGroups(), DIM, { comparing: () => {}, laying: (share) => shares.push(share) });
    expect(places).toHaveLength(3 * GROUP_ROWS * 2);
    for (let row = 0; row < 3 * GROUP_ROWS; row++) {
      expect(Math.floor(nearestTo(places, row) / GROUP_ROWS)).toBe(Math.floor(row / GROUP_ROWS));
    }
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it('is the same for the same vectors', () => {
    const quiet = { comparing: () => {}, laying: () => {} };
    expect(layOut(threeGroups(), DIM, quiet)).toEqual(layOut(threeGroups(), DIM, quiet));
  });
});

function nearestTo(places: Float32Array, row: number): number {
  let [best, least] = [-1, Infinity];
  for (let other = 0; other < places.length / 2; other++) {
    const distance = Math.hypot(places[2 * other]! - places[2 * row]!, places[2 * other + 1]! - places[2 * row + 1]!);
    if (other !== row && distance < least) [best, least] = [other, distance];
  }
  return best;
}
