import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from 'react';
import { ACCEPTED_EXTENSIONS } from '../import/parse-file.ts';
import { parseInWorker } from '../import/parse-in-worker.ts';
import { type ImportProgress, type ImportReport, type ImportSource, runImport } from '../import/run-import.ts';
import { usePassages } from '../library/library-context.tsx';
import { toEntity } from '../library/to-entity.ts';
import { sampleSource } from '../sample/sample-source.ts';

interface Imports {
  /** The import under way. */
  readonly running: ImportProgress | null;
  /** The last one, until dismissed. */
  readonly report: ImportReport | null;
  readonly importFiles: (files: readonly File[]) => void;
  readonly loadSample: () => void;
  readonly chooseFiles: () => void;
  readonly cancel: () => void;
  readonly dismiss: () => void;
}

const ImportContext = createContext<Imports | null>(null);

export function useImport(): Imports {
  const imports = use(ImportContext);
  if (imports === null) throw new Error('useImport outside ImportProvider');
  return imports;
}

/** One import at a time, for the whole app: dropping files, choosing them and loading the sample end here. */
export function ImportProvider({ children }: { children: ReactNode }) {
  const passages = usePassages();
  const [running, setRunning] = useState<ImportProgress | null>(null);
  const [report, setReport] = useState<ImportReport | null>(null);
  const abort = useRef<AbortController | null>(null);

  const start = useCallback(
    async (sources: readonly ImportSource[]): Promise<void> => {
      if (abort.current !== null) return;
      abort.current = new AbortController();
      setReport(null);
      const importedAt = new Date();
      const done = await runImport(sources, {
        write: (batch) => passages.putMany(batch.map((parsed) => toEntity(parsed, importedAt))),
        signal: abort.current.signal,
        onProgress: setRunning,
        nowMs: () => performance.now(),
      });
      abort.current = null;
      setRunning(null);
      setReport(done);
    },
    [passages],
  );

  const imports = useMemo<Imports>(() => {
    const importFiles = (files: readonly File[]): void => {
      if (files.length > 0) void start(files.map((file) => ({ name: file.name, bytes: file.size, batches: parseInWorker(file) })));
    };
    return {
      running,
      report,
      importFiles,
      loadSample: () => void start([sampleSource()]),
      chooseFiles: () => chooseFiles(importFiles),
      cancel: () => abort.current?.abort(),
      dismiss: () => setReport(null),
    };
  }, [running, report, start]);
  return <ImportContext value={imports}>{children}</ImportContext>;
}

function chooseFiles(onChosen: (files: readonly File[]) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = ACCEPTED_EXTENSIONS.join(',');
  input.addEventListener('change', () => onChosen([...(input.files ?? [])]));
  input.click();
}
