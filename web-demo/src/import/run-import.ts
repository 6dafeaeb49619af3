import type { ParsedPassage, Problem } from './parsed.ts';
import type { Batch } from './protocol.ts';

/** One thing to import: a dropped file or the sample. */
export interface ImportSource {
  readonly name: string;
  readonly bytes: number;
  readonly batches: AsyncIterable<Batch>;
}
export interface ImportProgress {
  readonly name: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly imported: number;
  readonly problems: number;
  readonly rowsPerSecond: number;
}
interface SourceProblem extends Problem {
  readonly source: string;
}
export interface ImportReport {
  readonly names: readonly string[];
  /** Durable on this device. */
  readonly imported: number;
  readonly problemCount: number;
  /** The first `MAX_PROBLEMS` of them. */
  readonly problems: readonly SourceProblem[];
  readonly cancelled: boolean;
  /** Why it ended early, if the database refused or a file could not be read. */
  readonly failure: string | null;
  readonly elapsedMs: number;
}
export interface ImportOptions {
  /** Resolves when the passages are durable. */
  readonly write: (passages: readonly ParsedPassage[]) => PromiseLike<unknown>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
  readonly nowMs: () => number;
}

/** A report longer than this is not read; the count goes on. */
export const MAX_PROBLEMS = 2_000;

/**
 * Imports the sources one after another. Ends early when cancelled or when a write fails; what is in stays in, and the report says how much.
 * Never throws.
 */
export async function runImport(sources: readonly ImportSource[], options: ImportOptions): Promise<ImportReport> {
  const startMs = options.nowMs();
  const totalBytes = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const problems: SourceProblem[] = [];
  let imported = 0;
  let problemCount = 0;
  let earlierBytes = 0;
  let failure: string | null = null;

  const tell = (name: string, bytes: number): void => {
    const seconds = Math.max(options.nowMs() - startMs, 1) / 1000;
    const doneBytes = Math.min(earlierBytes + bytes, totalBytes);
    options.onProgress({ name, doneBytes, totalBytes, imported, problems: problemCount, rowsPerSecond: imported / seconds });
  };
  try {
    for (const source of sources) {
      tell(source.name, 0);
      for await (const batch of source.batches) {
        if (options.signal.aborted) break;
        if (batch.passages.length > 0) await options.write(batch.passages);
        imported += batch.passages.length;
        problemCount += batch.problems.length;
        for (const problem of batch.problems) if (problems.length < MAX_PROBLEMS) problems.push({ ...problem, source: source.name });
        tell(source.name, batch.doneBytes);
      }
      if (options.signal.aborted) break;
      earlierBytes += source.bytes;
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const names = sources.map(({ name }) => name);
  return { names, imported, problemCount, problems, cancelled: options.signal.aborted, failure, elapsedMs: options.nowMs() - startMs };
}

/** For the download: one line per problem, tab-separated. */
export function reportText(report: ImportReport): string {
  const rows = report.problems.map(({ source, line, reason, excerpt }) => [source, line, reason, excerpt].join('\t'));
  const missing = report.problemCount - report.problems.length;
  return [['file', 'line', 'reason', 'text'].join('\t'), ...rows, ...(missing > 0 ? [`and ${missing} more`] : []), ''].join('\n');
}
