import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBook2, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { download } from '../app/download.ts';
import { formatCount } from '../app/format.ts';
import { useImport } from '../importing/import-context.tsx';
import { exportBlob } from '../library/export-jsonl.ts';
import { usePassages } from '../library/library-context.tsx';
import { Section } from './section.tsx';

export function LibrarySection({ total }: { total: number }) {
  const passages = usePassages();
  const { loadSample, running } = useImport();
  const [exporting, setExporting] = useState(false);
  const save = async (): Promise<void> => {
    setExporting(true);
    try {
      download(await exportBlob(passages), 'tern-library.jsonl');
    } catch (error) {
      notifications.show({ color: 'bill', title: 'Export failed', message: error instanceof Error ? error.message : String(error) });
    } finally {
      setExporting(false);
    }
  };
  return (
    <Section
      title={formatCount(total, 'passage')}
      hint="Yours: take everything with you as one file of JSON lines, and bring it back by dropping it here."
    >
      <Group gap="xs">
        <Button size="xs" leftSection={<IconDownload size={16} />} loading={exporting} disabled={total === 0} onClick={() => void save()}>
          Export
        </Button>
        <Button size="xs" variant="default" leftSection={<IconBook2 size={16} />} disabled={running !== null} onClick={loadSample}>
          Load the sample
        </Button>
      </Group>
    </Section>
  );
}
