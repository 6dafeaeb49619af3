import { topicLabel } from '../app/format.ts';
import classes from './map.module.css';
import type { Near } from './place-query.ts';
import type { MeaningMap } from './use-meaning-map.ts';

interface Props {
  title: string;
  map: MeaningMap;
  /** Nearest first; similarity only where a question was asked. */
  near: readonly (Near | { readonly index: number })[];
  onPoint: (index: number | null) => void;
  onOpen: (key: string) => void;
}

/** The map without its picture: what is near, as buttons. */
export function NearestList({ title, map, near, onPoint, onOpen }: Props) {
  return (
    <section className={classes['nearest']} aria-labelledby="map-nearest">
      <h2 id="map-nearest" className={classes['heading']}>
        {title}
      </h2>
      <ol className={classes['list']} aria-label="Nearest passages">
        {near.map((one) => {
          const { key, title: name, topic } = map.points[one.index]!;
          return (
            <li key={key}>
              <button
                type="button"
                className={classes['near']}
                onClick={() => onOpen(key)}
                onFocus={() => onPoint(one.index)}
                onBlur={() => onPoint(null)}
                onPointerEnter={() => onPoint(one.index)}
                onPointerLeave={() => onPoint(null)}
              >
                <span className={classes['name']}>{name}</span>
                <span className={classes['soft']}>
                  {topicLabel(topic)}
                  {'similarity' in one && ` · ${one.similarity.toFixed(2)}`}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
