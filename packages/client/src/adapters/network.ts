import type { Network } from '../sync/network.ts';

/** `WebSocket` and `fetch` of the platform. */
export const browserNetwork: Network = {
  openSocket(url, { onOpen, onMessage, onClose }) {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    let closed = false;
    const end = (): void => {
      if (closed) return;
      closed = true;
      onClose();
    };
    socket.onopen = () => closed || onOpen();
    socket.onmessage = ({ data }: MessageEvent) => {
      if (!closed && data instanceof ArrayBuffer) onMessage(new Uint8Array(data));
    };
    socket.onclose = end;
    socket.onerror = end;
    return {
      send(bytes) {
        if (socket.readyState === WebSocket.OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>);
      },
      close() {
        closed = true;
        socket.close();
      },
    };
  },
  async request({ url, method, headers, body, signal, uncached }) {
    const response = await fetch(url, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
      ...(uncached === true ? { cache: 'no-store' as const } : {}),
    });
    return { status: response.status, bytes: async () => new Uint8Array(await response.arrayBuffer()) };
  },
};
