import { defineSchema, type EntityOf, f, type InsertOf } from '@terndb/client';
import { VECTOR_DIM } from '../import/limits.ts';

export const schema = defineSchema(
  {
    passages: {
      title: f.text({ search: true }),
      /** Several may write it at once: see editor/. */
      body: f.collabText({ search: true }),
      topic: f.keyword(),
      kind: f.keyword(),
      /** Where it came from: a file, or null for a note written here. */
      source: f.keyword().nullable(),
      stars: f.number().default(0),
      added: f.date(),
      /** Supplied by whoever made the passages; notes written here have none. */
      vec: f.vector(VECTOR_DIM).nullable(),
      /** Of title and text, by the model that ships with Tern: filled in on this device. */
      meaning: f.vector({ embed: ['title', 'body'] }).nullable(),
    },
  },
  { version: 3 },
);

export type Passage = EntityOf<typeof schema, 'passages'>;
export type NewPassage = InsertOf<typeof schema, 'passages'>;

/** Without a selection vectors are left out; what is to be put back, or exported, needs them. */
export const ALL_FIELDS = ['title', 'body', 'topic', 'kind', 'source', 'stars', 'added', 'vec'] as const;
