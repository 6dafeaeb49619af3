import { Button, Group, Table, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { download } from '../app/download.ts';
import { formatCount } from '../app/format.ts';
import { SideDrawer } from '../app/side-drawer.tsx';
import { type ImportReport, reportText } from '../import/run-import.ts';

interface Props {
  report: ImportReport;
  opened: boolean;
  onClose: () => void;
}

/** More rows are not read on a screen: the download has them. */
const SHOWN = 100;

export function ProblemsDrawer({ report, opened, onClose }: Props) {
  const save = (): void => download(new Blob([reportText(report)], { type: 'text/tab-separated-values' }), 'import-problems.tsv');
  return (
    <SideDrawer opened={opened} onClose={onClose} title="Rows that could not be read" size={760}>
      <Group justify="space-between" mb="sm">
        <Text fz="sm" c="var(--ink-soft)">
          {report.problemCount > SHOWN
            ? `The first ${SHOWN} of ${formatCount(report.problemCount)}`
            : formatCount(report.problemCount, 'row')}
        </Text>
        <Button size="xs" variant="default" leftSection={<IconDownload size={16} />} onClick={save}>
          Download the report
        </Button>
      </Group>
      <Table.ScrollContainer minWidth={560}>
        <Table fz="sm" verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>File</Table.Th>
              <Table.Th ta="right">Line</Table.Th>
              <Table.Th>Reason</Table.Th>
              <Table.Th w="38%">Text</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {report.problems.slice(0, SHOWN).map(({ source, line, reason, excerpt }) => (
              <Table.Tr key={`${source}:${line}`}>
                <Table.Td>{source}</Table.Td>
                <Table.Td ta="right">{line}</Table.Td>
                <Table.Td>{reason}</Table.Td>
                <Table.Td ff="monospace" fz="xs" style={{ overflowWrap: 'anywhere' }}>
                  {excerpt}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </SideDrawer>
  );
}
