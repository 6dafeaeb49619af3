/** Text to vectors. Calls run one after another; a call's vectors are in the order of its texts. */
export interface Embedder {
  /** Names the space of the vectors: those of two ids must not be ranked together. */
  readonly id: string;
  readonly dim: number;
  /** What runs the model; undefined for a function of the application's. */
  readonly device?: 'wasm' | 'webgpu' | undefined;
  /**
   * @returns one vector of `dim` floats per text, owned by the caller. Normalised if the model is. A text without any token is the zero vector where
   *   the model has no special tokens.
   * @throws EMBEDDER_UNAVAILABLE with `details.reason`, ABORTED. Nothing is kept of a call that fails. Memory is bounded by the batch, not by the
   *   number of texts, apart from the texts and vectors themselves.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** Frees the model; a running call ends with EMBEDDER_UNAVAILABLE (`closed`). */
  close(): Promise<void>;
}

export interface EmbedOptions {
  /** Which of the model's prompts goes before each text. Default `passage`. */
  readonly kind?: 'query' | 'passage';
  /** Checked between batches. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneTexts: number, totalTexts: number) => void;
  /** Called for each text that was cut (`longTexts: 'truncate'`): its position, its tokens, and how many of them count. */
  readonly onTruncated?: (textIndex: number, tokens: number, keptTokens: number) => void;
}

export interface ModelOptions {
  /** SRI hash of the folder's `manifest.json`, which holds the hashes of the other files. */
  readonly integrity?: string | undefined;
  /** Keep the first `dim` components (Matryoshka models); default all. */
  readonly dim?: number;
  /** Texts longer than the model reads: `split` (default) embeds all of it in windows and takes their weighted mean; `truncate` cuts, and says so. */
  readonly longTexts?: 'split' | 'truncate';
  /** In place of the model's own, put before texts as they are. */
  readonly prompts?: { readonly query?: string; readonly passage?: string };
}
