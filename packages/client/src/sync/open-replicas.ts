import type { Timestamp } from '@terndb/core';
import type { DurableChannel } from '@terndb/sync';
import type { HostPorts, SyncPlace } from './host-types.ts';
import { type ShownEntries, toOverlay } from './shown-entries.ts';

/** Shows what is stored of these places, outbox included, and gives what the machine begins with. */
export async function openReplicas(
  { store, replication }: Pick<HostPorts, 'store' | 'replication'>,
  { places, clientId, shown }: { readonly places: readonly SyncPlace[]; readonly clientId: string; readonly shown: ShownEntries },
): Promise<DurableChannel[]> {
  const stored = await Promise.all(places.map(({ channel }) => store.readChannel(channel)));
  await replication.open(
    places.map((place, index) => {
      const { record, outbox } = stored[index]!;
      return { ...place, logEpoch: record?.logEpoch ?? null, overlay: outbox.map(toOverlay) };
    }),
  );
  for (const [index, { channel }] of places.entries()) shown.reset(channel, stored[index]!.outbox);
  return places.map(({ channel }, index): DurableChannel => {
    const { record, outbox, kept } = stored[index]!;
    const state = replication.state(channel);
    const base = record ?? { channel, clientId, nextSeq: 1, everSent: false, logEpoch: null };
    return { ...base, position: state?.position ?? 0, maxHlc: state?.maxHlc ?? (0 as Timestamp), outbox, kept };
  });
}
