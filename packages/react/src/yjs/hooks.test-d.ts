/** What the hooks' types must be and must refuse. Checked by tsc, never run. */
import { defineSchema, f, open } from '@terndb/client';
import type { CollabDocument } from '@terndb/client/yjs';
import { useCollab, useCollabText, usePresence } from './index.ts';

const schema = defineSchema({ notes: { body: f.collabText() } });
const db = await open('x', { schema });

export function Component({ id }: { readonly id: string | null }): void {
  const { text, setText, document, state } = useCollabText(db.notes, id, 'body', { partition: 'team' });
  const shown: string | undefined = text;
  const opened: CollabDocument | null = document;
  setText('x');
  const unsaved: number | undefined = state?.unsaved;
  const [somebody] = usePresence(useCollab(db.notes, id, 'body').document, { user: { name: 'x' } });
  const name: string | undefined = somebody?.state.user?.name ?? somebody?.subject;
  // @ts-expect-error a key
  useCollabText(db.notes, { id }, 'body');
  void [shown, opened, unsaved, name];
}
