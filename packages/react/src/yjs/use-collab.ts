import { useCallback, useEffect, useLayoutEffect, useMemo, useSyncExternalStore } from 'react';
import type { TextField } from './caret.ts';
import { LiveText } from './live-text.ts';
import {
  type CollabCollection,
  type CollabPlace,
  type CollabView,
  NOT_OPEN,
  type SharedDocument,
  sharedDocument,
} from './shared-document.ts';

export interface UseCollabOptions {
  /** Where the entity is; default `_default`. */
  readonly partition?: string;
}

const never = (): (() => void) => () => {};
const notOpen = (): CollabView => NOT_OPEN;
const noText = (): undefined => undefined;
/** On a server there is no field, and older versions of React warn. */
const useShown: typeof useEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/**
 * The document of a `collabText` or `collab` field, open while a component shows it; several share one. null skips. Renders when its state changes,
 * not with every key: bind an editor to `document`, anew when `state.generation` changes.
 */
export function useCollab(
  collection: CollabCollection,
  key: CollabPlace['key'] | null,
  field: string,
  { partition }: UseCollabOptions = {},
): CollabView {
  const shared = useMemo(
    (): SharedDocument | null => (key === null ? null : sharedDocument({ collection, key, field, partition })),
    [collection, key, field, partition],
  );
  return useSyncExternalStore(shared?.subscribe ?? never, shared?.get ?? notOpen, notOpen);
}

export interface CollabTextView extends CollabView {
  /** As it is now, with what others type; undefined until it is open. */
  readonly text: string | undefined;
  /** Makes the text this one, with one edit where they differ, so that a plain text field can be bound. No effect while `document` is null. */
  readonly setText: (text: string) => void;
  /** For that text field: its caret stays where it is in the text while others type. */
  readonly ref: (field: TextField | null) => void;
}

/** The text of a `collabText` field: as `useCollab`, and renders with every change of it. */
export function useCollabText(
  collection: CollabCollection,
  key: CollabPlace['key'] | null,
  field: string,
  options?: UseCollabOptions,
): CollabTextView {
  const view = useCollab(collection, key, field, options);
  const document = isShown(view) ? view.document : null;
  const generation = view.state?.generation;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of each generation is another one.
  const live = useMemo(() => new LiveText(document), [document, generation]);
  const text = useSyncExternalStore(live.subscribe, live.get, noText);
  const { caret } = live;
  // Once for each text that is shown.
  useShown(() => caret.place(), [caret, text]);
  const setText = useCallback((wanted: string) => document?.setText(wanted), [document]);
  return useMemo(() => ({ ...view, text, setText, ref: caret.ref }), [view, text, setText, caret]);
}

/** An absent document has no text, and what would be typed into it is refused. */
function isShown({ state }: CollabView): boolean {
  return state?.name === 'open' || state?.name === 'opening';
}
