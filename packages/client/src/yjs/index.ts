/**
 * `@terndb/client/yjs`: collab fields as Yjs documents. An entry of its own: an application without such fields loads none of it, and Yjs is the
 * application's own copy, which its editor uses as well.
 */
export { CollabDocument, type CollabOptions, type CollabPort, type CollabState } from './collab-document.ts';
export { type OpenCollabOptions, openCollab } from './open-collab.ts';
