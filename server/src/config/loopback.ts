const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i;

/** A host that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
