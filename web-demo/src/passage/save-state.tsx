import { Group } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleDashed, IconPencil } from '@tabler/icons-react';
import { PendingMark } from '../sync/pending-mark.tsx';
import { useSync } from '../sync/sync-context.tsx';
import classes from './passage.module.css';
import type { Draft, SaveState } from './use-draft.ts';

const TEXTS: Readonly<Record<SaveState, string>> = {
  clean: '',
  editing: 'Editing…',
  visible: 'Searchable, saving…',
  durable: 'Saved on this device',
  failed: 'Not saved',
};
const ICONS = { clean: null, editing: IconPencil, visible: IconCircleDashed, durable: IconCheck, failed: IconAlertTriangle };

interface Props {
  draft: Draft;
  /** What is saved is not on the server yet. */
  pending: boolean;
}

export function SaveStateLine({ draft, pending }: Props) {
  const { status } = useSync();
  const Icon = ICONS[draft.state];
  const isConnected = status.partitions.length > 0;
  return (
    <Group gap={6} className={classes['state']!} role="status" data-save-state={draft.state}>
      {Icon !== null && <Icon size={16} stroke={1.8} aria-hidden="true" />}
      {draft.state === 'durable' && isConnected && !pending ? 'Saved, here and on the server' : TEXTS[draft.state]}
      {pending && draft.state !== 'editing' && draft.state !== 'visible' && <PendingMark />}
      {draft.error !== null && draft.state === 'failed' ? `: ${draft.error.message}` : ''}
    </Group>
  );
}
