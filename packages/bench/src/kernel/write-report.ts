import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Settings } from './contender.ts';
import { plot } from './plot.ts';
import { TRIED } from './tried.ts';

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
    const filtered = row['filtered'] as { search: Level[]; left?: string }[];
    const rerank = row['rerankBytesPerVector'] as number;
    const cells = [
      row.name,
      row['buildSeconds'],
      speed(search[0]),
      speed(search[1]),
      search[0]?.p50 === undefined ? '' : `${search[0].p50} / ${search[0].p99}`,
      `${row['bytesPerVector']}${rerank ? ` + ${rerank}` : ''}`,
      row['saveMs'] === undefined ? 'not measured' : `${row['saveMs']} / ${row['openMs']}`,
      ...filtered.map(({ search: found, left = 'not offered' }) => (found.length === 0 ? left : speed(found[0]))),
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

/** When, where and beside what a group was measured. */
interface Run {
  readonly date?: string | undefined;
  readonly cpu?: string | undefined;
  readonly cores?: number | undefined;
  readonly node?: string | undefined;
  readonly note?: string | undefined;
}
interface Stored {
  readonly settings: Settings;
  /** By group. */
  readonly runs: Readonly<Record<string, Run>>;
  readonly rows: readonly Row[];
}

const groupOf = (row: Row): string => `${row.data}, ${row.rows.toLocaleString('en')} rows`;

/**
 * `kernel.json` with everything, `kernel.md` to be read, `kernel.svg` to be looked at. Groups (data and size) that were measured now take the
 * place of those there, with when, where and beside what they were; others stay.
 */
export function writeReport(folder: string, rows: readonly Row[], settings: Settings): void {
  const file = join(folder, 'kernel.json');
  const before: Partial<Stored> & Run = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const note = process.env['BENCH_NOTE'];
  const run: Run = {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    ...(note && { note }),
  };
  const groups = new Set(rows.map(groupOf));
  const kept = (before.rows ?? []).filter((row) => !groups.has(groupOf(row)));
  const { date, cpu, cores, node, note: earlier } = before;
  // Files from before groups had runs of their own tell of one for all.
  const runs = Object.fromEntries(
    kept.map((row) => [groupOf(row), before.runs?.[groupOf(row)] ?? { date, cpu, cores, node, note: earlier }]),
  );
  for (const group of groups) runs[group] = run;
  write(folder, { settings, runs, rows: [...kept, ...rows] });
}

/** The page and the picture of what is in `kernel.json`. */
export function drawAgain(folder: string): void {
  write(folder, JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8')));
}

function write(folder: string, stored: Stored): void {
  const { settings, runs, rows } = stored;
  const parts = [
    '# Graph index',
    'Made by `BENCH_WRITE=1 npm run bench -- kernel`: one thread, all contenders of a table in one process (or one worker of Chromium),',
    `taking turns; m ${settings.m}, efConstruction ${settings.efConstruction}, k ${settings.k}, 384 dimensions, 500 queries (100 with a filter). QPS is the median turn at the smallest`,
    'ef of a grid that reaches the recall. "never" means that no ef up to 768 does. Peers are what npm installs; "-march=native" is the source of hnswlib-node built for the host; their bytes/vector are computed from their layouts, not measured.',
    'EdgeVec and the databases had their turn after the others, one pass each, and their bytes are measured, rows included; LanceDB has threads of its own.',
    '',
    '![Recall against queries per second](kernel.svg)',
  ];
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(groupOf(row), [...(groups.get(groupOf(row)) ?? []), row]);
  for (const [title, group] of groups) {
    parts.push(
      '',
      `## ${title}`,
      '',
      describeRun(runs[title] ?? {}, group),
      '',
      contenderTable(group.filter((row) => row.name !== 'filter planner')),
    );
    const planner = group.filter((row) => row.name === 'filter planner');
    if (planner.length > 0) parts.push('', '### Filter planner', '', plannerTable(planner));
  }
  parts.push('', TRIED.trimEnd());
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify(stored, null, 2)}\n`);
  writeFileSync(join(folder, 'kernel.md'), `${parts.join('\n')}\n`);
  writeFileSync(join(folder, 'kernel.svg'), plot(rows.filter((row) => row.name !== 'filter planner')));
}

function describeRun({ date, cpu, cores, node, note }: Run, group: readonly Row[]): string {
  const browser = group.find((row) => row['browser'])?.['browser'];
  const where = [date?.slice(0, 10), cpu, cores && `${cores} cores`, browser ?? (node && `Node ${node}`)];
  return `${where.filter(Boolean).join(', ')}. ${note ?? ''}`.trim();
}
