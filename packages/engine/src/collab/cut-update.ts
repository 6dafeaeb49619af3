import { DbError, MAX_COLLAB_UPDATE_BYTES } from '@terndb/core';
import { createEncoder, toUint8Array, writeUint8Array, writeVarUint } from 'lib0/encoding';
import { ContentString, createID, decodeUpdate, Item, Skip, UpdateEncoderV1 } from 'yjs';

/** Where a leader closes a frame: larger pieces would wait for one of their own, smaller ones cost more merges. */
const PIECE_BYTES: number = 256 * 1024;
/** Counts, client and clock before the structs of a run; at most. */
const RUN_BYTES = 32;
/** One deleted range, or a client with the number of its ranges; at most. */
const RANGE_BYTES = 16;

type Decoded = ReturnType<typeof decodeUpdate>;
type Struct = Decoded['structs'][number];

/**
 * One update (v1) as several, each small enough for an op, that make the same document in any order, and more than once: what comes before what it
 * needs waits for it in the document. Long texts and lists are cut. What cannot be (a picture) is a piece alone. Cost: O(update).
 * @throws FIELD_INVALID when Yjs cannot read it, ENTITY_TOO_LARGE when something that cannot be cut is larger than an update may be.
 */
export function cutUpdate(update: Uint8Array, pieceBytes: number = PIECE_BYTES): readonly Uint8Array[] {
  const { structs, ds } = decoded(update);
  const pieces = new Pieces(pieceBytes);
  for (const struct of structs) pieces.add(struct);
  return [...pieces.close(), ...deletions(ds, pieceBytes)];
}

function decoded(update: Uint8Array): Decoded {
  try {
    return decodeUpdate(update);
  } catch (cause) {
    throw new DbError('FIELD_INVALID', `collab: a Yjs update expected, got ${update.length} bytes that Yjs cannot read`, { cause });
  }
}

/** Structs of one client whose clocks follow on each other. */
interface Run {
  readonly client: number;
  readonly clock: number;
  readonly structs: Uint8Array[];
}

class Pieces {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #runs: Run[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(struct: Struct): void {
    const waiting: Struct[] = [struct];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const bytes = encoded(next);
      const cut = bytes.length + RUN_BYTES > this.#maxBytes ? halvesOf(next) : undefined;
      if (cut === undefined) this.#append(next, bytes);
      else waiting.push(cut[1], cut[0]);
    }
  }

  close(): readonly Uint8Array[] {
    if (this.#runs.length > 0) this.#pieces.push(checked(pieceOf(this.#runs)));
    this.#runs = [];
    this.#bytes = 0;
    return this.#pieces;
  }

  #append(struct: Struct, bytes: Uint8Array): void {
    const { client, clock } = struct.id;
    if (this.#bytes > 0 && this.#bytes + bytes.length + RUN_BYTES > this.#maxBytes) this.close();
    const last = this.#runs.at(-1);
    if (last?.client === client) last.structs.push(bytes);
    // A gap says only where the next struct is.
    else if (!(struct instanceof Skip)) this.#runs.push({ client, clock, structs: [bytes] });
    this.#bytes += bytes.length + (last?.client === client ? 0 : RUN_BYTES);
  }
}

function encoded(struct: Struct): Uint8Array {
  const encoder = new UpdateEncoderV1();
  struct.write(encoder, 0);
  return encoder.toUint8Array();
}

/** As Yjs itself splits what somebody writes into. Undefined: it is one thing. */
function halvesOf(struct: Struct): readonly [Item, Item] | undefined {
  if (!(struct instanceof Item) || struct.length < 2) return undefined;
  const { id, origin, rightOrigin, parent, parentSub, content } = struct;
  let at = struct.length >>> 1;
  // Never between the halves of a character: Yjs would replace both.
  if (content instanceof ContentString && isHighSurrogate(content.str.charCodeAt(at - 1))) at += 1;
  if (at === struct.length) return undefined;
  const rest = content.splice(at);
  const before = createID(id.client, id.clock + at - 1);
  const after = createID(id.client, id.clock + at);
  return [
    new Item(id, null, origin, null, rightOrigin, parent, parentSub, content),
    new Item(after, null, before, null, rightOrigin, parent, parentSub, rest),
  ];
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function pieceOf(runs: readonly Run[]): Uint8Array {
  const encoder = createEncoder();
  writeVarUint(encoder, runs.length);
  for (const { client, clock, structs } of runs) {
    for (const number of [structs.length, client, clock]) writeVarUint(encoder, number);
    for (const struct of structs) writeUint8Array(encoder, struct);
  }
  writeVarUint(encoder, 0);
  return toUint8Array(encoder);
}

/** What is deleted, as updates of their own. */
function deletions({ clients }: Decoded['ds'], maxBytes: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let ranges = new Map<number, { readonly clock: number; readonly len: number }[]>();
  let bytes = 0;
  const close = (): void => {
    if (ranges.size > 0) pieces.push(deletionOf(ranges));
    ranges = new Map();
    bytes = 0;
  };
  for (const [client, items] of clients) {
    for (const item of items) {
      const known = ranges.get(client);
      if (known === undefined) ranges.set(client, [item]);
      else known.push(item);
      bytes += known === undefined ? 2 * RANGE_BYTES : RANGE_BYTES;
      if (bytes + 2 * RANGE_BYTES > maxBytes) close();
    }
  }
  close();
  return pieces;
}

function deletionOf(clients: ReadonlyMap<number, readonly { readonly clock: number; readonly len: number }[]>): Uint8Array {
  const encoder = createEncoder();
  writeVarUint(encoder, 0);
  writeVarUint(encoder, clients.size);
  for (const [client, ranges] of clients) {
    for (const number of [client, ranges.length]) writeVarUint(encoder, number);
    for (const { clock, len } of ranges) for (const number of [clock, len]) writeVarUint(encoder, number);
  }
  return toUint8Array(encoder);
}

function checked(piece: Uint8Array): Uint8Array {
  if (piece.length <= MAX_COLLAB_UPDATE_BYTES) return piece;
  const details = { expected: MAX_COLLAB_UPDATE_BYTES, got: piece.length };
  throw new DbError('ENTITY_TOO_LARGE', `collab: parts of at most ${details.expected} bytes expected, got one of ${details.got}`, {
    details,
  });
}
