import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fit, pan, pointsNear, toMap, toScreen, zoom } from './viewport.ts';

const size = { width: 400, height: 300 };
const places = Float32Array.from([-5, 2, 5, 4, 0, 3]);

describe('the viewport', () => {
  it('shows the whole map, in the middle', () => {
    const view = fit(places, size);
    const screens = [0, 1, 2].map((i) => toScreen(view, { x: places[2 * i]!, y: places[2 * i + 1]! }));
    for (const { x, y } of screens) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(size.width);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(size.height);
    }
    expect(screens[2]).toEqual({ x: 200, y: 150 });
  });

  it('can show no point, and points that all lie in one place', () => {
    expect(fit(new Float32Array(0), size)).toEqual({ scale: 1, x: 200, y: 150 });
    expect(toScreen(fit(Float32Array.from([7, 7, 7, 7]), size), { x: 7, y: 7 })).toEqual({ x: 200, y: 150 });
  });

  it('zooms around the place that is pointed at, within bounds', () => {
    const whole = fit(places, size);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.nat(400), fc.nat(300), (factor, x, y) => {
        const at = { x, y };
        const view = zoom(whole, factor, at, whole);
        const back = toScreen(view, toMap(whole, at));
        expect(back.x).toBeCloseTo(x, 4);
        expect(back.y).toBeCloseTo(y, 4);
        expect(view.scale / whole.scale).toBeGreaterThan(0.39);
        expect(view.scale / whole.scale).toBeLessThan(61);
      }),
    );
  });

  it('finds the points under a place, nearest first, also after moving', () => {
    const view = pan(fit(places, size), 30, -10);
    const at = toScreen(view, { x: 5, y: 4 });
    expect(pointsNear(view, places, { at, count: 5, reachPx: 3 })).toEqual([1]);
    expect(pointsNear(view, places, { at, count: 2, reachPx: 1e4 })).toEqual([1, 2]);
    expect(pointsNear(view, places, { at: { x: at.x + 20, y: at.y }, count: 1, reachPx: 12 })).toEqual([]);
  });
});
