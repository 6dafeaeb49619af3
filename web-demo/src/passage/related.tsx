import { Anchor, Group, Text } from '@mantine/core';
import { useSearch } from '@terndb/react';
import { topicLabel } from '../app/format.ts';
import { usePassages } from '../library/library-context.tsx';
import type { Passage } from '../library/schema.ts';
import classes from './passage.module.css';

interface Props {
  passage: Passage;
  onOpen: (key: string) => void;
  onAll: () => void;
}

const SHOWN = 5;

/** The nearest passages by meaning. Until a passage is embedded it has no neighbours, and the section is not there. */
export function Related({ passage, onOpen, onAll }: Props) {
  const { data } = useSearch(usePassages(), { like: passage.id, field: 'meaning', limit: SHOWN, select: ['title', 'topic'] });
  if (data === undefined || data.hits.length === 0) return null;
  return (
    <section aria-label="More like this">
      <Group justify="space-between" mb={4}>
        <Text component="h2" fw={600} fz="sm" m={0}>
          More like this
        </Text>
        <Anchor component="button" type="button" fz="sm" onClick={onAll}>
          Show all
        </Anchor>
      </Group>
      <ul className={classes['related']}>
        {data.hits.map(({ key, entity }) => (
          <li key={key}>
            <button type="button" className={classes['relatedRow']} onClick={() => onOpen(key)}>
              {entity.title}
              <span className={classes['relatedTopic']}>{topicLabel(entity.topic)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
