import { createKernel, type KernelOptions } from '../kernel.ts';
import { loadModule } from '../load.ts';
import type { Kernel } from '../types.ts';
import { host, type WasmModule } from '../wasm/platform.ts';

/** Both builds of `dist/`: the released one, and the one whose assertions stop at the first bad address. */
export const BUILDS = ['kernel.wasm', 'kernel.debug.wasm'] as const;
/** Everything that is built. */
export const FILES: readonly string[] = [...BUILDS, 'kernel.threads.wasm'];
export type Build = (typeof BUILDS)[number];

const modules = new Map<Build, Promise<WasmModule>>();

export function buildModule(build: Build): Promise<WasmModule> {
  const module = modules.get(build) ?? loadModule(new host.URL(`../../dist/${build}`, import.meta.url));
  modules.set(build, module);
  return module;
}

export async function freshKernel(build: Build, options: KernelOptions = {}): Promise<Kernel> {
  return createKernel(await buildModule(build), options);
}
