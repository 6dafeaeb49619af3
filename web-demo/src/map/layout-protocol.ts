/** Between the page and the worker that lays the map out. One map per worker; the page ends it to cancel. */
export interface LayoutRequest {
  /** Row-major, `dim` wide; transferred. */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly dim: number;
}
export type LayoutAnswer =
  | { readonly type: 'comparing'; readonly share: number }
  /** `places`: two numbers per row, as they are by now. */
  | { readonly type: 'laying'; readonly share: number; readonly places: Float32Array<ArrayBuffer> }
  | { readonly type: 'done'; readonly places: Float32Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly message: string };
