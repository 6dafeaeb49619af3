/** What a server under test is asked, whatever it is; each runs in a process of its own and is talked to over HTTP. */
export interface ServerContender {
  readonly name: string;
  readonly pid: number;
  /** Rows of one batch, durable when it resolves. */
  insert(from: number, rows: readonly (readonly number[])[]): Promise<void>;
  /** After the last row: everything is indexed when it resolves. */
  index(): Promise<void>;
  /** Candidates it can be told to look at, fewest first. */
  readonly efs: readonly number[];
  /** `POST path` with this body is one search. `bucket`: rows whose id modulo 100 is that. */
  request(vector: readonly number[], options: SearchOptions): { readonly path: string; readonly body: string };
  /** Ids of an answer. */
  ids(answer: string): readonly number[];
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface SearchOptions {
  readonly k: number;
  readonly ef: number;
  readonly bucket?: number;
}

export const BUCKETS = 100;
