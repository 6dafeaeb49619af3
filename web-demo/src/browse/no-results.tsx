import { Button, Group, Stack, Text } from '@mantine/core';
import type { DbError } from '@terndb/client';
import type { Dispatch } from 'react';
import { filterCount, type View, type ViewAction } from './view-state.ts';

interface Props {
  view: View;
  dispatch: Dispatch<ViewAction>;
  error: DbError | null;
}

export function NoResults({ view, dispatch, error }: Props) {
  const filtered = filterCount(view) > 0;
  return (
    <Stack align="center" gap="xs" p="xl">
      <Text fw={600}>{error === null ? 'Nothing found' : 'The search failed'}</Text>
      <Text c="var(--ink-soft)" ta="center" maw={420}>
        {error === null ? explain(view, filtered) : `${error.code}: ${error.message}`}
      </Text>
      <Group gap="xs">
        {filtered && (
          <Button variant="default" size="xs" onClick={() => dispatch({ type: 'clearFilters' })}>
            Clear filters
          </Button>
        )}
        {view.text !== '' && (
          <Button variant="default" size="xs" onClick={() => dispatch({ type: 'text', text: '' })}>
            Clear search
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function explain(view: View, filtered: boolean): string {
  if (view.like !== null) return `No passage near “${view.like.title}”: it has no vector, or the filters hide its neighbours.`;
  if (view.text.trim() !== '' && view.mode === 'semantic') return `Nothing here means anything like “${view.text.trim()}” (yet).`;
  if (view.text.trim() !== '') return `No passage holds the words of “${view.text.trim()}”${filtered ? ' and passes the filters' : ''}.`;
  return 'No passage passes the filters.';
}
