import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCloud, IconCloudCheck, IconCloudExclamation, IconCloudOff, IconCloudUp, IconDeviceLaptop } from '@tabler/icons-react';
import { formatCount } from '../app/format.ts';
import type { SyncTone } from './describe-sync.ts';
import classes from './sync.module.css';
import { useSync } from './sync-context.tsx';

const ICONS = { off: IconDeviceLaptop, on: IconCloudCheck, busy: IconCloud, waiting: IconCloudOff, trouble: IconCloudExclamation };

/** The state of sharing at a glance, in the header; opens the panel that says the rest. */
export function SyncButton({ onClick }: { onClick: () => void }) {
  const { description, status } = useSync();
  const Icon = description.tone === 'on' && status.outbox > 0 ? IconCloudUp : ICONS[description.tone];
  const label = `Sync: ${description.title}${status.outbox === 0 ? '' : `, ${formatCount(status.outbox, 'unsent write')}`}`;
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={onClick} className={classes['button']!}>
        <Icon size={20} stroke={1.6} />
        <SyncDot tone={status.rejected > 0 ? 'trouble' : description.tone} />
      </ActionIcon>
    </Tooltip>
  );
}

/** The colour only repeats what the words say. */
export function SyncDot({ tone }: { tone: SyncTone }) {
  return <span className={classes['dot']} data-tone={tone} aria-hidden="true" />;
}
