import { notifications } from '@mantine/notifications';
import { ActionMessage } from '../app/action-message.tsx';
import { usePassages } from '../library/library-context.tsx';
import { ALL_FIELDS, type Passage } from '../library/schema.ts';

/** How long a deletion can be taken back. */
const UNDO_MS = 8_000;

/** Deletes at once, without asking, and offers to put the passage back with all it had. */
export function useDelete(): (passage: Passage) => Promise<void> {
  const passages = usePassages();
  return async ({ id: key, title }) => {
    const whole = await passages.get(key, { select: ALL_FIELDS });
    if (whole === undefined) return;
    await passages.delete(key);
    const undo = (): void => {
      passages.put(whole);
      notifications.hide(id);
    };
    const id = notifications.show({
      autoClose: UNDO_MS,
      message: <ActionMessage text={`Deleted “${title}”`} action="Undo" onAction={undo} />,
    });
  };
}
