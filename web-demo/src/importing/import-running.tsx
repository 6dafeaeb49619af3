import { Button, Group, Progress, Text } from '@mantine/core';
import { formatCount } from '../app/format.ts';
import type { ImportProgress } from '../import/run-import.ts';
import classes from './importing.module.css';

export function ImportRunning({ progress, onCancel }: { progress: ImportProgress; onCancel: () => void }) {
  const percent = progress.totalBytes === 0 ? 0 : Math.min(100, (100 * progress.doneBytes) / progress.totalBytes);
  return (
    <>
      <Group justify="space-between" wrap="nowrap" mb={8}>
        <Text fw={600} truncate>
          Importing {progress.name}
        </Text>
        <Button variant="default" size="compact-sm" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
      <Progress.Root size="md">
        <Progress.Section value={percent} aria-label="Import progress" />
      </Progress.Root>
      <Text fz="sm" mt={8} c="var(--ink-soft)" className={classes['numbers']!}>
        {formatCount(progress.imported, 'passage')} · {formatCount(progress.rowsPerSecond)} per second
        {progress.problems > 0 ? ` · ${formatCount(progress.problems)} not read` : ''}
      </Text>
    </>
  );
}
