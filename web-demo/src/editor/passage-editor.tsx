import { defaultKeymap } from '@codemirror/commands';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import type { DbError } from '@terndb/client';
import type { CollabDocument } from '@terndb/client/yjs';
import { useEffect, useRef } from 'react';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import classes from './editor.module.css';
import { Others } from './others.tsx';
import { useCollab } from './use-collab.ts';
import { whoAmI } from './who.ts';

export type TextSaved = 'clean' | 'visible' | 'durable' | 'failed';

interface Props {
  passageKey: string;
  onSaved: (saved: TextSaved, error: DbError | null) => void;
}

/**
 * The text of a passage, for everybody who has it open at once: what others type appears as they type it, with their cursors, and undo takes back
 * one's own edits only. The document is the database's, so it is searched, kept offline and merged later like everything else.
 */
export default function PassageEditor({ passageKey, onSaved }: Props) {
  const open = useCollab(passageKey, (error) => onSaved('failed', error));
  const hasEdited = useRef(false);
  const unsaved = open?.state.unsaved ?? 0;
  const error = open?.state.error ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told when it changes, to whoever listens then.
  useEffect(() => {
    if (unsaved > 0) hasEdited.current = true;
    if (error !== null) onSaved('failed', error);
    else if (hasEdited.current) onSaved(unsaved > 0 ? 'visible' : 'durable', null);
  }, [unsaved, error]);
  if (open === null) return <div className={classes['waiting']} />;
  const { document, state } = open;
  return (
    <div>
      <TextView key={state.generation} document={document} isOpen={state.name === 'open'} />
      <Others awareness={document.awareness} />
      {state.isLarge && (
        <p role="status" className={classes['large']}>
          This text is {Math.round(state.bytes / 1024)} KB of at most {Math.round(state.maxBytes / 1024)} KB with its history: it is better
          split.
        </p>
      )}
    </div>
  );
}

/** One generation of the document in one editor. */
function TextView({ document, isOpen }: { document: CollabDocument; isOpen: boolean }) {
  const parent = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { text, awareness, undo } = document;
    awareness.setLocalStateField('user', whoAmI());
    const extensions = [
      keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
      EditorView.lineWrapping,
      placeholder('Write…'),
      EditorView.contentAttributes.of({ 'aria-label': 'Text', 'aria-multiline': 'true', spellcheck: 'true' }),
      EditorState.readOnly.of(!isOpen),
      yCollab(text, awareness, { undoManager: undo }),
    ];
    const view = new EditorView({ state: EditorState.create({ doc: text.toString(), extensions }), parent: parent.current! });
    return () => view.destroy();
  }, [document, isOpen]);
  return <div ref={parent} className={classes['editor']} />;
}
