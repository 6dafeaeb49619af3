/**
 * Values as the engine and the log hold them. The public API converts at its border: a Date is milliseconds here, a JSON value its
 * canonical text, an int64 a number when it is a safe integer and else a bigint (`normalizeInt64`), so that equal values are `===`.
 *
 * | field kind            | stored value                         |
 * |-----------------------|--------------------------------------|
 * | text, collabText, keyword | string                           |
 * | collab                | Uint8Array (a Yjs update, v1)        |
 * | int64                 | number (safe integer) or bigint      |
 * | number                | number (finite)                      |
 * | date                  | number (integer ms since 1970)       |
 * | boolean               | boolean                              |
 * | json                  | string (JSON text)                   |
 * | array                 | array of the element's stored values |
 * | vector                | Float32Array of `dim`; float16 and bfloat16: Uint16Array of their bits, int8: Int8Array |
 * | sparseVector          | SparseValue                          |
 * | binaryVector          | Uint8Array of `dim / 8`              |
 */
export type Int64 = number | bigint;
export type PrimaryKey = string | Int64;
export type ScalarValue = string | number | bigint | boolean;

/** Indices ascending and distinct; weights finite. */
export interface SparseValue {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** Of a dense vector, by its elements. */
export type StoredVector = Float32Array | Uint16Array | Int8Array;
export type StoredValue = null | ScalarValue | readonly ScalarValue[] | Uint8Array | StoredVector | SparseValue;

/** Field name → value. Field names are validated identifiers, so no key collides with a prototype member. */
export type StoredFields = Readonly<Record<string, StoredValue>>;
