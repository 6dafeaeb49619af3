import { CloseButton, Kbd, Pill, TextInput } from '@mantine/core';
import { IconSearch, IconSparkles } from '@tabler/icons-react';
import type { Dispatch, KeyboardEvent, RefObject } from 'react';
import type { View, ViewAction } from './view-state.ts';

interface Props {
  ref: RefObject<HTMLInputElement | null>;
  view: View;
  dispatch: Dispatch<ViewAction>;
  /** Into the results. */
  onArrowDown: () => void;
}

export function SearchField({ ref, view, dispatch, onArrowDown }: Props) {
  const clear = (): void => dispatch({ type: 'text', text: '' });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      onArrowDown();
    } else if (event.key === 'Escape') {
      clear();
    }
  };
  const like = view.like;
  return (
    <search>
      <TextInput
        ref={ref}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        size="md"
        radius="xl"
        aria-label="Search the library"
        aria-keyshortcuts="/"
        placeholder={like === null ? 'Search titles and text' : ''}
        leftSection={like === null ? <IconSearch size={18} stroke={1.6} /> : <IconSparkles size={18} stroke={1.6} />}
        rightSection={
          view.text === '' && like === null ? (
            <Kbd aria-hidden="true">/</Kbd>
          ) : (
            <CloseButton radius="xl" aria-label="Clear search" onClick={clear} />
          )
        }
        value={like === null ? view.text : ''}
        onChange={(event) => dispatch({ type: 'text', text: event.currentTarget.value })}
        onKeyDown={onKeyDown}
        autoComplete="off"
        spellCheck={false}
        {...(like === null ? {} : { description: <Pill>Like “{like.title}”</Pill>, inputWrapperOrder: ['input', 'description'] as const })}
      />
    </search>
  );
}
