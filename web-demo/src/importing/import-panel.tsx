import { useImport } from './import-context.tsx';
import { ImportReportCard } from './import-report.tsx';
import { ImportRunning } from './import-running.tsx';
import classes from './importing.module.css';

/** The corner of the page that tells about the import: how far it is, then how it went. */
export function ImportPanel() {
  const { running, report, cancel, dismiss } = useImport();
  if (running === null && report === null) return null;
  return (
    <section className={classes['panel']} aria-label="Import">
      {running !== null && <ImportRunning progress={running} onCancel={cancel} />}
      {running === null && report !== null && <ImportReportCard report={report} onDismiss={dismiss} />}
    </section>
  );
}
