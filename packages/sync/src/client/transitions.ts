/** Who does the syncing: this tab for all tabs (leader), another tab (follower), or this one because there are no tabs to ask (solo). */
export type Role = 'opening' | 'leader' | 'follower' | 'solo';
export type RoleInput = 'elected' | 'demoted' | 'alone' | 'failed';

/** The connection to the server. */
export type Link = 'offline' | 'connecting' | 'catching-up' | 'live' | 'needs-auth' | 'draining' | 'closed';
export type LinkInput =
  | 'start'
  | 'connect'
  | 'welcomed'
  | 'caught-up'
  | 'behind'
  | 'lost'
  | 'unauthorised'
  | 'authorised'
  | 'drain'
  /** This tab does not lead any more. */
  | 'step-down'
  | 'stop';

/** Total: every input has an answer in every state; the same state means that the input is ignored there. */
export const ROLE_TRANSITIONS: { readonly [R in Role]: { readonly [I in RoleInput]: Role } } = {
  opening: { elected: 'leader', demoted: 'follower', alone: 'solo', failed: 'opening' },
  leader: { elected: 'leader', demoted: 'follower', alone: 'leader', failed: 'opening' },
  follower: { elected: 'leader', demoted: 'follower', alone: 'solo', failed: 'opening' },
  solo: { elected: 'solo', demoted: 'solo', alone: 'solo', failed: 'opening' },
};

export const LINK_TRANSITIONS: { readonly [L in Link]: { readonly [I in LinkInput]: Link } } = {
  offline: {
    start: 'offline',
    connect: 'connecting',
    welcomed: 'offline',
    'caught-up': 'offline',
    behind: 'offline',
    lost: 'offline',
    unauthorised: 'needs-auth',
    authorised: 'offline',
    drain: 'offline',
    'step-down': 'offline',
    stop: 'closed',
  },
  connecting: {
    start: 'connecting',
    connect: 'connecting',
    welcomed: 'catching-up',
    'caught-up': 'connecting',
    behind: 'connecting',
    lost: 'offline',
    unauthorised: 'needs-auth',
    authorised: 'connecting',
    drain: 'draining',
    'step-down': 'offline',
    stop: 'closed',
  },
  'catching-up': {
    start: 'catching-up',
    connect: 'catching-up',
    welcomed: 'catching-up',
    'caught-up': 'live',
    behind: 'catching-up',
    lost: 'offline',
    unauthorised: 'needs-auth',
    authorised: 'catching-up',
    drain: 'draining',
    'step-down': 'offline',
    stop: 'closed',
  },
  live: {
    start: 'live',
    connect: 'live',
    welcomed: 'live',
    'caught-up': 'live',
    behind: 'catching-up',
    lost: 'offline',
    unauthorised: 'needs-auth',
    authorised: 'live',
    drain: 'draining',
    'step-down': 'offline',
    stop: 'closed',
  },
  'needs-auth': {
    start: 'needs-auth',
    connect: 'needs-auth',
    welcomed: 'needs-auth',
    'caught-up': 'needs-auth',
    behind: 'needs-auth',
    lost: 'needs-auth',
    unauthorised: 'needs-auth',
    authorised: 'connecting',
    drain: 'needs-auth',
    'step-down': 'offline',
    stop: 'closed',
  },
  draining: {
    start: 'draining',
    connect: 'draining',
    welcomed: 'draining',
    'caught-up': 'draining',
    behind: 'draining',
    lost: 'offline',
    unauthorised: 'needs-auth',
    authorised: 'draining',
    drain: 'draining',
    'step-down': 'offline',
    stop: 'closed',
  },
  closed: {
    start: 'offline',
    connect: 'closed',
    welcomed: 'closed',
    'caught-up': 'closed',
    behind: 'closed',
    lost: 'closed',
    unauthorised: 'closed',
    authorised: 'closed',
    drain: 'closed',
    'step-down': 'closed',
    stop: 'closed',
  },
};

/** Only who leads has a connection. */
export function mayConnect(role: Role): boolean {
  return role === 'leader' || role === 'solo';
}
