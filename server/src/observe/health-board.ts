import { type Clock, DbError } from '@terndb/core';
import { degraded, type Finding, failing, type HealthChecks, type HealthStatus } from '../node/health/finding.ts';
import { within } from '../node/query/position-waiters.ts';

export interface ComponentHealth {
  readonly component: string;
  readonly status: HealthStatus;
  readonly reason?: string;
  /** ISO 8601: since when it has this status. */
  readonly since: string;
}

export interface HealthReport {
  /** The worst of all. */
  readonly status: HealthStatus;
  /** The worst first, then by name. */
  readonly components: readonly ComponentHealth[];
}

export interface HealthBoardOptions {
  readonly clock: Clock;
  /** Told of a component whose status is another one. */
  readonly onChange: (health: ComponentHealth) => void;
}

/** Nobody has to ask for a change to be noticed, and written down with its time. */
const LOOK_MS = 10_000;
/** Within it everybody is told the same, so that asking often costs nothing. */
const MAX_AGE_MS = 1_000;
/** A file system that does not answer would hold up whoever asks. */
const MAX_CHECK_MS = 2_000;
const RANK: Readonly<Record<HealthStatus, number>> = { ok: 0, degraded: 1, failing: 2 };

interface Known extends Finding {
  readonly sinceMs: number;
}

/** How each component of this process is, and since when. */
export class HealthBoard {
  readonly #options: HealthBoardOptions;
  readonly #checks = new Map<string, HealthChecks[string]>();
  readonly #known = new Map<string, Known>();
  /** What was asked and has not been answered: asked again it would hold another thread of those that read files. */
  readonly #unanswered = new Map<string, Promise<Finding>>();
  #looking: Promise<HealthReport> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #latest: HealthReport = { status: 'ok', components: [] };
  #cancelTimer: () => void = () => {};

  constructor(options: HealthBoardOptions) {
    this.#options = options;
  }

  /** Beside those there are. */
  add(checks: HealthChecks): void {
    for (const [component, check] of Object.entries(checks)) this.#checks.set(component, check);
  }

  /** Looks now and then until it is closed. */
  watch(): void {
    this.#cancelTimer = this.#options.clock.after(LOOK_MS, () => {
      void this.#look();
      this.watch();
    });
  }

  close(): void {
    this.#cancelTimer();
  }

  /** As it was last seen; empty before the first look. */
  get latest(): HealthReport {
    return this.#latest;
  }

  /** At most a second old. Never rejects. */
  async read(): Promise<HealthReport> {
    if (this.#options.clock.monotonicMs() - this.#lookedAtMs < MAX_AGE_MS) return this.#latest;
    return this.#look();
  }

  /** One look at a time. */
  #look(): Promise<HealthReport> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAtAll(): Promise<HealthReport> {
    const found = await Promise.all(
      [...this.#checks].map(async ([component, check]) => [component, await this.#find(component, check)] as const),
    );
    for (const [component, finding] of found) this.#note(component, finding);
    const components = [...this.#known].map(([component, known]) => asHealth(component, known)).sort(byUrgency);
    this.#latest = { status: components[0]?.status ?? 'ok', components };
    this.#lookedAtMs = this.#options.clock.monotonicMs();
    return this.#latest;
  }

  async #find(component: string, check: HealthChecks[string]): Promise<Finding> {
    try {
      const finding = this.#unanswered.get(component) ?? check();
      if (!(finding instanceof Promise)) return finding;
      const answered = (): unknown => this.#unanswered.delete(component);
      this.#unanswered.set(component, finding);
      finding.then(answered, answered);
      const silent = failing(`TIMEOUT: no answer within ${MAX_CHECK_MS} ms`);
      return await within<Finding>(this.#options.clock, { timeoutMs: MAX_CHECK_MS }, silent, (resolve, reject) => {
        finding.then(resolve, reject);
        return () => {};
      });
    } catch (thrown) {
      return degraded(`${DbError.from(thrown).code}: how it is cannot be found out`);
    }
  }

  #note(component: string, { status, reason, sinceMs }: Finding): void {
    const before = this.#known.get(component);
    const isSame = before?.status === status;
    const since = isSame ? before.sinceMs : (sinceMs ?? this.#options.clock.nowMs());
    const known: Known = { status, sinceMs: since, ...(reason === undefined ? {} : { reason }) };
    this.#known.set(component, known);
    if (!isSame && (before !== undefined || status !== 'ok')) this.#options.onChange(asHealth(component, known));
  }
}

function asHealth(component: string, { status, reason, sinceMs }: Known): ComponentHealth {
  return { component, status, ...(reason === undefined ? {} : { reason }), since: new Date(sinceMs).toISOString() };
}

function byUrgency(a: ComponentHealth, b: ComponentHealth): number {
  return RANK[b.status] - RANK[a.status] || (a.component < b.component ? -1 : 1);
}
