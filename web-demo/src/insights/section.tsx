import type { ReactNode } from 'react';
import classes from './insights.module.css';

export function Section({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <section className={classes['section']}>
      <h3 className={classes['heading']}>{title}</h3>
      <p className={classes['hint']}>{hint}</p>
      {children}
    </section>
  );
}
