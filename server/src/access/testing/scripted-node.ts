import { type CollectionDefinition, checkCollection, utf8Encode, ZERO_HASH } from '@terndb/core';
import { writeManifest } from '@terndb/engine/parts';
import type { ChannelRequest, Principal, ServerMessage } from '@terndb/sync';
import type { CatalogCollectionInfo, NodeCatalog, ServerNode } from '../../node/types.ts';

/**
 * A node that says what a test wants: for what doors do with answers that a real node gives rarely, or never at the right moment. The real one is
 * used wherever its own behaviour matters.
 */
export class ScriptedNode {
  readonly logEpoch = 'epoch-1';
  readonly routed: { readonly principal: Principal; readonly message: ChannelRequest }[] = [];
  readonly requests: unknown[] = [];
  readonly objects: Map<string, Uint8Array> = new Map();
  readonly manifests: Map<string, Uint8Array> = new Map();
  readonly askedIds: (readonly string[])[] = [];
  readonly sends: Map<string, (message: ServerMessage) => void> = new Map();
  readonly closed: string[] = [];
  readonly healthChecks: ServerNode['healthChecks'] = {};
  drained = false;
  onRoute: ((session: string, message: ChannelRequest) => void) | undefined;
  failWith: Error | undefined;

  readonly catalog: Pick<NodeCatalog, 'placeOf' | 'find' | 'databases' | 'databaseProperties' | 'collections'> = {
    databases: () => ['default'],
    databaseProperties: () => ({}),
    collections: () => [NOTES],
    placeOf: (channel: string) => {
      const [collection, partition] = channel.split('/');
      return partition === undefined ? undefined : { database: 'default', collection: collection!, partition };
    },
    find: (_database: string, name: string) => (name === 'notes' ? NOTES : undefined),
  };

  openSession(session: string, send: (message: ServerMessage) => void): ReturnType<ServerNode['openSession']> {
    this.sends.set(session, send);
    return {
      route: (principal, message) => {
        this.routed.push({ principal, message });
        this.onRoute?.(session, message);
      },
      close: () => this.closed.push(session),
    };
  }

  send(message: ServerMessage): void {
    for (const send of this.sends.values()) send(message);
  }

  #answer<T>(request: unknown, answer: T): Promise<T> {
    this.requests.push(request);
    return this.failWith === undefined ? Promise.resolve(answer) : Promise.reject(this.failWith);
  }

  resolve(request: unknown, grants: unknown): Promise<unknown> {
    return this.#answer({ request, grants }, { logEpoch: this.logEpoch, collections: [], channels: [], denied: [] });
  }
  get(request: unknown): Promise<unknown> {
    return this.#answer(request, { ...INFO, entities: [{ id: 2n ** 62n, at: new Date(0) }, undefined] });
  }
  query(request: unknown): Promise<unknown> {
    return this.#answer(request, { ...INFO, keys: ['a'], entities: [{ id: 'a' }], versions: [1], pendingKeys: [] });
  }
  aggregate(request: unknown): Promise<unknown> {
    return this.#answer(request, { ...INFO, groups: [{ n: 7, sum: 2n ** 70n, last: new Date(0) }] });
  }

  explain(request: unknown): Promise<unknown> {
    return this.#answer(request, { filter: 'true', blocks: [] });
  }

  count(request: unknown): Promise<unknown> {
    return this.#answer(request, { ...INFO, count: 7 });
  }
  search(request: unknown): Promise<unknown> {
    return this.#answer(request, {
      ...INFO,
      exact: true,
      hits: [{ key: 'a', entity: { id: 'a' }, score: 0.5, from: 'local', pending: false, version: 3 }],
    });
  }
  waitIndexed(token: string, timeoutMs: number): Promise<void> {
    return this.#answer({ token, timeoutMs }, undefined);
  }

  async readObject(name: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.objects.get(name)?.slice(offset, offset + length);
  }
  async headObject(name: string): Promise<{ readonly bytes: number } | undefined> {
    const bytes = this.objects.get(name);
    return bytes === undefined ? undefined : { bytes: bytes.length };
  }
  async clientManifest(_channel: string, manifest: string, clientIds: readonly string[]): Promise<Uint8Array | undefined> {
    this.askedIds.push(clientIds);
    return this.manifests.get(manifest);
  }

  inspect(): ReturnType<ServerNode['inspect']> {
    const channel = { channel: 'c/secret-partition/0', database: 'default', collection: 'notes', partition: 'secret-partition' };
    const figures = {
      position: 9,
      sealedPosition: 4,
      entities: 3,
      growing: 2,
      segments: 1,
      bytes: 100,
      unsealedBytes: 20,
      subscribers: 2,
      divergences: 0,
    };
    return { logEpoch: this.logEpoch, wasmBytes: 65_536, slots: [], channels: [{ ...channel, ...figures }], counters: { seals: 5 } };
  }
  async drain(): Promise<void> {
    this.drained = true;
  }
  async close(): Promise<void> {}
}

/** As the doors see it. What is not scripted is not there. */
export function asNode(node: ScriptedNode): ServerNode {
  return node as unknown as ServerNode;
}

const INFO = { coverage: 1, scope: 'local', degraded: null, stalenessMs: 12, token: 'token-1' };
const DEFINITION: CollectionDefinition = checkCollection('notes', { fields: [{ name: 'id', type: 'primaryKey' }] });
const NOTES = {
  database: 'default',
  name: 'notes',
  collectionId: 'notes',
  schemaVersion: 1,
  definition: DEFINITION,
  aliases: [],
  partitions: new Map([
    ['team:a', ['notes/team:a/0']],
    ['team:b', ['notes/team:b/0']],
    ['private', ['notes/private/0']],
  ]),
  createdAtMs: 0,
  properties: {},
} as unknown as CatalogCollectionInfo;

/** A manifest with one segment, one index file and a tombstone file. */
export function sampleManifest(channel: string): Uint8Array {
  return writeManifest({
    logEpoch: 'epoch-1',
    channel,
    version: 3,
    upTo: 40,
    brokerCursor: 50,
    floor: 0,
    maxHlc: 0,
    hash: ZERO_HASH,
    schemaVersion: 1,
    segments: [
      {
        id: 's1',
        name: 'segments/s1',
        rows: 10,
        bytes: 4096,
        dead: null,
        indexes: [{ field: 'vector', type: 'hnsw', name: 'indexes/i1', bytes: 512, checksum: 1 }],
      },
    ],
    tombstones: { type: 'object', name: 'tombstones/t1', bytes: 64 },
    lmids: [],
  } as unknown as Parameters<typeof writeManifest>[0]);
}

export const offerOf = (name: string): { readonly upTo: number; readonly reference: Uint8Array } => ({
  upTo: 40,
  reference: utf8Encode(name),
});
