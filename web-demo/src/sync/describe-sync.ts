import type { SyncStatus } from '@terndb/client';
import type { Sharing } from './library-sync.ts';

/** `off`: nothing is shared. `on`: all is well. `busy`: on the way to it. `waiting`: writes stay here for now. `trouble`: somebody has to do something. */
export type SyncTone = 'off' | 'on' | 'busy' | 'waiting' | 'trouble';
export interface SyncDescription {
  readonly tone: SyncTone;
  /** A few words, also the name of the button in the header. */
  readonly title: string;
  readonly text: string;
}

const STAYS = 'What you write is kept on this device and sent later.';

/** The state of sharing as one says it. */
export function describeSync(
  state: SyncStatus['state'],
  { server, pretendOffline }: Pick<Sharing, 'server' | 'pretendOffline'>,
): SyncDescription {
  if (server === 'looking')
    return { tone: 'off', title: 'Looking for a server', text: 'Until there is one the library is on this device only.' };
  if (server === 'none')
    return {
      tone: 'off',
      title: 'On this device only',
      text: 'This page comes without a server, so the library stays in this browser. All of it works; it is just not shared.',
    };
  if (pretendOffline) return { tone: 'waiting', title: 'Pretending to be offline', text: STAYS };
  switch (state.name) {
    case 'off':
      return { tone: 'busy', title: 'Connecting', text: STAYS };
    case 'connecting':
      return { tone: 'busy', title: 'Connecting', text: state.attempt > 1 ? `Attempt ${state.attempt}. ${STAYS}` : STAYS };
    case 'catching-up':
      return { tone: 'busy', title: `Catching up, ${Math.round(state.progress * 100)} %`, text: 'The library can be searched meanwhile.' };
    case 'live':
      return state.lagMs === 0
        ? { tone: 'on', title: 'Up to date', text: 'What is written on one device shows on the others at once.' }
        : { tone: 'busy', title: `${state.lagMs / 1000} s behind`, text: 'The server has not been heard from for this long.' };
    case 'offline':
      return { tone: 'waiting', title: 'Offline', text: `${STAYS}${retryText(state.retryInMs)}` };
    case 'needs-auth':
      return { tone: 'trouble', title: 'The server wants a new sign-in', text: `${STAYS} It said: ${state.detail ?? 'nothing'}.` };
    case 'incompatible':
      return {
        tone: 'trouble',
        title: state.need === 'upgrade-client' ? 'This page is too old for the server' : 'The server is too old for this page',
        text: state.need === 'upgrade-client' ? `Reload it to get the new one. ${STAYS}` : STAYS,
      };
  }
}

function retryText(retryInMs: number | null): string {
  return retryInMs === null ? '' : ` Next attempt within ${Math.max(1, Math.ceil(retryInMs / 1000))} s.`;
}
