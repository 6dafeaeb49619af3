import { EmbeddingCard } from './embedding-card.tsx';
import { useImport } from './import-context.tsx';
import { ImportReportCard } from './import-report.tsx';
import { ImportRunning } from './import-running.tsx';
import classes from './importing.module.css';

/** The corner of the page that tells what goes on behind it: the import, and reading what came in for its meaning. */
export function ImportPanel() {
  const { running, report, cancel, dismiss } = useImport();
  const isImport = running !== null || report !== null;
  return (
    <div className={classes['corner']}>
      <EmbeddingCard />
      {isImport && (
        <section className={classes['part']} aria-label="Import">
          {running !== null && <ImportRunning progress={running} onCancel={cancel} />}
          {running === null && report !== null && <ImportReportCard report={report} onDismiss={dismiss} />}
        </section>
      )}
    </div>
  );
}
