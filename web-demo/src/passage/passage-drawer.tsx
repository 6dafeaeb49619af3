import { Drawer } from '@mantine/core';
import { useQuery } from '@terndb/react';
import { useState } from 'react';
import type { Facet } from '../library/facets.ts';
import { usePassages } from '../library/library-context.tsx';
import classes from './passage.module.css';
import { PassagePanel } from './passage-panel.tsx';

interface Props {
  /** Null: closed. */
  openKey: string | null;
  topics: readonly Facet[];
  onClose: () => void;
  onOpen: (key: string) => void;
  onMoreLikeThis: (key: string, title: string) => void;
}

/** The opened passage, live: an edit in another tab shows here too. */
export function PassageDrawer({ openKey, topics, onClose, onOpen, onMoreLikeThis }: Props) {
  const passages = usePassages();
  // While the drawer slides out it still shows what it showed.
  const [shownKey, setShownKey] = useState(openKey);
  if (openKey !== null && openKey !== shownKey) setShownKey(openKey);
  const { data } = useQuery(passages, shownKey === null ? null : { where: { id: shownKey }, limit: 1 });
  const passage = data?.entities[0];
  return (
    <Drawer.Root opened={openKey !== null} onClose={onClose} position="right" size={520} keepMounted={false}>
      <Drawer.Overlay backgroundOpacity={0.25} />
      <Drawer.Content aria-label="Passage" classNames={{ content: classes['drawer']! }}>
        {passage?.id === shownKey && passage !== undefined && (
          <PassagePanel
            key={passage.id}
            passage={passage}
            pending={data?.pendingKeys.includes(passage.id) === true}
            topics={topics}
            onClose={onClose}
            onOpen={onOpen}
            onMoreLikeThis={onMoreLikeThis}
          />
        )}
      </Drawer.Content>
    </Drawer.Root>
  );
}
