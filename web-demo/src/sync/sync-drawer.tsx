import { Progress, Switch } from '@mantine/core';
import { SideDrawer } from '../app/side-drawer.tsx';
import { ChannelPictures } from './channel-pictures.tsx';
import { RefusedWrites } from './refused-writes.tsx';
import { ShareHint } from './share-hint.tsx';
import classes from './sync.module.css';
import { SyncDot } from './sync-button.tsx';
import { useSync } from './sync-context.tsx';
import { SyncFacts } from './sync-facts.tsx';
import { SyncNotes } from './sync-notes.tsx';

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** What is shared, with whom, how far it is, and a way to try being offline. */
export function SyncDrawer({ opened, onClose }: Props) {
  return (
    <SideDrawer opened={opened} onClose={onClose} title="Sync">
      <SyncPanel />
    </SideDrawer>
  );
}

function SyncPanel() {
  const { status, sharing, description, sync } = useSync();
  const isShared = sharing.server === 'found';
  return (
    <>
      <div className={classes['state']} role="status" data-sync-state={status.state.name} data-tone={description.tone}>
        <SyncDot tone={description.tone} />
        <strong>{description.title}</strong>
        <p>{description.text}</p>
      </div>
      {status.state.name === 'catching-up' && !sharing.pretendOffline && (
        <Progress value={100 * status.state.progress} aria-label="Catching up" mb="md" />
      )}
      {isShared ? (
        <Switch
          mb="lg"
          checked={sharing.pretendOffline}
          onChange={(event) => sync.pretendOffline(event.currentTarget.checked)}
          label="Pretend to be offline"
          classNames={{ description: classes['description']! }}
          description="Only a pretence: closes the connection of this browser, in all its tabs, until you switch it back."
        />
      ) : (
        <ShareHint />
      )}
      {isShared && <SyncFacts status={status} />}
      <RefusedWrites count={status.rejected} />
      <ChannelPictures isShared={isShared} outbox={status.outbox} />
      {isShared && <SyncNotes notes={sharing.notes} />}
    </>
  );
}
