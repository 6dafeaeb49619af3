import { KernelError } from './errors.ts';
import { createKernel, type KernelOptions } from './kernel.ts';
import type { Kernel } from './types.ts';
import { type Fetch, type HttpResponse, host, type UrlLike, type WasmModule } from './wasm/platform.ts';

declare global {
  interface ImportMeta {
    url: string;
  }
}
declare const URL: typeof host.URL;

export type WasmSource = string | UrlLike | WasmModule | ArrayBuffer | ArrayBufferView;

export interface LoadKernelOptions extends KernelOptions {
  /** Address, bytes or compiled module of `kernel.wasm`. Default: the file beside this package's code. */
  readonly wasm?: WasmSource;
  /** Default: the platform's. Not used for `file:` addresses in Node. */
  readonly fetch?: Fetch;
}

/**
 * Fetches (in Node: reads), compiles and instantiates the kernel. Compiles while streaming where the server sends `application/wasm`.
 * @throws KernelError INTERNAL when the module cannot be had or is not ours. Cost: some 10 kB and a few milliseconds.
 */
export async function loadKernel(options: LoadKernelOptions = {}): Promise<Kernel> {
  return createKernel(await loadModule(options.wasm, options.fetch), options);
}

/** The compiled module: compile once, create kernels in several workers. */
export async function loadModule(wasm?: WasmSource, fetch?: Fetch): Promise<WasmModule> {
  // The same address from `src/` and from `dist/`, and a literal that bundlers recognise.
  const source = wasm ?? new URL('../dist/kernel.wasm', import.meta.url);
  if (source instanceof host.WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return compile(source, 'the given bytes');
  const url = typeof source === 'string' ? source : (source as UrlLike).href;
  try {
    return url.startsWith('file:') && host.process ? await readModule(url) : await fetchModule(url, fetch ?? host.fetch?.bind(globalThis));
  } catch (cause) {
    if (cause instanceof KernelError) throw cause;
    throw new KernelError('INTERNAL', `kernel: cannot load ${url}`, { details: { url }, cause });
  }
}

async function readModule(url: string): Promise<WasmModule> {
  // Not an import: a browser's bundle must not mention Node's modules.
  const files = host.process?.getBuiltinModule?.('node:fs/promises');
  if (!files) throw new KernelError('INTERNAL', `kernel: no way to read ${url} here`, { details: { url } });
  return compile(await files.readFile(new URL(url)), url);
}

async function fetchModule(url: string, fetch: Fetch | undefined): Promise<WasmModule> {
  if (!fetch) throw new KernelError('INTERNAL', `kernel: no fetch to load ${url} with`, { details: { url } });
  const response = await fetch(url);
  if (!response.ok)
    throw new KernelError('INTERNAL', `kernel: ${url} answered ${response.status}`, { details: { url, status: response.status } });
  return canStream(response) ? host.WebAssembly.compileStreaming!(response) : compile(await response.arrayBuffer(), url);
}

/** The platform refuses to stream any other content type, parameters included; some static servers send none. */
function canStream(response: HttpResponse): boolean {
  const type = response.headers.get('content-type')?.trim().toLowerCase();
  return host.WebAssembly.compileStreaming !== undefined && type === 'application/wasm';
}

async function compile(bytes: ArrayBuffer | ArrayBufferView, what: string): Promise<WasmModule> {
  try {
    return await host.WebAssembly.compile(bytes);
  } catch (cause) {
    throw new KernelError('INTERNAL', `kernel: ${what} is not a WebAssembly module`, { cause });
  }
}
