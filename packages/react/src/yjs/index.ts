/** `@terndb/react/yjs`: hooks for collab fields. An entry of its own: an application without such fields needs no Yjs, and with them loads it when the first document is opened. */
export type { CollabView } from './shared-document.ts';
export { type CollabTextView, type UseCollabOptions, useCollab, useCollabText } from './use-collab.ts';
export { type Peer, usePresence } from './use-presence.ts';
