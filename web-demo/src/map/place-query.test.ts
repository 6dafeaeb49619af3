import { describe, expect, it } from 'vitest';
import { placeQuery } from './place-query.ts';

const places = Float32Array.from([0, 0, 10, 0, 0, 10, 10, 10]);

describe('the place of a question', () => {
  it('is among its nearest points, nearer to the more similar', () => {
    const place = placeQuery(
      [
        { index: 0, similarity: 0.9 },
        { index: 1, similarity: 0.8 },
        { index: 2, similarity: 0.3 },
      ],
      places,
    )!;
    expect(place.x).toBeGreaterThan(0);
    expect(place.x).toBeLessThan(5);
    expect(place.y).toBeLessThan(place.x);
  });

  it('is the middle of points that are all as near', () => {
    const near = [0, 1, 2, 3].map((index) => ({ index, similarity: 0.5 }));
    expect(placeQuery(near, places)).toEqual({ x: 5, y: 5 });
  });

  it('is nowhere when nothing is near, and at the one point that is', () => {
    expect(placeQuery([], places)).toBeNull();
    expect(placeQuery([{ index: 3, similarity: 0.1 }], places)).toEqual({ x: 10, y: 10 });
  });
});
