import { UMAP } from 'umap-js';
import { NEIGHBOURS } from './layout-limits.ts';
import { type Neighbours, nearestNeighbours, normalise } from './neighbours.ts';
import { principalPlaces } from './principal.ts';
import { seededRandom } from './random.ts';

const EPOCHS = 300;
/** Between two pictures of the layout as it grows. */
const REPORT_EPOCHS = 15;
/** To each side of 0: as wide as the layout itself starts when it starts at random. */
const START_SPREAD = 10;
const SEED = 20_261_121;

export interface LayoutProgress {
  comparing(share: number): void;
  laying(share: number, places: Float32Array<ArrayBuffer>): void;
}

/**
 * Places in two dimensions, by UMAP from exact cosine neighbours: what is near here was near there; distances across the map mean little. The same
 * vectors give the same map. `vectors` is scaled in place.
 */
export function layOut(vectors: Float32Array, dim: number, progress: LayoutProgress): Float32Array<ArrayBuffer> {
  normalise(vectors, dim);
  const neighbours = nearestNeighbours(vectors, { dim, count: NEIGHBOURS - 1, onProgress: progress.comparing });
  const umap = new UMAP({ nNeighbors: NEIGHBOURS, nEpochs: EPOCHS, minDist: 0.15, random: seededRandom(SEED) });
  giveNeighbours(umap, neighbours);
  // The neighbours are known already: only the number of rows is read from here.
  const rows: number[][] = Array.from({ length: vectors.length / dim }, () => []);
  const epochs = umap.initializeFit(rows);
  startAt(umap, principalPlaces(vectors, dim, START_SPREAD));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    umap.step();
    if (epoch % REPORT_EPOCHS === 0) progress.laying(epoch / epochs, placesOf(umap));
  }
  return placesOf(umap);
}

function giveNeighbours(umap: UMAP, { count, rows, distances }: Neighbours): void {
  const indexLists: number[][] = [];
  const distanceLists: number[][] = [];
  for (let row = 0; row < rows.length / count; row++) {
    // The library counts a row as its own nearest.
    indexLists.push([row, ...rows.subarray(row * count, (row + 1) * count)]);
    distanceLists.push([0, ...distances.subarray(row * count, (row + 1) * count)]);
  }
  umap.setPrecomputedKNN(indexLists, distanceLists);
}

/** The library moves the points of its embedding in place, so that they can be put elsewhere before it begins. */
function startAt(umap: UMAP, places: Float32Array): void {
  umap.getEmbedding().forEach((point, row) => {
    point[0] = places[2 * row]!;
    point[1] = places[2 * row + 1]!;
  });
}

function placesOf(umap: UMAP): Float32Array<ArrayBuffer> {
  return Float32Array.from(umap.getEmbedding().flat());
}
