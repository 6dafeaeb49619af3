import classes from './why.module.css';
import type { ListShare, Why } from './why.ts';

interface Props {
  id: string;
  why: Why;
  place: number;
}

const NAMES = { words: 'Words', meaning: 'Meaning' } as const;
/** Places make small numbers. */
const DIGITS = 4;
/** The most that a list can add, at its first place (docs/text-search.md). */
const LARGEST_SHARE = 1 / 61;

/** What each list says of a hit, and what became of it: numbers as the engine gave them. */
export function WhyPanel({ id, why, place }: Props) {
  const { lists, total, words, note } = why;
  const asksWords = lists.length !== 1 || lists[0]!.list === 'words';
  return (
    <div id={id} className={classes['panel']}>
      {note === 'server' ? (
        <p className={classes['note']}>The server found this passage, which is not on this device. It does not tell how it ranked it.</p>
      ) : (
        <table className={classes['table']}>
          <thead>
            <tr>
              <th scope="col">List</th>
              <th scope="col">Place in it</th>
              <th scope="col">Score there</th>
              {total !== null && <th scope="col">Adds</th>}
            </tr>
          </thead>
          <tbody>
            {lists.map((share) => (
              <ListRow key={share.list} share={share} />
            ))}
          </tbody>
          {total !== null && (
            <tfoot>
              <tr>
                <th scope="row">Together</th>
                <td>{place}</td>
                <td />
                <td className={classes['number']}>{total.toFixed(DIGITS)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      )}
      <p className={classes['note']}>{asksWords ? <WordsFound words={words} /> : 'Only the meaning was compared, no words.'}</p>
      {total !== null && (
        <p className={classes['note']}>
          A list adds 1/(60 + place). Words add as much only to a passage that holds all of the question, and next to nothing to one that
          holds half.
          {note === 'mixed' && ' The server ranked its own passages; the two rankings were then merged by place.'}
        </p>
      )}
    </div>
  );
}

function WordsFound({ words }: { words: readonly string[] }) {
  if (words.length === 0) return 'None of the words asked for stands in it.';
  return (
    <>
      Words found:{' '}
      {words.map((word, i) => (
        <span key={word}>
          {i > 0 && ', '}
          <mark>{word}</mark>
        </span>
      ))}
    </>
  );
}

function ListRow({ share: { list, place, score, share } }: { share: ListShare }) {
  return (
    <tr>
      <th scope="row">{NAMES[list]}</th>
      {place === null || score === null ? (
        <td colSpan={2} className={classes['absent']}>
          {list === 'words' ? 'not found by its words' : 'no vector, or not among the nearest'}
        </td>
      ) : (
        <>
          <td>{place}</td>
          <td className={classes['number']}>
            {list === 'words' ? 'BM25' : 'similarity'} {score.toFixed(list === 'words' ? 2 : 3)}
          </td>
        </>
      )}
      {share !== null && (
        <td className={classes['number']}>
          <span className={classes['meter']} aria-hidden="true">
            <span style={{ width: `${(100 * share) / LARGEST_SHARE}%` }} />
          </span>
          {share.toFixed(DIGITS)}
        </td>
      )}
    </tr>
  );
}
