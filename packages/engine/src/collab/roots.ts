/** The root type of a `collabText` document. */
export const COLLAB_TEXT_ROOT = 'text';
