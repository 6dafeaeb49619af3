import { Anchor, CloseButton, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { formatCount } from '../app/format.ts';
import type { ImportReport } from '../import/run-import.ts';
import { ProblemsDrawer } from './problems-drawer.tsx';

export function ImportReportCard({ report, onDismiss }: { report: ImportReport; onDismiss: () => void }) {
  const [open, problems] = useDisclosure(false);
  return (
    <>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div role="status">
          <Text fw={600}>{titleOf(report)}</Text>
          <Text fz="sm" c="var(--ink-soft)">
            {formatCount(report.imported, 'passage')} added in {(report.elapsedMs / 1000).toFixed(1)} s
            {report.cancelled ? '; they stay in the library' : ''}
          </Text>
          {report.failure !== null && (
            <Text fz="sm" c="bill">
              {report.failure}
            </Text>
          )}
          {report.problemCount > 0 && (
            <Anchor component="button" type="button" fz="sm" onClick={problems.open}>
              {formatCount(report.problemCount, 'row')} could not be read: show why
            </Anchor>
          )}
        </div>
        <CloseButton aria-label="Dismiss the import report" onClick={onDismiss} />
      </Group>
      <ProblemsDrawer report={report} opened={open} onClose={problems.close} />
    </>
  );
}

function titleOf(report: ImportReport): string {
  if (report.failure !== null) return 'Import stopped';
  if (report.cancelled) return 'Import cancelled';
  return report.problemCount > 0 ? 'Import finished, with gaps' : 'Import finished';
}
