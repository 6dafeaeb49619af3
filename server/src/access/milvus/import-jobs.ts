import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { DbError } from '@terndb/core';
import { degraded, type Finding, OK } from '../../node/health/finding.ts';
import { parseExact } from './exact-json.ts';
import { linesOf } from './import-lines.ts';

/** What is known of one file of a job. */
export interface ImportFile {
  readonly name: string;
  bytes: number;
  rows: number;
  state: ImportState;
  reason?: string;
  completedAtMs?: number;
}
export type ImportState = 'Pending' | 'Importing' | 'Completed' | 'Failed';

export interface ImportJob {
  readonly id: string;
  readonly database: string;
  readonly collection: string;
  readonly partition: string;
  readonly subject: string;
  readonly createdAtMs: number;
  readonly files: readonly ImportFile[];
}

/** Rows of one batch, all written or none. */
export type WriteRows = (rows: readonly unknown[]) => Promise<void>;

/** As many as one insert may have. */
const BATCH_ROWS = 1000;
/** A `.json` file is parsed as a whole; `.jsonl` is read line by line, a line of it at most 4 MiB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** As in Milvus. */
const MAX_FILE_BYTES = 16 * 1024 * 1024 * 1024;
/** The oldest that are done are forgotten. */
const MAX_JOBS = 1_000;
/** Each keeps up to MAX_JOB_FILES names; one runs at a time. */
const MAX_OPEN_JOBS = 100;
export const MAX_JOB_FILES = 256;
/** Of a path below the import folder: jobs keep it and tell it. */
export const MAX_FILE_NAME = 1_024;

/**
 * Imports of files in one folder of the server, one job after the other. Jobs are in memory: a restart forgets them, and what they wrote stays. A row
 * that is refused ends its file; batches before it stay, as they are durable by then; the same file again puts the same rows again, which
 * is no harm unless the collection makes the keys.
 */
export class ImportJobs {
  readonly #folder: string;
  readonly #nowMs: () => number;
  readonly #jobs = new Map<string, ImportJob>();
  #running: Promise<void> = Promise.resolve();
  readonly #maxFileBytes: number;
  #next: number;

  /** `maxFileBytes`: less for tests. */
  constructor(folder: string, nowMs: () => number, maxFileBytes: number = MAX_FILE_BYTES) {
    this.#folder = folder;
    this.#maxFileBytes = maxFileBytes;
    this.#nowMs = nowMs;
    this.#next = nowMs();
  }

  /** Queued; `write` is called when it is its turn. */
  create(job: Omit<ImportJob, 'id' | 'createdAtMs' | 'files'>, names: readonly string[], write: WriteRows): ImportJob {
    if (this.#open >= MAX_OPEN_JOBS)
      throw new DbError('RATE_LIMITED', `imports: at most ${MAX_OPEN_JOBS} waiting jobs expected`, { details: { limit: MAX_OPEN_JOBS } });
    const files = names.map((name): ImportFile => ({ name, bytes: 0, rows: 0, state: 'Pending' }));
    const made: ImportJob = { ...job, id: String(this.#next++), createdAtMs: this.#nowMs(), files };
    this.#jobs.set(made.id, made);
    for (const [id, old] of this.#jobs) {
      if (this.#jobs.size <= MAX_JOBS) break;
      if (stateOf(old) === 'Completed' || stateOf(old) === 'Failed') this.#jobs.delete(id);
    }
    this.#running = this.#running.then(() => this.#run(made, write));
    return made;
  }

  check(): Finding {
    return this.#open < MAX_OPEN_JOBS ? OK : degraded(`as many jobs wait as may (${MAX_OPEN_JOBS}): others are refused`);
  }

  get #open(): number {
    return [...this.#jobs.values()].filter(({ files }) => files.some(isOpen)).length;
  }

  get(id: string): ImportJob | undefined {
    return this.#jobs.get(id);
  }

  list(): readonly ImportJob[] {
    return [...this.#jobs.values()];
  }

  /** After those under way. */
  settled(): Promise<void> {
    return this.#running;
  }

  async #run(job: ImportJob, write: WriteRows): Promise<void> {
    for (const file of job.files) {
      file.state = 'Importing';
      try {
        await this.#importFile(file, write);
        file.state = 'Completed';
      } catch (thrown) {
        file.state = 'Failed';
        file.reason = thrown instanceof Error ? thrown.message : String(thrown);
      }
      file.completedAtMs = this.#nowMs();
    }
  }

  async #importFile(file: ImportFile, write: WriteRows): Promise<void> {
    const path = await this.#pathOf(file.name);
    const found = await stat(path);
    // A pipe would be waited for without end.
    if (!found.isFile()) throw new Error(`${file.name}: no such file in the import folder`);
    file.bytes = found.size;
    if (found.size > this.#maxFileBytes) throw new Error(`${file.name}: at most ${this.#maxFileBytes} bytes expected, got ${found.size}`);
    const rows = extname(path) === '.json' ? await jsonRows(path, file.bytes) : lineRows(path);
    let batch: unknown[] = [];
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await write(batch);
      file.rows += batch.length;
      batch = [];
    };
    for await (const row of rows) {
      batch.push(row);
      if (batch.length === BATCH_ROWS) await flush();
    }
    await flush();
  }

  /** Inside the folder, links followed: whatever a name says, nothing else of this machine is read. */
  async #pathOf(name: string): Promise<string> {
    const kind = extname(name);
    if (kind !== '.json' && kind !== '.jsonl' && kind !== '.ndjson') throw new Error(`${name}: a .json, .jsonl or .ndjson file expected`);
    const missing = new Error(`${name}: no such file in the import folder`);
    const root = await realpath(this.#folder).catch(() => undefined);
    const path = await realpath(resolve(this.#folder, name)).catch(() => undefined);
    if (root === undefined || path === undefined || !path.startsWith(root + sep)) throw missing;
    return path;
  }
}

export function stateOf({ files }: ImportJob): ImportState {
  if (files.some(({ state }) => state === 'Failed')) return files.some(isOpen) ? 'Importing' : 'Failed';
  if (files.every(({ state }) => state === 'Pending')) return 'Pending';
  return files.some(isOpen) ? 'Importing' : 'Completed';
}

const isOpen = ({ state }: ImportFile): boolean => state === 'Pending' || state === 'Importing';

/** `[row, …]` or `{ "rows": [row, …] }`. */
async function jsonRows(path: string, bytes: number): Promise<readonly unknown[]> {
  if (bytes > MAX_JSON_BYTES)
    throw new Error(`at most ${MAX_JSON_BYTES} bytes in a .json file expected, got ${bytes}: .jsonl may be larger`);
  const value = parseExact(await text(createReadStream(path)));
  const rows = Array.isArray(value) ? value : (value as { readonly rows?: unknown } | null)?.rows;
  if (!Array.isArray(rows)) throw new Error('an array of rows, or an object with rows expected');
  return rows;
}

async function* lineRows(path: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    if (line.trim() === '') continue;
    try {
      yield parseExact(line);
    } catch (cause) {
      throw new Error(`line ${number}: JSON expected: ${(cause as Error).message}`, { cause });
    }
  }
}
