/**
 * A log broker keeps streams of entries. One stream carries one slot (design 10); each entry is one frame of one channel.
 * The embedded brokers are IndexedDB (tab), files (Node) and memory (tests); LMDB and NATS JetStream join with the server.
 */
export interface LogEntry {
  readonly channel: string;
  readonly bytes: Uint8Array;
}

export interface StoredEntry extends LogEntry {
  /** Sequence in the stream, contiguous from 1. */
  readonly sequence: number;
}

export interface LogBroker {
  /**
   * Appends all entries or none, durable when it resolves. `expectedLast` is the sequence of the last entry the writer knows
   * (0 for an empty stream): it fences writers. Takes the bytes over; the caller does not change them afterwards.
   * @returns the sequence of the last appended entry.
   * @throws APPEND_CONFLICT (another writer appended; details.last says where the stream ends), STORAGE_FULL, STORAGE_UNAVAILABLE.
   */
  append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number>;
  /** Entries from `fromSequence` (inclusive) in order, at most about `maxBytes` but at least one if there is any; empty at the end. */
  read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]>;
  /** First and last sequence held; `{ first: 1, last: 0 }` for an empty new stream. After truncation `first` is above the cut. */
  bounds(stream: string): Promise<{ first: number; last: number }>;
  /** Forgets entries up to and including `upTo`; never the sequence: the next append continues. */
  truncate(stream: string, upTo: number): Promise<void>;
}
