import { memo, useId, useState } from 'react';
import { topicLabel } from '../app/format.ts';
import type { Passage } from '../library/schema.ts';
import { PendingMark } from '../sync/pending-mark.tsx';
import { snippet } from './highlight.ts';
import { MarkedText } from './marked-text.tsx';
import classes from './results.module.css';
import type { Mode } from './view-state.ts';
import { type PassageHit, rangesOf, summaryOf, whyOf } from './why.ts';
import { WhyPanel } from './why-panel.tsx';

interface Props {
  passage: Passage;
  /** What the search says of it; null in a sorted list. */
  hit: PassageHit | null;
  ranking: Mode;
  /** Has writes that the server has not confirmed. */
  pending: boolean;
  index: number;
  tabIndex: 0 | -1;
  onOpen: (key: string) => void;
}

/** Unchanged entities keep their identity from result to result, so unchanged rows of a list are not drawn again. */
export const ResultRow = memo(function ResultRow({ passage, hit, ranking, pending, index, tabIndex, onOpen }: Props) {
  const body = snippet(passage.body, rangesOf(hit, 'body'));
  return (
    <div className={classes['card']}>
      <button type="button" className={classes['row']} data-row={index} tabIndex={tabIndex} onClick={() => onOpen(passage.id)}>
        <span className={classes['top']}>
          <span className={classes['title']}>
            <MarkedText text={passage.title} ranges={rangesOf(hit, 'title')} />
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
          <MarkedText text={body.text} ranges={body.ranges} />
        </span>
      </button>
      {hit !== null && <WhyDisclosure hit={hit} place={index + 1} ranking={ranking} tabIndex={tabIndex} />}
    </div>
  );
});

interface WhyProps {
  hit: PassageHit;
  place: number;
  ranking: Mode;
  tabIndex: 0 | -1;
}

function WhyDisclosure({ hit, place, ranking, tabIndex }: WhyProps) {
  const [open, setOpen] = useState(false);
  const panel = useId();
  const why = whyOf(hit, place, ranking);
  return (
    <>
      <button
        type="button"
        className={classes['why']}
        tabIndex={tabIndex}
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        onClick={() => setOpen(!open)}
      >
        <span className={classes['caret']} aria-hidden="true">
          ›
        </span>
        Why this result: {summaryOf(why)}
      </button>
      {open && <WhyPanel id={panel} why={why} place={place} />}
    </>
  );
}
