import { Group } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleDashed, IconPencil } from '@tabler/icons-react';
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

export function SaveStateLine({ draft }: { draft: Draft }) {
  const Icon = ICONS[draft.state];
  return (
    <Group gap={6} className={classes['state']!} role="status" data-save-state={draft.state}>
      {Icon !== null && <Icon size={16} stroke={1.8} aria-hidden="true" />}
      {TEXTS[draft.state]}
      {draft.error !== null && draft.state === 'failed' ? `: ${draft.error.message}` : ''}
    </Group>
  );
}
