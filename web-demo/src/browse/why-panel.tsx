import classes from './why.module.css';
import type { ListShare, Why } from './why.ts';

interface Props {
  id: string;
  why: Why;
  place: number;
}

const NAMES = { words: 'Words', meaning: 'Meaning' } as const;
/** What a list can add at most. */
const MOST = 1;

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
              <ListRow key={share.list} share={share} fused={total !== null} />
            ))}
          </tbody>
          {total !== null && (
            <tfoot>
              <tr>
                <th scope="row">Together</th>
                <td>{place}</td>
                <td />
                <td className={classes['number']}>{total.toFixed(3)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      )}
      <p className={classes['note']}>{asksWords ? <WordsFound words={words} /> : 'Only the meaning was compared, no words.'}</p>
      {total !== null && (
        <p className={classes['note']}>
          Each score is brought to a number from 0 to 1 (BM25 <i>s</i> as 2·atan(<i>s</i>)/π, similarity as (1+<i>s</i>)/2), and the two are
          added.
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

function ListRow({ share: { list, place, score, share }, fused }: { share: ListShare; fused: boolean }) {
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
      {fused && (
        <td className={classes['number']}>
          <span className={classes['meter']} aria-hidden="true">
            <span style={{ width: `${(100 * (share ?? 0)) / MOST}%` }} />
          </span>
          {(share ?? 0).toFixed(3)}
        </td>
      )}
    </tr>
  );
}
