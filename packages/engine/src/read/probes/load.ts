import type * as probes from './probes.ts';

/** The one place that names the file: in browsers it is one of its own, loaded by the first probe. */
export async function loadProbes(): Promise<typeof probes> {
  return await import('./probes.ts');
}
