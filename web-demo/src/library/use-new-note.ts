import { DEFAULT_KIND, DEFAULT_TOPIC } from '../import/row.ts';
import { usePassages } from './library-context.tsx';

export const UNTITLED = 'Untitled note';

/** Makes a note and opens it at once: its key is known before it is durable. */
export function useNewNote(onCreated: (key: string) => void): () => void {
  const passages = usePassages();
  return () => {
    const write = passages.put({ title: UNTITLED, body: '', topic: DEFAULT_TOPIC, kind: DEFAULT_KIND, source: null, added: new Date() });
    onCreated(write.key);
  };
}
