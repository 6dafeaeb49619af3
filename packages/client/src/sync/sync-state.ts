import type { Link } from '@terndb/sync';
import type { SyncState } from '../api/status.ts';

/** Where a connection stands, beside its socket. */
export type Phase =
  | { readonly name: 'off' }
  | { readonly name: 'resolving'; readonly attempt: number }
  /** The machine's link says the rest. */
  | { readonly name: 'running' }
  | { readonly name: 'waiting'; readonly retryInMs: number | null }
  | { readonly name: 'needs-auth'; readonly detail: string }
  | { readonly name: 'incompatible'; readonly need: 'upgrade-client' | 'upgrade-server' };

export interface LinkStatus {
  readonly link: Link;
  readonly detail?: string;
  /** Tries since it was live. */
  readonly attempt: number;
  readonly retryInMs: number | null;
  /** 0 to 1. */
  readonly progress: number;
  /** Age of the oldest channel. */
  readonly stalenessMs: number;
}

/** Ticks come every second: younger than this counts as now. */
const LIVE_MS = 2_500;

/** The public state. */
export function stateOf(phase: Phase, link: LinkStatus): SyncState {
  switch (phase.name) {
    case 'off':
      return { name: 'off' };
    case 'resolving':
      return { name: 'connecting', attempt: phase.attempt };
    case 'waiting':
      return { name: 'offline', retryInMs: phase.retryInMs };
    case 'needs-auth':
      return { name: 'needs-auth', detail: phase.detail };
    case 'incompatible':
      return phase;
    case 'running':
      return linkState(link);
  }
}

function linkState({ link, detail, attempt, retryInMs, progress, stalenessMs }: LinkStatus): SyncState {
  switch (link) {
    case 'offline':
      return { name: 'offline', retryInMs };
    case 'connecting':
    case 'draining':
      return { name: 'connecting', attempt: Math.max(1, attempt) };
    case 'catching-up':
      return { name: 'catching-up', progress };
    case 'live':
      return { name: 'live', lagMs: stalenessMs < LIVE_MS ? 0 : Math.floor(stalenessMs / 1000) * 1000 };
    case 'needs-auth':
      return detail === undefined ? { name: 'needs-auth' } : { name: 'needs-auth', detail };
    case 'closed':
      if (detail === 'incompatible-client') return { name: 'incompatible', need: 'upgrade-client' };
      if (detail === 'incompatible-server') return { name: 'incompatible', need: 'upgrade-server' };
      return { name: 'off' };
  }
}
