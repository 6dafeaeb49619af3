import { Section } from '../insights/section.tsx';
import type { SyncNote } from './library-sync.ts';
import classes from './sync.module.css';

const time = new Intl.DateTimeFormat('en', { timeStyle: 'medium' });

/** What happened to the connection since this page was opened. */
export function SyncNotes({ notes }: { notes: readonly SyncNote[] }) {
  if (notes.length === 0) return null;
  return (
    <Section title="What happened" hint="Since this page was opened, newest first.">
      <ol className={classes['notes']}>
        {notes.map(({ id, at, text }) => (
          <li key={id}>
            <time dateTime={at.toISOString()}>{time.format(at)}</time>
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </Section>
  );
}
