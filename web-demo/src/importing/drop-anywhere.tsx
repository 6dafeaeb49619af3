import { Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { useImport } from './import-context.tsx';
import classes from './importing.module.css';

/** Files may be dropped on any part of the window; what cannot be read is told by the report. */
export function DropAnywhere() {
  const { importFiles, running } = useImport();
  return (
    <Dropzone.FullScreen active={running === null} onDrop={importFiles} inputProps={{ 'aria-label': 'Drop files' }}>
      <div className={classes['target']}>
        <Text fz="xl" fw={600}>
          Drop to add to your library
        </Text>
        <Text c="var(--ink-soft)">JSONL, CSV, Markdown or plain text</Text>
      </div>
    </Dropzone.FullScreen>
  );
}
