/**
 * Reads by the server, over HTTP: `POST <sync endpoint>/v1/{get,query,count,aggregate,search}` with the token as `Authorization: Bearer`, JSON both ways.
 * Values that JSON has no word for are written as json-value.ts says, in both directions; a query vector may also be the base64 of its float32
 * as a plain text. The body is the request of the client API (collection, partitions, where, filter, vector, limit, select, consistency …) and
 * a budget for reaching the guarantee position. Refusals are an `ErrorAnswer` (resolve.ts).
 * `POST …/v1/wait` takes a WaitRequest and answers `{}` when reads by the server see everything of the token.
 */
export interface GlobalReadInfo {
  readonly coverage: number;
  readonly scope: 'global';
  readonly degraded: 'behind-token' | 'server-timeout' | null;
  readonly stalenessMs: number | null;
  readonly token: string;
}
/** In the order of the keys; null: there is none. */
export interface GlobalGetAnswer extends GlobalReadInfo {
  readonly entities: readonly (Readonly<Record<string, unknown>> | null)[];
}
export interface GlobalQueryAnswer extends GlobalReadInfo {
  readonly keys: readonly unknown[];
  readonly entities: readonly Readonly<Record<string, unknown>>[];
}
export interface GlobalCountAnswer extends GlobalReadInfo {
  readonly count: number;
}
/** Fields of `groupBy` and aggregates by name; averages of a `partial` request are `{ sum, count }`. */
export interface GlobalAggregateAnswer extends GlobalReadInfo {
  readonly groups: readonly Readonly<Record<string, unknown>>[];
}
export interface GlobalSearchAnswer extends GlobalReadInfo {
  readonly exact: boolean;
  readonly hits: readonly GlobalHit[];
}
export interface GlobalHit {
  readonly key: unknown;
  readonly entity: Readonly<Record<string, unknown>>;
  readonly score: number;
  /** As in the client API: of a search that fuses several lists, and with `highlight`. */
  readonly parts?: readonly object[];
  readonly highlights?: readonly object[];
}
export interface WaitRequest {
  readonly token: string;
  readonly timeoutMs?: number;
}
