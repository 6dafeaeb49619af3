import { Button, CloseButton, Group, NativeSelect, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChartScatter } from '@tabler/icons-react';
import type { Dispatch } from 'react';
import { formatCount } from '../app/format.ts';
import classes from './results.module.css';
import type { LiveResults } from './use-results.ts';
import { filterCount, type Mode, type Sort, type View, type ViewAction } from './view-state.ts';

interface Props {
  results: LiveResults;
  view: View;
  dispatch: Dispatch<ViewAction>;
  total: number;
  showsMap: boolean;
  onToggleMap: () => void;
}

/** A screen reader should hear the count of the question, not of every letter typed. */
const ANNOUNCE_MS = 600;
const SORTS: readonly { value: Sort; label: string }[] = [
  { value: 'newest', label: 'Newest first' },
  { value: 'oldest', label: 'Oldest first' },
  { value: 'stars', label: 'Most stars' },
  { value: 'topic', label: 'By topic' },
];

const MODES: readonly { value: Mode; label: string }[] = [
  { value: 'hybrid', label: 'Words and meaning' },
  { value: 'keyword', label: 'Words' },
  { value: 'semantic', label: 'Meaning' },
];

export function ResultsBar({ results, view, dispatch, total, showsMap, onToggleMap }: Props) {
  const text = countText(results, view, total);
  const clear = (): void => dispatch({ type: 'text', text: '' });
  const [announced] = useDebouncedValue(text, ANNOUNCE_MS);
  return (
    <div className={classes['bar']}>
      <Group gap="sm" wrap="nowrap" miw={0}>
        <span className={classes['count']} data-testid="result-count" aria-hidden="true">
          {text}
        </span>
        {view.like !== null && (
          <span className={classes['like']}>
            <span className={classes['likeTitle']}>Like “{view.like.title}”</span>
            <CloseButton size="xs" aria-label="Stop showing what is alike" onClick={clear} />
          </span>
        )}
      </Group>
      <VisuallyHidden component="output">{announced}</VisuallyHidden>
      {results.wordsOnly && (
        <span className={classes['count']} data-testid="words-only">
          By words only: the model is getting ready
        </span>
      )}
      <Group gap="sm" wrap="nowrap">
        {results.ranked && view.like !== null && <span className={classes['count']}>Best match first</span>}
        {results.ranked && view.like === null && (
          <Choice label="Find by" options={MODES} value={view.mode} onChange={(mode) => dispatch({ type: 'mode', mode })} />
        )}
        {!results.ranked && !showsMap && (
          <Choice label="Order" options={SORTS} value={view.sort} onChange={(sort) => dispatch({ type: 'sort', sort })} />
        )}
        <Button
          variant={showsMap ? 'filled' : 'default'}
          size="xs"
          leftSection={<IconChartScatter size={16} stroke={1.6} aria-hidden="true" />}
          aria-pressed={showsMap}
          onClick={onToggleMap}
        >
          Map
        </Button>
      </Group>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  options: readonly { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
}

function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
  return (
    <NativeSelect
      aria-label={label}
      size="xs"
      data={options}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as T)}
    />
  );
}

function countText({ rows, ranked, matches }: LiveResults, view: View, total: number): string {
  if (!ranked && filterCount(view) === 0) return formatCount(Math.max(total, rows.length), 'passage');
  const found = ranked ? `${formatCount(rows.length)}${rows.length >= view.limit ? '+' : ''}` : formatCount(matches ?? rows.length);
  return `${found} of ${formatCount(total, 'passage')}`;
}
