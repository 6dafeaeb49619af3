import { type Colouring, colourOf, PALETTES } from './colours.ts';
import type { Place } from './place-query.ts';
import type { MeaningMap } from './use-meaning-map.ts';
import { type Size, toScreen, type Viewport } from './viewport.ts';

/** All that one picture of the map depends on. */
export interface Scene {
  readonly map: MeaningMap;
  readonly view: Viewport;
  readonly size: Size;
  readonly scheme: 'light' | 'dark';
  readonly colouring: Colouring;
  /** Points that stand out, 1 each; the others are faint. Null: all. */
  readonly standsOut: Uint8Array | null;
  /** Where the question is, and what it is near to. */
  readonly query: { readonly place: Place; readonly near: readonly number[]; readonly label: string } | null;
  /** Under the pointer, or chosen in the list. */
  readonly pointed: number | null;
}

const POINT_PX = 2.6;
/** A pane this wide and high has room for points of full size. */
const ROOMY_PX = 480;
const MIN_ROOM = 0.6;
/** Points grow slower than the map. */
const GROWTH = 0.35;
const MAX_POINT_PX = 9;
const FADED = 0.13;
const SOLID = 0.85;
const FONT = '600 13px system-ui, sans-serif';
const MAX_LABEL_CHARS = 40;
const LABEL_GAP_PX = 13;
const INK = { light: '#17222c', dark: '#e8eef3' } as const;
const PAPER = { light: '#ffffff', dark: '#161e27' } as const;
const QUERY = { light: '#b93a23', dark: '#ff8a6f' } as const;

/** In a small pane the same points lie closer together, and are smaller. */
function pointRadius({ view, size }: Scene, wholeScale: number): number {
  const room = Math.min(1, Math.max(MIN_ROOM, Math.min(size.width, size.height) / ROOMY_PX));
  return Math.min(MAX_POINT_PX, POINT_PX * room * (view.scale / wholeScale) ** GROWTH);
}

export function drawScene(context: CanvasRenderingContext2D, scene: Scene, options: { pixelRatio: number; wholeScale: number }): void {
  const { size } = scene;
  context.setTransform(options.pixelRatio, 0, 0, options.pixelRatio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const radius = pointRadius(scene, options.wholeScale);
  drawPoints(context, scene, radius);
  if (scene.query !== null) drawQuery(context, scene, scene.query, radius);
  if (scene.pointed !== null) ring(context, scene, scene.pointed, radius + 4);
}

function drawPoints(context: CanvasRenderingContext2D, scene: Scene, radius: number): void {
  const { map, view, size, colouring, standsOut, scheme } = scene;
  for (let entry = 0; entry < colouring.legend.length; entry++) {
    context.fillStyle = colourOf(PALETTES[scheme], entry, colouring.legend);
    for (let i = 0; i < map.points.length; i++) {
      if (colouring.entryOf[i] !== entry) continue;
      const x = map.places[2 * i]! * view.scale + view.x;
      const y = map.places[2 * i + 1]! * view.scale + view.y;
      if (x < -radius || y < -radius || x > size.width + radius || y > size.height + radius) continue;
      context.globalAlpha = standsOut === null || standsOut[i] === 1 ? SOLID : FADED;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

function drawQuery(context: CanvasRenderingContext2D, scene: Scene, query: NonNullable<Scene['query']>, radius: number): void {
  const { view, scheme } = scene;
  const at = toScreen(view, query.place);
  context.strokeStyle = QUERY[scheme];
  context.lineWidth = 1;
  context.globalAlpha = 0.6;
  for (const index of query.near) {
    const to = placeOf(scene, index);
    context.beginPath();
    context.moveTo(at.x, at.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const index of query.near) ring(context, scene, index, radius + 2.5, QUERY[scheme]);
  diamond(context, at, scheme);
  label(context, scene, query.label, at);
}

function placeOf({ map, view }: Scene, index: number): Place {
  return toScreen(view, { x: map.places[2 * index]!, y: map.places[2 * index + 1]! });
}

function ring(context: CanvasRenderingContext2D, scene: Scene, index: number, radius: number, colour: string = INK[scene.scheme]): void {
  const at = placeOf(scene, index);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.stroke();
}

/** A shape of its own: the question is told from passages without its colour. */
function diamond(context: CanvasRenderingContext2D, { x, y }: Place, scheme: 'light' | 'dark'): void {
  context.beginPath();
  context.moveTo(x, y - 9);
  context.lineTo(x + 9, y);
  context.lineTo(x, y + 9);
  context.lineTo(x - 9, y);
  context.closePath();
  context.fillStyle = QUERY[scheme];
  context.strokeStyle = PAPER[scheme];
  context.lineWidth = 2.5;
  context.fill();
  context.stroke();
}

/** Beside the diamond, on the side that has more room. */
function label(context: CanvasRenderingContext2D, { size, scheme }: Scene, text: string, at: Place): void {
  const shown = text.length > MAX_LABEL_CHARS ? `${text.slice(0, MAX_LABEL_CHARS)}…` : text;
  const isLeft = at.x > size.width / 2;
  const x = at.x + (isLeft ? -LABEL_GAP_PX : LABEL_GAP_PX);
  context.font = FONT;
  context.textAlign = isLeft ? 'right' : 'left';
  context.lineJoin = 'round';
  context.lineWidth = 5;
  context.strokeStyle = PAPER[scheme];
  context.strokeText(shown, x, at.y + 4);
  context.fillStyle = INK[scheme];
  context.fillText(shown, x, at.y + 4);
}
