import { Badge, Button, Group, Progress, Text } from '@mantine/core';
import { useStore } from '@terndb/react';
import { useState } from 'react';
import { formatBytes } from '../app/format.ts';
import { useLibrary } from '../library/library-context.tsx';
import { Section } from './section.tsx';

/** A sliver of storage would be drawn as nothing. */
const MIN_BAR_PERCENT = 1;

export function StorageSection() {
  const library = useLibrary();
  const storage = useStore(library.storage);
  const { leader } = useStore(library.sync);
  const [asked, setAsked] = useState<boolean | null>(null);
  const persisted = storage.persisted || asked === true;
  const percent = storage.quotaBytes === 0 ? 0 : (100 * storage.usageBytes) / storage.quotaBytes;
  const ask = (): void => void navigator.storage.persist().then(setAsked);
  return (
    <Section
      title="Storage on this device"
      hint={`${formatBytes(storage.usageBytes)} used of ${formatBytes(storage.quotaBytes)} the browser offers`}
    >
      <Progress value={Math.max(percent, MIN_BAR_PERCENT)} size="lg" aria-label="Storage used" />
      <Group mt="sm" gap="xs">
        <Badge tt="none" variant={persisted ? 'filled' : 'outline'}>
          {persisted ? 'Kept by promise' : 'Kept while there is room'}
        </Badge>
        <Badge tt="none" variant="default" color={storage.mode === 'memory' ? 'bill' : 'sea'}>
          {storage.mode === 'memory' ? 'In memory only' : 'IndexedDB'}
        </Badge>
        <Badge tt="none" variant="default" color="gray">
          {leader ? 'This tab leads' : 'Another tab leads'}
        </Badge>
      </Group>
      {!persisted && storage.mode === 'indexeddb' && (
        <>
          <Text fz="sm" mt="sm">
            {asked === false
              ? 'The browser declined for now; it agrees more readily when the app is installed or visited often.'
              : 'When the device runs out of room, a browser may delete a site’s data, unless it has promised not to.'}
          </Text>
          <Button size="xs" variant="default" mt="xs" onClick={ask}>
            Ask the browser to keep it
          </Button>
        </>
      )}
    </Section>
  );
}
