import { type Fusion, largestShare } from './fusion.ts';
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

/** What each list says of a hit, and what became of it: numbers as the engine gave them. */
export function WhyPanel({ id, why, place }: Props) {
  const { lists, total, fusion, words, note } = why;
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
              <ListRow key={share.list} share={share} fusion={fusion} />
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
      {fusion !== null && (
        <p className={classes['note']}>
          {explain(fusion)}
          {note === 'mixed' && ' The server ranked its own passages; the two rankings were then merged by place.'}
        </p>
      )}
    </div>
  );
}

function explain(fusion: Fusion): string {
  if (fusion.type === 'weighted')
    return 'One word: both scores count alike. Each becomes a number from 0 to 1 (BM25 s as 2·atan(s)/π, similarity s as (1+s)/2), and the two are added.';
  const { k, weights } = fusion;
  return `Several words: meaning counts most. A list adds ${weights.keyword}/(${k} + place) for words and ${weights.meaning}/(${k} + place) for meaning.`;
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

function ListRow({ share: { list, place, score, share }, fusion }: { share: ListShare; fusion: Fusion | null }) {
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
      {fusion !== null && (
        <td className={classes['number']}>
          <span className={classes['meter']} aria-hidden="true">
            <span style={{ width: `${(100 * (share ?? 0)) / largestShare(fusion)}%` }} />
          </span>
          {(share ?? 0).toFixed(DIGITS)}
        </td>
      )}
    </tr>
  );
}
