/**
 * A marker outside IndexedDB that a database exists: browsers drop the two at different times, so a marker without its database means that the
 * data was lost. Workers have no localStorage; the page keeps it. Where localStorage is missing or full, loss is not detected.
 */
export interface Marker {
  readonly lastOpened: Date;
}

function keyOf(name: string): string {
  return `terndb:${name}:opened`;
}

export function readMarker(name: string): Marker | undefined {
  try {
    const text = localStorage.getItem(keyOf(name));
    const ms = Number(text);
    return text === null || !Number.isFinite(ms) ? undefined : { lastOpened: new Date(ms) };
  } catch {
    return undefined;
  }
}

export function writeMarker(name: string, nowMs: number): void {
  try {
    localStorage.setItem(keyOf(name), String(nowMs));
  } catch {
    // No marker: loss will not be noticed, nothing else depends on it.
  }
}

export function forgetMarker(name: string): void {
  try {
    localStorage.removeItem(keyOf(name));
  } catch {
    // As above.
  }
}
