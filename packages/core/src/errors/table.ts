import { ERROR_KINDS, type ErrorCode, type ErrorCodes, type ErrorKind } from './codes.ts';

interface CodeEntry<K extends ErrorKind> {
  readonly kind: K;
  /** The same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** Status at the REST border. */
  readonly http: number;
}

const HTTP_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  input: 400,
  conflict: 409,
  unavailable: 503,
  data: 500,
  closed: 503,
  internal: 500,
};
/** Where HTTP has a closer word than the kind's. */
const HTTP_OF_CODE: Partial<Record<ErrorCode, number>> = {
  ENTITY_TOO_LARGE: 413,
  COLLECTION_UNKNOWN: 404,
  PARTITION_UNKNOWN: 404,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  TIMEOUT: 504,
  AUTH_REQUIRED: 401,
  RATE_LIMITED: 429,
  STORAGE_FULL: 507,
};

/** The registry: kind, retryable and status of every code. Apart from the kinds because pages pay for what they load. */
export const ERROR_CODES: { readonly [C in ErrorCode]: CodeEntry<ErrorCodes[C]> } = /* @__PURE__ */ buildTable();

function buildTable(): { readonly [C in ErrorCode]: CodeEntry<ErrorCodes[C]> } {
  const entries = Object.entries(ERROR_KINDS).map(([code, kind]) => {
    const http = HTTP_OF_CODE[code as ErrorCode] ?? HTTP_OF_KIND[kind];
    return [code, { kind, retryable: kind === 'unavailable', http }];
  });
  return Object.fromEntries(entries) as { readonly [C in ErrorCode]: CodeEntry<ErrorCodes[C]> };
}
