import { Button, Stack, Text, Title } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconBook2, IconUpload } from '@tabler/icons-react';
import { TernLogo } from '../app/tern-logo.tsx';
import { useImport } from '../importing/import-context.tsx';
import classes from './empty-library.module.css';

export function EmptyLibrary() {
  const { importFiles, loadSample } = useImport();
  return (
    <div className={classes['page']}>
      <Stack align="center" gap="md" className={classes['hero']!}>
        <TernLogo size={148} />
        <Title order={2} ta="center" className={classes['title']!}>
          A library that stays with you
        </Title>
        <Text ta="center" c="var(--ink-soft)" maw={480}>
          Notes and passages, kept in this browser and searched as you type. No account, no server: close the laptop, open it on a plane,
          everything is still here.
        </Text>
        <Button size="md" radius="xl" leftSection={<IconBook2 size={20} />} onClick={loadSample}>
          Load the sample
        </Button>
        <Text fz="sm" c="var(--ink-soft)" ta="center">
          7,000 passages from the WordNet dictionary (2 MB), freely licensed
        </Text>
        <Dropzone onDrop={importFiles} className={classes['drop']!} inputProps={{ 'aria-label': 'Import files' }} multiple>
          <Stack align="center" gap={4}>
            <IconUpload size={28} stroke={1.4} />
            <Text fw={600}>Or drop your own files here</Text>
            <Text fz="sm" c="var(--ink-soft)">
              JSONL, CSV, Markdown or plain text
            </Text>
          </Stack>
        </Dropzone>
      </Stack>
    </div>
  );
}
