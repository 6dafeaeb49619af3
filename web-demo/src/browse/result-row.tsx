import { memo } from 'react';
import { topicLabel } from '../app/format.ts';
import type { Passage } from '../library/schema.ts';
import { PendingMark } from '../sync/pending-mark.tsx';
import { snippet } from './highlight.ts';
import { MarkedText } from './marked-text.tsx';
import classes from './results.module.css';

interface Props {
  passage: Passage;
  /** Has writes that the server has not confirmed. */
  pending: boolean;
  words: readonly string[];
  index: number;
  tabIndex: 0 | -1;
  onOpen: (key: string) => void;
}

/** Unchanged entities keep their identity from result to result, so unchanged rows are not drawn again. */
export const ResultRow = memo(function ResultRow({ passage, pending, words, index, tabIndex, onOpen }: Props) {
  return (
    <button type="button" className={classes['row']} data-row={index} tabIndex={tabIndex} onClick={() => onOpen(passage.id)}>
      <span className={classes['top']}>
        <span className={classes['title']}>
          <MarkedText text={passage.title} words={words} />
        </span>
        <span className={classes['meta']}>
          {pending && <PendingMark />}
          {passage.stars > 0 && (
            <span className={classes['stars']} role="img" aria-label={`${passage.stars} of 5 stars`}>
              {'★'.repeat(passage.stars)}
            </span>
          )}
          <span>{topicLabel(passage.topic)}</span>
        </span>
      </span>
      <span className={classes['body']}>
        <MarkedText text={snippet(passage.body, words)} words={words} />
      </span>
    </button>
  );
});
