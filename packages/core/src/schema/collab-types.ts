/**
 * What collab fields read as. Empty here; the Yjs entry of the client fills it in:
 *
 *   declare module '@terndb/core/collab-types' { interface CollabTypes { text: import('yjs').Text; doc: import('yjs').Doc } }
 *
 * An interface is augmented in the module that declares it (a name re-exported elsewhere is an alias, which does not merge), so this file
 * is an entry of its own and everything that needs the interface imports it from here.
 */
// biome-ignore lint/suspicious/noEmptyInterface: an interface, because only interfaces merge.
export interface CollabTypes {}
/** Without the Yjs entry: the text at the time of reading. */
export type CollabTextValue = CollabTypes extends { text: infer T } ? T : string;
/** Without the Yjs entry: the JSON text of the document's root types at the time of reading. */
export type CollabValue = CollabTypes extends { doc: infer T } ? T : string;
