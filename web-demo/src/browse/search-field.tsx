import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import type { Dispatch, KeyboardEvent, RefObject } from 'react';
import type { View, ViewAction } from './view-state.ts';

interface Props {
  ref: RefObject<HTMLInputElement | null>;
  view: View;
  dispatch: Dispatch<ViewAction>;
  /** Into the results. */
  onArrowDown: () => void;
  /** Opens the best match. */
  onEnter: () => void;
}

export function SearchField({ ref, view, dispatch, onArrowDown, onEnter }: Props) {
  const clear = (): void => dispatch({ type: 'text', text: '' });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      onArrowDown();
    } else if (event.key === 'Enter') {
      onEnter();
    } else if (event.key === 'Escape') {
      clear();
    }
  };
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
        placeholder="Search by words or by meaning"
        leftSection={<IconSearch size={18} stroke={1.6} />}
        rightSection={
          view.text === '' ? <Kbd aria-hidden="true">/</Kbd> : <CloseButton radius="xl" aria-label="Clear search" onClick={clear} />
        }
        value={view.text}
        onChange={(event) => dispatch({ type: 'text', text: event.currentTarget.value })}
        onKeyDown={onKeyDown}
        autoComplete="off"
        spellCheck={false}
      />
    </search>
  );
}
