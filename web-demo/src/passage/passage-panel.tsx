import { ActionIcon, Autocomplete, CloseButton, Input, Rating, Textarea, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { formatDate } from '../app/format.ts';
import { MAX_KEYWORD_CHARS, MAX_TITLE_CHARS } from '../import/limits.ts';
import type { Facet } from '../library/facets.ts';
import type { Passage } from '../library/schema.ts';
import { UNTITLED } from '../library/use-new-note.ts';
import classes from './passage.module.css';
import { Related } from './related.tsx';
import { SaveStateLine } from './save-state.tsx';
import { useDelete } from './use-delete.tsx';
import { type Draft, useDraft } from './use-draft.ts';

/** The editor and Yjs: nobody needs them before a passage is opened. */
const PassageEditor = lazy(() => import('../editor/passage-editor.tsx'));

interface Props {
  passage: Passage;
  /** Has writes that the server has not confirmed. */
  pending: boolean;
  topics: readonly Facet[];
  onClose: () => void;
  onOpen: (key: string) => void;
  onMoreLikeThis: (key: string, title: string) => void;
}

export function PassagePanel({ passage, pending, topics, onClose, onOpen, onMoreLikeThis }: Props) {
  const [text, setText] = useState<Pick<Draft, 'state' | 'error'>>({ state: 'clean', error: null });
  const fields = useDraft(passage);
  const draft = whole(fields, text);
  const remove = useDelete();
  const { values, edit } = draft;
  const titleRef = useRef<HTMLTextAreaElement>(null);
  // A new note waits for its title, which replaces the one it was given.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the passage is opened.
  useEffect(() => {
    if (passage.title === UNTITLED && passage.body === '') titleRef.current?.select();
  }, []);
  return (
    <div className={classes['panel']}>
      <div className={classes['toolbar']}>
        <SaveStateLine draft={draft} pending={pending} />
        <Tooltip label="Delete">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label="Delete this passage"
            onClick={() => {
              onClose();
              void remove(passage);
            }}
          >
            <IconTrash size={19} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
        <CloseButton size="lg" aria-label="Close" onClick={onClose} />
      </div>
      <Textarea
        aria-label="Title"
        autosize
        minRows={1}
        maxLength={MAX_TITLE_CHARS}
        className={classes['wide']!}
        classNames={{ input: classes['title']! }}
        value={values.title}
        ref={titleRef}
        onChange={(event) => edit({ title: event.currentTarget.value.replaceAll('\n', ' ') })}
      />
      <Suspense fallback={<div className={classes['body']}>{passage.body}</div>}>
        <PassageEditor passageKey={passage.id} onSaved={(saved, error) => setText({ state: saved, error })} />
      </Suspense>
      <div className={classes['fields']}>
        <Autocomplete
          label="Topic"
          size="sm"
          data={topics.map(({ value }) => value)}
          limit={12}
          maxLength={MAX_KEYWORD_CHARS}
          value={values.topic}
          onChange={(topic) => edit({ topic })}
        />
        <Input.Wrapper label="Stars" labelElement="div">
          <Rating
            size="lg"
            h={36}
            value={values.stars}
            allowClear
            onChange={(stars) => edit({ stars })}
            getSymbolLabel={(stars) => `${stars} stars`}
          />
        </Input.Wrapper>
      </div>
      <div className={classes['facts']}>
        {passage.kind} · added {formatDate(passage.added)}
        {passage.source === null ? '' : ` · from ${passage.source}`}
      </div>
      <Related passage={passage} onOpen={onOpen} onAll={() => onMoreLikeThis(passage.id, values.title)} />
    </div>
  );
}

/** What is worse of the two decides: a text that is saved does not hide a title that is not. */
const BY_CONCERN = ['clean', 'durable', 'visible', 'editing', 'failed'] as const;

function whole(fields: Draft, text: Pick<Draft, 'state' | 'error'>): Draft {
  return BY_CONCERN.indexOf(text.state) > BY_CONCERN.indexOf(fields.state) ? { ...fields, ...text } : fields;
}
