import type { CollabDocument } from '@terndb/client/yjs';
import { useEffect, useState } from 'react';
import classes from './editor.module.css';
import type { Who } from './who.ts';

type Awareness = CollabDocument['awareness'];
interface Other extends Who {
  readonly peer: number;
}

/** Who else has the passage open. */
export function Others({ awareness }: { awareness: Awareness }) {
  const [others, setOthers] = useState<readonly Other[]>([]);
  useEffect(() => {
    const look = (): void => setOthers(othersIn(awareness));
    look();
    awareness.on('change', look);
    return () => awareness.off('change', look);
  }, [awareness]);
  if (others.length === 0) return null;
  return (
    <p role="status" className={classes['others']}>
      {others.map(({ peer, name, color }) => (
        <span key={peer} className={classes['other']}>
          <span className={classes['dot']} style={{ background: color }} aria-hidden="true" />
          {name}
        </span>
      ))}
      {others.length === 1 ? 'is here too' : 'are here too'}
    </p>
  );
}

/** What others say of themselves may be anything. */
function othersIn(awareness: Awareness): readonly Other[] {
  return [...awareness.getStates()].flatMap(([peer, { user }]) => {
    const { name, color } = (user ?? {}) as Partial<Who>;
    if (peer === awareness.clientID || typeof name !== 'string' || typeof color !== 'string') return [];
    return [{ peer, name: name.slice(0, 40), color, colorLight: color }];
  });
}
