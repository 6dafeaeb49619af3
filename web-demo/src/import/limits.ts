/** Longest passage: three bytes a character still fit the 64 KiB that a text field holds. */
export const MAX_BODY_CHARS = 20_000;
/** A title is read at a glance; longer ones are usually a body in the wrong column. */
export const MAX_TITLE_CHARS = 300;
/** Keywords (topic, kind, source) are chosen from lists; a longer one is no keyword. */
export const MAX_KEYWORD_CHARS = 120;
/** One line of JSON or one CSV record; bounds memory when a quote is never closed or a file has no line ends. */
export const MAX_RECORD_CHARS = 1_048_576;
export const MAX_STARS = 5;
/** As in the schema. */
export const VECTOR_DIM = 64;
