import { type RefObject, useEffect, useRef } from 'react';
import type { Place } from './place-query.ts';
import type { ViewportHandle } from './use-viewport.ts';

export interface Gestures {
  readonly onPoint: (at: Place | null) => void;
  readonly onPick: (at: Place) => void;
}

/** A press that moves less than this is a click. */
const CLICK_PX = 5;
/** One notch of a wheel, in the pixels that browsers tell, makes the map larger by a quarter. */
const WHEEL_STEP = Math.log(1.25) / 100;

/** Dragging, pinching, the wheel, pointing and clicking. One pointer drags, two zoom. */
export function useGestures(pane: RefObject<HTMLElement | null>, viewport: ViewportHandle, gestures: Gestures): void {
  const latest = useRef({ viewport, gestures });
  latest.current = { viewport, gestures };
  useEffect(() => {
    const element = pane.current;
    if (element === null) return;
    const abort = new AbortController();
    const held = new Map<number, Place>();
    let travelled = 0;
    const placeOf = (event: MouseEvent): Place => {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const drag = (id: number, to: Place): void => {
      const from = held.get(id)!;
      const other = [...held].find(([pointer]) => pointer !== id)?.[1];
      held.set(id, to);
      travelled += Math.hypot(to.x - from.x, to.y - from.y);
      const { viewport: now } = latest.current;
      if (other === undefined) {
        now.pan(to.x - from.x, to.y - from.y);
        return;
      }
      const [before, after] = [apart(from, other), apart(to, other)];
      if (before > 0 && after > 0) now.zoom(after / before, { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
    };
    const listen = <K extends 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel' | 'pointerleave' | 'wheel'>(
      type: K,
      handle: (event: HTMLElementEventMap[K]) => void,
    ): void => element.addEventListener(type, handle, { signal: abort.signal, passive: false });

    listen('pointerdown', (event) => {
      if (held.size === 0) travelled = 0;
      held.set(event.pointerId, placeOf(event));
      element.setPointerCapture(event.pointerId);
    });
    listen('pointermove', (event) => {
      if (held.has(event.pointerId)) drag(event.pointerId, placeOf(event));
      else latest.current.gestures.onPoint(placeOf(event));
    });
    listen('pointerup', (event) => {
      const isClick = held.delete(event.pointerId) && held.size === 0 && travelled < CLICK_PX;
      if (isClick) latest.current.gestures.onPick(placeOf(event));
    });
    listen('pointercancel', (event) => void held.delete(event.pointerId));
    listen('pointerleave', () => latest.current.gestures.onPoint(null));
    listen('wheel', (event) => {
      // The page itself must not scroll or zoom.
      event.preventDefault();
      latest.current.viewport.zoom(Math.exp(-event.deltaY * WHEEL_STEP), placeOf(event));
    });
    return () => abort.abort();
  }, [pane]);
}

function apart(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
