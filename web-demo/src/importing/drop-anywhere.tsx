import { useImport } from './import-context.tsx';
import classes from './importing.module.css';
import { useFileDrop } from './use-file-drop.ts';

/** Files may be dropped on any part of the window; what cannot be read is told by the report. */
export function DropAnywhere() {
  const { importFiles } = useImport();
  const over = useFileDrop(importFiles);
  if (!over) return null;
  return (
    <div className={classes['target']} aria-hidden="true">
      <strong>Drop to add to your library</strong>
      JSONL, CSV, Markdown or plain text
    </div>
  );
}
