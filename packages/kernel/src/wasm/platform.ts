/**
 * The few names of the web platform that the kernel uses, declared here so that a package without DOM types can import its sources.
 * They are the platform's own objects; the shapes below are only as wide as what is used.
 */

/** A `URL`. */
export interface UrlLike {
  readonly href: string;
  readonly protocol: string;
}

/** A compiled `WebAssembly.Module`. */
export type WasmModule = object;

export interface WasmMemory {
  /** A `SharedArrayBuffer` when threads share it, which views do not tell apart. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface HttpResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}
export type Fetch = (url: string) => Promise<HttpResponse>;

interface WasmApi {
  readonly Module: new (bytes: ArrayBuffer | ArrayBufferView) => WasmModule;
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory;
  readonly Instance: new (module: WasmModule, imports?: object) => { readonly exports: Record<string, unknown> };
  compile(bytes: ArrayBuffer | ArrayBufferView): Promise<WasmModule>;
  compileStreaming?(response: HttpResponse): Promise<WasmModule>;
}
interface NodeFiles {
  readFile(path: UrlLike | string): Promise<Uint8Array<ArrayBuffer>>;
}
interface Host {
  readonly WebAssembly: WasmApi;
  readonly URL: new (url: string, base?: string) => UrlLike;
  readonly fetch?: Fetch;
  readonly process?: { getBuiltinModule?(id: string): NodeFiles };
}

export const host: Host = globalThis as unknown as Host;
