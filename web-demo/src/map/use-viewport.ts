import { type RefObject, useEffect, useState } from 'react';
import type { Place } from './place-query.ts';
import { fit, pan, type Size, type Viewport, zoom } from './viewport.ts';

export interface ViewportHandle {
  readonly view: Viewport;
  /** The whole map in the pane. */
  readonly whole: Viewport;
  readonly size: Size;
  readonly pan: (byX: number, byY: number) => void;
  /** At the middle where no place is given. */
  readonly zoom: (factor: number, at?: Place) => void;
  readonly reset: () => void;
}

/** The part of the map that is looked at. Until it is moved it is the whole, also while the map grows and the pane changes its size. */
export function useViewport(pane: RefObject<HTMLElement | null>, places: Float32Array): ViewportHandle {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [moved, setMoved] = useState<Viewport | null>(null);
  useEffect(() => {
    const element = pane.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [pane]);
  const whole = fit(places, size);
  return {
    view: moved ?? whole,
    whole,
    size,
    pan: (byX, byY) => setMoved((old) => pan(old ?? whole, byX, byY)),
    zoom: (factor, at = { x: size.width / 2, y: size.height / 2 }) => setMoved((old) => zoom(old ?? whole, factor, at, whole)),
    reset: () => setMoved(null),
  };
}
