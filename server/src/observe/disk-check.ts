import { access, constants, statfs } from 'node:fs/promises';
import { degraded, type Finding, failing, type HealthCheck, OK } from '../node/health/finding.ts';

/** Below either of them somebody should make room … */
const LOW_SHARE = 0.1;
const LOW_BYTES = 10 * 2 ** 30;
/** … and below this a write of any size fails. */
const FULL_BYTES = 2 ** 20;

/** Room on the disk of a folder, and whether it may be written there: seen before a write fails. */
export function diskCheck(folder: string): HealthCheck {
  return async (): Promise<Finding> => {
    try {
      // Of a file system that was mounted read-only this fails for everybody.
      await access(folder, constants.W_OK);
      const { bavail, blocks, bsize } = await statfs(folder);
      return ofRoom(bavail * bsize, blocks * bsize);
    } catch (thrown) {
      return failing(`${(thrown as NodeJS.ErrnoException).code ?? 'unknown'}: the data folder cannot be written`);
    }
  };
}

function ofRoom(free: number, total: number): Finding {
  const reason = `${free} of ${total} bytes are free`;
  if (free < FULL_BYTES) return failing(reason);
  return free < Math.min(LOW_BYTES, total * LOW_SHARE) ? degraded(reason) : OK;
}
