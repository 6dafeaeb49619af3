/** Built assets carry a hash of their content in their name; everything else can change under its name. */
const HASHED = /\/assets\/[^/]+-[\w-]{8,}\.\w+$/;

/** `path` as in the URL. The page and the service worker are asked for anew each time, so that a new build is found. */
export function cacheControlOf(path: string): string {
  return HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
}
