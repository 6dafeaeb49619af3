/** `degraded`: it does its work in part, or soon will not. `failing`: it does not do it. */
export type HealthStatus = 'ok' | 'degraded' | 'failing';

/** How one component is. Anybody may be told: `reason` holds codes and counts, no name of what is stored, no path and no address. */
export interface Finding {
  readonly status: HealthStatus;
  readonly reason?: string;
  /** Milliseconds of the wall clock, where it is known better than by whoever looks now and then. */
  readonly sinceMs?: number;
}

/** Looks at what the component last did, not at what it is meant to do. */
export type HealthCheck = () => Finding | Promise<Finding>;
export type HealthChecks = Readonly<Record<string, HealthCheck>>;

export const OK: Finding = { status: 'ok' };

export function degraded(reason: string, sinceMs?: number): Finding {
  return { status: 'degraded', reason, ...(sinceMs === undefined ? {} : { sinceMs }) };
}

export function failing(reason: string, sinceMs?: number): Finding {
  return { status: 'failing', reason, ...(sinceMs === undefined ? {} : { sinceMs }) };
}
