import type { Row } from './write-report.ts';

interface Point {
  readonly recall: number;
  readonly qps: number;
}

const WIDTH = 760;
const PANEL_HEIGHT = 300;
const MARGIN = { left: 64, right: 230, top: 40, bottom: 40 };
/** Recall is drawn from here, or from the least there is, to 1. */
const LEAST_RECALL = 0.8;
/** Told apart without colours too: each has its own mark. */
const COLOURS = ['#1b6ca8', '#c2410c', '#15803d', '#7e22ce', '#b91c1c', '#0f766e', '#a16207', '#374151'];

/** Recall against queries per second (logarithmic), a panel for each data set of a size: the picture of `kernel.json`. */
export function plot(rows: readonly Row[]): string {
  const panels = new Map<string, Row[]>();
  for (const row of rows) {
    if (pointsOf(row).length === 0) continue;
    const title = `${row.data}, ${row.rows.toLocaleString('en')} rows`;
    panels.set(title, [...(panels.get(title) ?? []), row]);
  }
  const height = PANEL_HEIGHT * panels.size;
  const drawn = [...panels].map(([title, of], at) => `<g transform="translate(0 ${at * PANEL_HEIGHT})">${panel(title, of)}</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>Recall@10 against queries per second</title><rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

/** The whole curve where the run kept it, else the operating points. */
function pointsOf(row: Row): Point[] {
  const measured = (row['curve'] ?? row['search'] ?? []) as readonly Partial<Point>[];
  return measured
    .filter((point): point is Point => point.recall !== undefined && point.qps !== undefined && point.recall >= LEAST_RECALL)
    .sort((a, b) => a.recall - b.recall);
}

function panel(title: string, rows: readonly Row[]): string {
  const all = rows.flatMap(pointsOf).map(({ qps }) => Math.log10(qps));
  const [low, high] = [Math.floor(Math.min(...all) * 4) / 4, Math.ceil(Math.max(...all) * 4) / 4];
  const least = Math.floor(Math.min(...rows.flatMap(pointsOf).map(({ recall }) => recall), 0.95) * 20) / 20;
  const right = WIDTH - MARGIN.right;
  const bottom = PANEL_HEIGHT - MARGIN.bottom;
  const x = (recall: number): number => MARGIN.left + ((recall - least) / (1 - least)) * (right - MARGIN.left);
  const y = (qps: number): number => bottom - ((Math.log10(qps) - low) / (high - low || 1)) * (bottom - MARGIN.top);
  const parts = [`<text x="${MARGIN.left}" y="22" font-weight="bold">${title}</text>`];
  for (const recall of [0.8, 0.85, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 1].filter((at) => at >= least))
    parts.push(
      `<path d="M${px(x(recall))} ${MARGIN.top}V${bottom}" stroke="#e5e7eb"/>`,
      `<text x="${px(x(recall))}" y="${bottom + 16}" text-anchor="middle">${recall}</text>`,
    );
  for (const qps of ticks(low, high))
    parts.push(
      `<path d="M${MARGIN.left} ${px(y(qps))}H${right}" stroke="#e5e7eb"/>`,
      `<text x="${MARGIN.left - 6}" y="${px(y(qps) + 4)}" text-anchor="end">${qps.toLocaleString('en')}</text>`,
    );
  parts.push(
    `<text x="${(MARGIN.left + right) / 2}" y="${bottom + 32}" text-anchor="middle">recall@10</text>`,
    `<text transform="translate(12 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">queries per second</text>`,
  );
  rows.forEach((row, at) => {
    const colour = COLOURS[at % COLOURS.length]!;
    const points = pointsOf(row).map(({ recall, qps }) => [x(recall), y(qps)] as const);
    const line = points.map(([cx, cy], index) => `${index === 0 ? 'M' : 'L'}${px(cx)} ${px(cy)}`).join('');
    const labelAt = MARGIN.top + 8 + at * 20;
    parts.push(
      `<path d="${line}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      ...points.map(([cx, cy]) => mark(at, cx, cy, colour)),
      mark(at, right + 18, labelAt, colour),
      `<text x="${right + 30}" y="${labelAt + 4}">${row.name}</text>`,
    );
  });
  return parts.join('\n');
}

function ticks(low: number, high: number): number[] {
  const all = [1, 2, 5].flatMap((first) => Array.from({ length: 7 }, (_, power) => first * 10 ** power));
  return all.filter((qps) => Math.log10(qps) >= low && Math.log10(qps) <= high).sort((a, b) => a - b);
}

/** Circle, square, triangle, diamond; filled, then hollow. */
function mark(index: number, x: number, y: number, colour: string): string {
  const style = `fill="${index >= 4 ? '#fff' : colour}" stroke="${colour}"`;
  switch (index % 4) {
    case 0:
      return `<circle cx="${px(x)}" cy="${px(y)}" r="3.5" ${style}/>`;
    case 1:
      return `<rect x="${px(x - 3)}" y="${px(y - 3)}" width="6" height="6" ${style}/>`;
    case 2:
      return `<path d="M${px(x)} ${px(y - 4)}l4 7h-8z" ${style}/>`;
    default:
      return `<path d="M${px(x)} ${px(y - 4.5)}l4.5 4.5l-4.5 4.5l-4.5 -4.5z" ${style}/>`;
  }
}

function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
