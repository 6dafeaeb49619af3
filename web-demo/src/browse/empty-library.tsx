import { Button, Stack, Text, Title } from '@mantine/core';
import { IconBook2, IconUpload } from '@tabler/icons-react';
import { TernLogo } from '../app/tern-logo.tsx';
import { useImport } from '../importing/import-context.tsx';
import classes from './empty-library.module.css';

export function EmptyLibrary() {
  const { chooseFiles, loadSample } = useImport();
  return (
    <div className={classes['page']}>
      <Stack align="center" gap="md" className={classes['hero']!}>
        <TernLogo size={148} />
        <Title order={2} ta="center" className={classes['title']!}>
          A library that stays with you
        </Title>
        <Text ta="center" c="var(--ink-soft)" maw={480}>
          Notes and passages, kept in this browser and searched as you type, by word and by meaning. No account needed: close the laptop,
          open it on a plane, everything is still here.
        </Text>
        <Button size="md" radius="xl" leftSection={<IconBook2 size={20} />} onClick={loadSample}>
          Load the sample
        </Button>
        <Text fz="sm" c="var(--ink-soft)" ta="center">
          7,000 passages from the WordNet dictionary (2 MB), freely licensed
        </Text>
        <button type="button" className={classes['drop']} onClick={chooseFiles}>
          <IconUpload size={28} stroke={1.4} aria-hidden="true" />
          <strong>Drop your own files here, or choose them</strong>
          JSONL, CSV, Markdown or plain text
        </button>
      </Stack>
    </div>
  );
}
