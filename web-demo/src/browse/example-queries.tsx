import type { Dispatch } from 'react';
import classes from './example-queries.module.css';
import { EXAMPLES, type Example } from './examples.ts';
import type { ViewAction } from './view-state.ts';

/** Questions that show what search by meaning is, for who has the sample in front of them: what it finds, and one thing it does not. */
export function ExampleQueries({ dispatch }: { dispatch: Dispatch<ViewAction> }) {
  const ask = ({ text }: Example) => (
    <button key={text} type="button" className={classes['example']} onClick={() => dispatch({ type: 'text', text })}>
      {text}
    </button>
  );
  return (
    <section className={classes['bar']} aria-label="Questions to try">
      <span className={classes['label']}>Ask by meaning:</span>
      {EXAMPLES.filter(({ finds }) => finds !== null).map(ask)}
      <span className={classes['label']}>and what it cannot yet:</span>
      {EXAMPLES.filter(({ finds }) => finds === null).map(ask)}
    </section>
  );
}
