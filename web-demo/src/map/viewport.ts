import type { Place } from './place-query.ts';

/** How the map lies on the screen: `screen = map * scale + offset`, in CSS pixels. */
export interface Viewport {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}

const MARGIN_PX = 28;
/** Beyond these the map is one colour, or a dot. */
const MAX_ZOOM = 60;
const MIN_ZOOM = 0.4;

/** The whole map in the middle of the screen. */
export function fit(places: Float32Array, { width, height }: Size): Viewport {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    left = Math.min(left, places[i]!);
    right = Math.max(right, places[i]!);
    top = Math.min(top, places[i + 1]!);
    bottom = Math.max(bottom, places[i + 1]!);
  }
  if (left > right) return { scale: 1, x: width / 2, y: height / 2 };
  const scale = Math.min(...[[width, right - left] as const, [height, bottom - top] as const].map(([room, wide]) => roomFor(room, wide)));
  return { scale, x: width / 2 - (scale * (left + right)) / 2, y: height / 2 - (scale * (top + bottom)) / 2 };
}

function roomFor(room: number, wide: number): number {
  return Math.max(1, room - 2 * MARGIN_PX) / Math.max(wide, 1e-6);
}

export function toScreen({ scale, x, y }: Viewport, place: Place): Place {
  return { x: place.x * scale + x, y: place.y * scale + y };
}

export function toMap({ scale, x, y }: Viewport, screen: Place): Place {
  return { x: (screen.x - x) / scale, y: (screen.y - y) / scale };
}

export function pan(view: Viewport, byX: number, byY: number): Viewport {
  return { ...view, x: view.x + byX, y: view.y + byY };
}

/** Larger by `factor`, with what is at `at` staying there. `whole` is the fitted view: how far one may go is told from it. */
export function zoom(view: Viewport, factor: number, at: Place, whole: Viewport): Viewport {
  const scale = Math.min(Math.max(view.scale * factor, whole.scale * MIN_ZOOM), whole.scale * MAX_ZOOM);
  const fixed = toMap(view, at);
  return { scale, x: at.x - fixed.x * scale, y: at.y - fixed.y * scale };
}

/** Indexes of the points nearest to a place of the screen, at most `reachPx` from it, nearest first. Cost: all points are looked at. */
export function pointsNear(
  view: Viewport,
  places: Float32Array,
  options: { at: Place; count: number; reachPx: number },
): readonly number[] {
  const { at, count, reachPx } = options;
  const middle = toMap(view, at);
  const reach = (reachPx / view.scale) ** 2;
  const found: { index: number; square: number }[] = [];
  for (let index = 0; index < places.length / 2; index++) {
    const square = (places[2 * index]! - middle.x) ** 2 + (places[2 * index + 1]! - middle.y) ** 2;
    if (square <= reach) found.push({ index, square });
  }
  return found
    .sort((a, b) => a.square - b.square)
    .slice(0, count)
    .map(({ index }) => index);
}
