import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { OpenedPoint, OpenedRow } from './small-memory.ts';

export interface MillionRow extends OpenedRow {
  readonly rows: number;
  /** Of rows measured in Node. */
  readonly buildSeconds?: number;
  readonly savedBytes?: number;
  readonly browser?: string;
}

const MIB = 2 ** 20;
/** What a column looks for: recall, and whether rows are fetched. */
const COLUMNS = [
  { recall: 0.95, isRescored: false },
  { recall: 0.95, isRescored: true },
  { recall: 0.99, isRescored: true },
] as const;

/** The quickest point that reaches the recall. */
function cell(points: readonly OpenedPoint[], { recall, isRescored }: (typeof COLUMNS)[number]): string {
  const reached = points.filter((point) => point.recall >= recall && point.candidates > 0 === isRescored);
  const best = reached.sort((a, b) => b.qps - a.qps)[0];
  if (!best) return 'never';
  const how = [best.ef !== undefined && `ef ${best.ef}`, best.candidates > 0 && `${best.candidates} rows`].filter(Boolean).join(', ');
  return `${best.qps.toLocaleString('en')} (${how || 'all codes'}; p99 ${best.p99} µs)`;
}

/** `kernel-million.json` with everything, `kernel-million.md` to be read. */
export function writeMillion(folder: string, measured: readonly MillionRow[]): void {
  const lines = measured.map((row) =>
    [
      row.codes,
      row.browser ?? `Node ${process.version}`,
      row.buildSeconds ?? '',
      `${Math.round(row.memoryBytes / MIB)} (${Math.round(row.memoryBytes / row.rows)})`,
      row.openMs,
      ...COLUMNS.map((column) => cell(row.points, column)),
    ].join(' | '),
  );
  const note = process.env['BENCH_NOTE'] ?? `Load at the end of the run: ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores.`;
  const text = [
    '# Many rows in little memory',
    '',
    `Made by \`BENCH_WRITE=1 npm run bench -- million\`: ${measured[0]?.rows.toLocaleString('en')} rows × 384, clustered, inner product of unit vectors, k 10, 200 queries (50 for`,
    'scans), m 16, efConstruction 200, one thread. The kernel holds the index and nothing else; "rows" are fetched for each search and scored again: from',
    "memory in Node, from the origin's private file system in Chromium (persistent profile). QPS is that of the median query at the quickest setting that reaches the recall.",
    '',
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}. ${note}`,
    '',
    '| codes | in | build s | WASM MiB (bytes a row) | open ms | QPS, recall .95, no rows | .95, rescored | .99, rescored |',
    '|---|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ];
  writeFileSync(join(folder, 'kernel-million.md'), `${text.join('\n')}\n`);
  writeFileSync(join(folder, 'kernel-million.json'), `${JSON.stringify(measured, null, 2)}\n`);
}
