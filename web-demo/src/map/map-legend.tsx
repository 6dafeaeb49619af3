import { useComputedColorScheme } from '@mantine/core';
import { formatCount, topicLabel } from '../app/format.ts';
import { type Colouring, colourOf, PALETTES } from './colours.ts';
import classes from './map.module.css';

interface Props {
  colouring: Colouring;
  emphasised: ReadonlySet<number>;
  onToggle: (entry: number) => void;
}

/** What the colours mean; a click makes one stand out. */
export function MapLegend({ colouring, emphasised, onToggle }: Props) {
  const scheme = useComputedColorScheme('light');
  return (
    <fieldset className={classes['legend']}>
      <legend className={classes['hidden']}>Colours: choose to make some stand out</legend>
      {colouring.legend.map(({ value, count }, entry) => (
        <button
          key={value ?? ''}
          type="button"
          className={classes['entry']}
          aria-pressed={emphasised.has(entry)}
          onClick={() => onToggle(entry)}
        >
          <span className={classes['swatch']} style={{ background: colourOf(PALETTES[scheme], entry, colouring.legend) }} />
          {value === null ? 'All others' : topicLabel(value)} <span className={classes['soft']}>{formatCount(count)}</span>
        </button>
      ))}
    </fieldset>
  );
}
