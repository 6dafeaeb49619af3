import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Settings } from './contender.ts';

export type Row = Readonly<Record<string, unknown>> & { readonly data: string; readonly rows: number; readonly name: string };

interface Level {
  readonly ef?: number;
  readonly recall?: number;
  readonly qps?: number;
  readonly p50?: number;
  readonly p99?: number;
}

const speed = (level: Level | undefined): string =>
  level?.qps === undefined ? 'never' : `${level.qps.toLocaleString('en')} (ef ${level.ef})`;

function contenderTable(rows: readonly Row[]): string {
  const lines = [
    '| | build s | QPS @ .95 | QPS @ .99 | p50 / p99 µs @ .95 | bytes/vector | save / open ms | 10 % filter, QPS @ .95 | 1 % filter, QPS @ .95 |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  for (const row of rows) {
    if (row['missing'] !== undefined) {
      lines.push(`| ${row.name} | not measured: ${row['missing']} | | | | | | | |`);
      continue;
    }
    const search = row['search'] as Level[];
    const filtered = row['filtered'] as { search: Level[] }[];
    const rerank = row['rerankBytesPerVector'] as number;
    const cells = [
      row.name,
      row['buildSeconds'],
      speed(search[0]),
      speed(search[1]),
      search[0]?.p50 === undefined ? '' : `${search[0].p50} / ${search[0].p99}`,
      `${row['bytesPerVector']}${rerank ? ` + ${rerank}` : ''}`,
      `${row['saveMs']} / ${row['openMs']}`,
      ...filtered.map((part) => (part.search.length === 0 ? 'not offered' : speed(part.search[0]))),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

function plannerTable(rows: readonly Row[]): string {
  const lines = ['| survivors | ef | plan | µs | distances | recall |', '|---|---|---|---|---|---|'];
  for (const row of rows)
    lines.push(`| ${row['share']} | ${row['ef']} | ${row['plan']} | ${row['us']} | ${row['distances']} | ${row['recall']} |`);
  return lines.join('\n');
}

/** `kernel.json` with everything, `kernel.md` to be read. */
export function writeReport(folder: string, rows: readonly Row[], settings: Settings): void {
  const about = { date: new Date().toISOString(), cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, settings };
  const parts = [
    '# Graph index',
    `Made by \`BENCH_WRITE=1 npm run bench -- kernel\` on ${about.date.slice(0, 10)}: ${about.cpu}, ${about.cores} cores, Node ${about.node}, one thread, all contenders in one`,
    `process taking turns; m ${settings.m}, efConstruction ${settings.efConstruction}, k ${settings.k}, 384 dimensions, 500 queries (100 with a filter). QPS is the median turn at the smallest`,
    'ef of a grid that reaches the recall. "never" means that no ef up to 768 does. Peers are what npm installs, not built for the host; their bytes/vector are computed from their layouts, not measured.',
  ];
  const note = process.env['BENCH_NOTE'];
  if (note) parts.push('', note);
  const groups = new Map<string, Row[]>();
  for (const row of rows)
    groups.set(`${row.data}, ${row.rows.toLocaleString('en')} rows`, [
      ...(groups.get(`${row.data}, ${row.rows.toLocaleString('en')} rows`) ?? []),
      row,
    ]);
  for (const [title, group] of groups) {
    parts.push('', `## ${title}`, '', contenderTable(group.filter((row) => row.name !== 'filter planner')));
    const planner = group.filter((row) => row.name === 'filter planner');
    if (planner.length > 0) parts.push('', '### Filter planner', '', plannerTable(planner));
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify({ ...about, rows }, null, 1)}\n`);
  writeFileSync(join(folder, 'kernel.md'), `${parts.join('\n')}\n`);
}
