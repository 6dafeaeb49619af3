import type { DbError, Timestamp } from '@terndb/core';
import type { Catalog } from '../catalog/catalog.ts';
import type { LogTail } from '../leader/log-tail.ts';
import { emptyReplica } from '../replica/open-replica.ts';
import { replayLog } from '../replica/replay.ts';
import type { Channel } from './channel.ts';
import type { EnginePorts } from './types.ts';

/** One stream carries one slot (design 10); a device has one. */
export const STREAM = '0';

export interface OpenChannels {
  /** By channel name. */
  readonly channels: Map<string, Channel>;
  readonly tail: LogTail;
  /** Newest timestamp in any of them: the clock goes on from there, whatever the wall clock says (R10). */
  readonly maxHlc: Timestamp;
}

/** Every partition of every wanted collection at the log's end: manifest, then tail. */
export async function openChannels(ports: EnginePorts, catalog: Catalog): Promise<OpenChannels> {
  const channels = new Map<string, Channel>();
  for (const collection of catalog.collections()) {
    for (const [partition, name] of catalog.partitionsOf(collection.name)) {
      const replica = emptyReplica({
        channel: name,
        logEpoch: catalog.database.logEpoch,
        definition: collection.definition,
        kernel: ports.kernel,
      });
      channels.set(name, { name, collection, partition, replica, published: undefined, damage: undefined });
    }
  }
  const tail = await replayLog(ports.log, STREAM, {
    apply: (frame) => channels.get(frame.channel)?.replica.applyFrame(frame),
    damaged: (name, error: DbError) => {
      const channel = channels.get(name);
      if (channel !== undefined) channel.damage = error;
    },
  });
  const maxHlc = [...channels.values()].reduce((max, { replica }) => Math.max(max, replica.maxHlc), 0) as Timestamp;
  return { channels, tail, maxHlc };
}
