import {
  type Database,
  type DatabaseMembers,
  type DenseVector,
  defineSchema,
  type Field,
  type FieldType,
  f,
  type Int64,
  type JsonValue,
  type OpenOptions,
  open,
  type Schema,
  type Shapes,
  type SparseVector,
  type VectorField,
} from '../../index.ts';
import { createDatabase } from '../database.ts';
import { Session } from '../session.ts';

type NoteShapes = {
  notes: {
    title: Field<'text', string, string, false, { search: true }>;
    body: FieldType<'collabText', string, string, false, { search: true }>;
    tag: Field<'keyword', 'work' | 'home', 'work' | 'home', false>;
    stars: Field<'number', number, number, true>;
    due: Field<'date', Date | null, Date | null, true, { nullable: true }>;
    big: Field<'int64', Int64 | null, Int64 | null, true, { nullable: true }>;
    labels: FieldType<'array', readonly string[], readonly string[], true, { of: Field<'keyword', string, string, false> }>;
    extra: Field<'json', JsonValue, JsonValue, true, { nullable: true }>;
    vec: VectorField<'vector', DenseVector | null, Float32Array | null, true, { nullable: true }>;
    terms: VectorField<'sparseVector', SparseVector | null, Readonly<Record<number, number>> | null, true, { nullable: true }>;
    hash: VectorField<'binaryVector', Uint8Array | null, Uint8Array | null, true, { nullable: true }>;
  };
  items: { sku: FieldType<'primaryKey', Int64, Int64, false>; name: Field<'text', string, string, false, { search: false }> };
};
/** One field of every kind. */
export const noteSchema: Schema<NoteShapes> = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    tag: f.keyword(['work', 'home']),
    stars: f.number().default(0),
    due: f.date().nullable(),
    big: f.int64().nullable(),
    labels: f.array(f.keyword()).default([]),
    extra: f.json().nullable(),
    vec: f.vector(4).nullable(),
    terms: f.sparseVector().nullable(),
    hash: f.binaryVector(16).nullable(),
  },
  items: { sku: f.primaryKey('int64'), name: f.text() },
}) as never;
export type Notes = Database<NoteShapes>;

const opened: Pick<DatabaseMembers<Shapes>, 'logout'>[] = [];
const names: string[] = [];

/** A name no other test uses; what is stored under it goes with `disposeDatabases`. */
export function freshName(): string {
  const name = `test-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  names.push(name);
  return name;
}

export async function openNotes(name: string = freshName(), options: Partial<OpenOptions<NoteShapes>> = {}): Promise<Notes> {
  const db = await open(name, { schema: noteSchema, ...options });
  opened.push(db);
  return db;
}

/** The same database as another tab has it: a worker of its own. */
export async function openInAnotherTab(name: string): Promise<{ db: Notes; session: Session }> {
  const session = await Session.open(name, { schema: noteSchema }, () => {});
  const db = createDatabase(session, noteSchema);
  opened.push(db);
  return { db, session };
}

/** For afterEach. */
export async function disposeDatabases(): Promise<void> {
  for (const db of opened.splice(0)) await db.logout({ unsynced: 'discard' }).catch(() => {});
  for (const name of names.splice(0)) indexedDB.deleteDatabase(`terndb:${name}`);
}

export function note(title: string, more: object = {}): { title: string; body: string; tag: 'home' } {
  return { title, body: `${title} body`, tag: 'home', ...more };
}

/** Resolves when the condition holds; the test's own time limit ends the waiting. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
