import { useComputedColorScheme } from '@mantine/core';
import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { topicLabel } from '../app/format.ts';
import { drawScene, type Scene } from './draw.ts';
import classes from './map.module.css';
import { useGestures } from './use-gestures.ts';
import type { MeaningMap } from './use-meaning-map.ts';
import type { ViewportHandle } from './use-viewport.ts';
import { pointsNear, toScreen } from './viewport.ts';

interface Props {
  pane: RefObject<HTMLDivElement | null>;
  map: MeaningMap;
  viewport: ViewportHandle;
  scene: Pick<Scene, 'colouring' | 'standsOut' | 'query' | 'pointed'>;
  onPoint: (index: number | null) => void;
  onOpen: (key: string) => void;
}

const REACH_PX = 12;
const STEP_PX = 60;
const STEP_FACTOR = 1.3;

/** The picture. What it shows is in the list beside it too, for those who do not see it or do not use a pointer. */
export function MapCanvas({ pane, map, viewport, scene, onPoint, onOpen }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  const { view, whole, size } = viewport;
  const pick = (at: { x: number; y: number }): number | null =>
    pointsNear(view, map.places, { at, count: 1, reachPx: REACH_PX })[0] ?? null;
  useGestures(pane, viewport, {
    onPoint: (at) => onPoint(at === null ? null : pick(at)),
    onPick: (at) => {
      const index = pick(at);
      if (index !== null) onOpen(map.points[index]!.key);
    },
  });

  useLayoutEffect(() => {
    const element = canvas.current;
    const pixelRatio = window.devicePixelRatio;
    if (element === null) return;
    element.width = Math.round(size.width * pixelRatio);
    element.height = Math.round(size.height * pixelRatio);
  }, [size.width, size.height]);

  useEffect(() => {
    // Several changes in one frame are one picture.
    const frame = requestAnimationFrame(() => {
      const context = canvas.current?.getContext('2d');
      const options = { pixelRatio: window.devicePixelRatio, wholeScale: whole.scale };
      if (context) drawScene(context, { ...scene, map, view, size, scheme }, options);
    });
    return () => cancelAnimationFrame(frame);
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const move = { ArrowLeft: [STEP_PX, 0], ArrowRight: [-STEP_PX, 0], ArrowUp: [0, STEP_PX], ArrowDown: [0, -STEP_PX] }[event.key];
    const factor = { '+': STEP_FACTOR, '=': STEP_FACTOR, '-': 1 / STEP_FACTOR }[event.key];
    if (move !== undefined) viewport.pan(move[0]!, move[1]!);
    else if (factor !== undefined) viewport.zoom(factor);
    else if (event.key === '0') viewport.reset();
    else return;
    event.preventDefault();
  };

  const pointed = scene.pointed === null ? undefined : map.points[scene.pointed];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of form fields it is not.
    <div
      ref={pane}
      className={classes['pane']}
      role="group"
      aria-label="Map: arrows move it, plus and minus zoom, 0 shows all of it"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows move the map, as they scroll a page.
      tabIndex={0}
      onKeyDown={onKeyDown}
      data-pointed={pointed !== undefined || undefined}
    >
      <canvas
        ref={canvas}
        className={classes['canvas']}
        role="img"
        aria-label={`${map.points.length} passages as points, alike ones near each other`}
      />
      {pointed !== undefined && <Tip viewport={viewport} map={map} index={scene.pointed!} />}
    </div>
  );
}

function Tip({ viewport, map, index }: { viewport: ViewportHandle; map: MeaningMap; index: number }) {
  const { title, topic } = map.points[index]!;
  const at = toScreen(viewport.view, { x: map.places[2 * index]!, y: map.places[2 * index + 1]! });
  const isRight = at.x > viewport.size.width / 2;
  return (
    <div className={classes['tip']} style={{ left: at.x, top: at.y }} data-side={isRight ? 'left' : 'right'} aria-hidden="true">
      <strong>{title}</strong>
      <span>{topicLabel(topic)}</span>
    </div>
  );
}
