/**
 * Typed arrays that own their memory. Copying to the worker would otherwise copy the whole buffer behind a view (all rows of a matrix for each
 * row), and shared memory would not be copied at all.
 */
export function ownViews<T extends Readonly<Record<string, unknown>>>(entity: T): T {
  if (entity === null || typeof entity !== 'object') return entity;
  let own: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(entity)) {
    if (!ArrayBuffer.isView(value) || value instanceof DataView) continue;
    if (value.byteLength === value.buffer.byteLength && value.buffer instanceof ArrayBuffer) continue;
    own ??= { ...entity };
    own[name] = (value as Uint8Array).slice();
  }
  return (own as T | undefined) ?? entity;
}
