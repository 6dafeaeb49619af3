/** Lays a map out away from the page; see layout-protocol.ts. */
import { layOut } from './layout.ts';
import type { LayoutAnswer, LayoutRequest } from './layout-protocol.ts';

const tell = (answer: LayoutAnswer): void => self.postMessage(answer);

self.addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  try {
    const places = layOut(data.vectors, data.dim, {
      comparing: (share) => tell({ type: 'comparing', share }),
      laying: (share, soFar) => tell({ type: 'laying', share, places: soFar }),
    });
    tell({ type: 'done', places });
  } catch (error) {
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
