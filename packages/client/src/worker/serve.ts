import type { WorkerHost } from './host.ts';
import { connectPeer, type PeerPort } from './peer.ts';
import type { WorkerApi, WorkerEvent } from './protocol.ts';

/** Answers the page at the other end of the port. */
export function serveHost(host: WorkerHost, port: PeerPort): void {
  const api: WorkerApi = {
    start: (options) => host.start(options, onEvent),
    call: (call) => host.call(call),
    watch: (id, watch) => host.watch(id, watch),
    unwatch: (id) => host.unwatch(id),
    close: () => host.close(),
    destroy: () => host.destroy(),
  };
  const callPage = connectPeer(port, { ...api });
  const onEvent = async (event: WorkerEvent): Promise<void> => void (await callPage('onEvent', event));
}
