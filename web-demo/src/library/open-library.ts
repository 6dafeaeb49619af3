import { type Collection, type Database, open, type Schema } from '@terndb/client';
import { schema } from './schema.ts';

type ShapesOf<T> = T extends Schema<infer C> ? C : never;
export type Library = Database<ShapesOf<typeof schema>>;
export type PassageShape = ShapesOf<typeof schema>['passages'];
export type Passages = Collection<PassageShape>;

/** Another kind of text is another database: the one of before stays where it is. */
const DATABASE_NAME = 'tern-library-2';

/** One per page: React may render twice, the database opens once. */
let opening: Promise<Library> | undefined;

export function openLibrary(): Promise<Library> {
  opening ??= open(DATABASE_NAME, { schema });
  return opening;
}
