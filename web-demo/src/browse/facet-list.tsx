import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { CSSProperties } from 'react';
import { formatCount } from '../app/format.ts';
import type { Facet } from '../library/facets.ts';
import classes from './filters.module.css';

interface Props {
  title: string;
  facets: readonly Facet[];
  chosen: readonly string[];
  label?: (value: string) => string;
  onToggle: (value: string) => void;
}

const SHORT = 9;

/** A filter and a bar chart in one: each value's bar shows its share, a click filters by it. */
export function FacetList({ title, facets, chosen, label = (value) => value, onToggle }: Props) {
  const [all, { toggle }] = useDisclosure(false);
  if (facets.length === 0) return null;
  const largest = Math.max(...facets.map(({ count }) => count));
  const shown = facets.filter(({ value }, i) => all || i < SHORT || chosen.includes(value));
  return (
    <fieldset className={classes['section']}>
      <legend className={classes['heading']}>{title}</legend>
      {shown.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className={classes['facet']}
          style={{ '--share': count / largest } as CSSProperties}
          aria-pressed={chosen.includes(value)}
          onClick={() => onToggle(value)}
        >
          <span className={classes['name']}>{label(value)}</span>
          <span className={classes['number']}>{formatCount(count)}</span>
        </button>
      ))}
      {facets.length > SHORT && (
        <Button variant="subtle" size="compact-xs" mt={4} onClick={toggle} aria-expanded={all}>
          {all ? 'Fewer' : `All ${facets.length}`}
        </Button>
      )}
    </fieldset>
  );
}
