/** What the hooks' types must be and must refuse. Checked by tsc, never run. */
import { type Collection, type DynamicShape, defineSchema, f, open, type Store } from '@terndb/client';
import { useQuery, useSearch, useSyncStatus } from './index.ts';

const schema = defineSchema({
  notes: { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector({ embed: ['title'] }) },
});
const db = await open('x', { schema });
declare const remote: Collection<DynamicShape>;

export function Component(): void {
  const title: string | undefined = useSearch(db.notes, { text: 'x', select: ['title'] }).data?.hits[0]?.entity.title;
  useSearch(db.notes, null);
  const ranked = useSearch(db.notes, { text: 'x', highlight: true, prefix: false, fusion: { type: 'rrf', weights: { vec: 2 } } }).data;
  const place: number | undefined = ranked?.hits[0]?.parts?.[0]?.rank;
  const start: number | undefined = ranked?.hits[0]?.highlights?.[0]?.ranges[0]?.[0];
  // @ts-expect-error no such list
  useSearch(db.notes, { text: 'x', fusion: { type: 'rrf', weights: { body: 2 } } });
  useQuery(remote, { limit: 1 });
  const outbox: number = useSyncStatus(db).outbox;
  const anyStore: Store<unknown> = db.sync;
  // @ts-expect-error no such field to select
  useSearch(db.notes, { text: 'x', select: ['titel'] });
  void [place, start, title, outbox, anyStore];
}
