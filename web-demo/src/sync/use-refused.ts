import type { RejectedEvent } from '@terndb/client';
import { useEffect, useState } from 'react';
import { useLibrary } from '../library/library-context.tsx';
import type { PassageShape } from '../library/open-library.ts';

export type RefusedWrite = RejectedEvent<{ passages: PassageShape }> & { readonly id: number };

/** The durable list, oldest first, those of earlier sessions too. `count` is how many there are as the database says: another tab may dismiss. */
export function useRefused(count: number): readonly RefusedWrite[] {
  const library = useLibrary();
  const [writes, setWrites] = useState<readonly RefusedWrite[]>([]);
  useEffect(() => {
    let nextId = 1;
    return library.on('rejected', (event) => {
      const id = nextId++;
      const dismiss = async (): Promise<void> => {
        await event.dismiss();
        setWrites((old) => old.filter((write) => write.id !== id));
      };
      setWrites((old) => [...old, { ...event, id, dismiss }]);
    });
  }, [library]);
  return count === 0 ? [] : writes;
}
