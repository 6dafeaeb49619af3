import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy between browser and server, so that the network can be cut for real: `setOffline` of a browser tells the page, a cable does not.
 * - `cut`: connections are reset, new ones refused at once.
 * - `stall`: connections stay open and nothing passes any more: the half-open socket of a phone that left the house.
 */
export interface CutProxy {
  readonly port: number;
  readonly url: string;
  cut(): void;
  stall(): void;
  heal(): void;
  /** Where new connections go from now on. */
  target(port: number): void;
  close(): void;
}

export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  let port = targetPort;
  let state: 'open' | 'cut' | 'stalled' = 'open';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ pauseOnConnect: true }, (near) => {
    if (state === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
    if (state === 'stalled') return;
    near.pipe(far);
    far.pipe(near);
    near.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  const endAll = (): void => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  return {
    port: own,
    url: `http://127.0.0.1:${own}`,
    cut: () => {
      state = 'cut';
      endAll();
    },
    stall: () => {
      state = 'stalled';
      for (const [near, far] of pairs) {
        near.unpipe();
        far.unpipe();
        near.pause();
        far.pause();
      }
    },
    heal: () => {
      state = 'open';
      // What was stalled is lost: those bytes will not arrive any more.
      endAll();
    },
    target: (next) => {
      port = next;
    },
    close: () => {
      endAll();
      server.close();
    },
  };
}
