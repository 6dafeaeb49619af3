import { Button } from '@mantine/core';
import { formatCount } from '../app/format.ts';
import { Section } from '../insights/section.tsx';
import classes from './sync.module.css';
import { type RefusedWrite, useRefused } from './use-refused.ts';

const VERBS = { put: 'Written', patch: 'Changed', delete: 'Deleted', collab: 'Edited' };

/** Writes that the server refused for good: they had to be undone here, and somebody should know. */
export function RefusedWrites({ count }: { count: number }) {
  const refused = useRefused(count);
  if (refused.length === 0) return null;
  return (
    <Section
      title={formatCount(refused.length, 'refused write')}
      hint="The server will not take these. The library shows what it was before; they stay listed until dismissed."
    >
      <ul className={classes['refused']}>
        {refused.map((write) => (
          <li key={write.id}>
            <div>
              <strong>{titleOf(write)}</strong>
              <p>
                {VERBS[write.op.type]} here, refused there: <code title={write.error.message}>{write.error.code}</code>
              </p>
            </div>
            <Button size="compact-sm" variant="default" onClick={() => void write.dismiss()} aria-label={`Dismiss ${titleOf(write)}`}>
              Dismiss
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function titleOf({ op, key }: RefusedWrite): string {
  const title = 'fields' in op ? op.fields.title : undefined;
  return title === undefined || title === '' ? key : title;
}
