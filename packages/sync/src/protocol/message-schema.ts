import type { Message } from '../protocol.ts';

/**
 * The fields of every message in the order in which they are on the wire: one table for reader, writer and the hash that notices a change.
 *   u varint   s text   b length + bytes   t flags: 1 when the field follows, else 0   h u32 lo, u32 hi   ops, frame length + bytes of a frame
 * `list` repeats its fields; `group` is one object; `optional` is preceded by u8 0 or 1; `choice` is u8, the index into the names.
 */
export type FieldType =
  | 'u'
  | 's'
  | 'h'
  | 'b'
  | 'ops'
  | 'frame'
  | { readonly texts: true }
  | { readonly choice: readonly string[] }
  | { readonly list: Fields }
  | { readonly group: Fields }
  | { readonly optional: FieldType };
export type Fields = readonly (readonly [name: string, type: FieldType])[];
export interface MessageSchema {
  readonly code: number;
  /** A reader that does not know the code skips the message. */
  readonly skippable?: true;
  readonly fields: Fields;
}

const CHANNEL: Fields = [
  ['channel', 's'],
  ['subscription', 'u'],
];
const REJECTIONS: FieldType = {
  list: [
    ['seq', 'u'],
    ['code', 's'],
  ],
};
const KNOWN: Fields = [
  ['clientId', 's'],
  ['lmid', 'u'],
  ['position', 'u'],
  ['rejected', REJECTIONS],
];

/** Codes are never reused. From the client 1 to 63, from the server 64 to 127. */
export const MESSAGES: { readonly [T in Message['type']]: MessageSchema } = {
  hello: {
    code: 1,
    fields: [
      ['oldest', 'u'],
      ['newest', 'u'],
      ['clientId', 's'],
      ['term', 'u'],
      ['logEpoch', { optional: 's' }],
      ['token', 's'],
      ['schemas', { texts: true }],
    ],
  },
  subscribe: {
    code: 2,
    fields: [...CHANNEL, ['at', { optional: 'u' }], ['hash', { optional: 'h' }], ['credit', 'u'], ['formers', { texts: true }]],
  },
  push: { code: 3, fields: [...CHANNEL, ['records', 'ops']] },
  credit: { code: 4, fields: [...CHANNEL, ['bytes', 'u']] },
  unsubscribe: { code: 7, skippable: true, fields: CHANNEL },
  auth: { code: 5, fields: [['token', 's']] },
  ping: { code: 6, skippable: true, fields: [['nonce', 'u']] },
  presence: {
    code: 8,
    skippable: true,
    fields: [
      ['channel', 's'],
      ['topic', 's'],
      ['peer', 'u'],
      ['state', 'b'],
    ],
  },
  hint: {
    code: 9,
    skippable: true,
    fields: [
      ['channel', 's'],
      ['topic', 's'],
      ['what', { choice: ['join', 'leave', 'update'] }],
      ['update', 'b'],
    ],
  },
  welcome: {
    code: 64,
    fields: [
      ['protocol', 'u'],
      ['logEpoch', 's'],
      ['clock', 'u'],
      ['expiresInMs', 'u'],
    ],
  },
  refused: {
    code: 65,
    fields: [['code', { choice: ['incompatible-client', 'incompatible-server', 'auth', 'subject', 'overloaded'] }]],
  },
  subscribed: {
    code: 66,
    fields: [
      ...CHANNEL,
      ['head', 'u'],
      ['known', { group: KNOWN }],
      ['formers', { list: KNOWN }],
      [
        'manifest',
        {
          optional: {
            group: [
              ['upTo', 'u'],
              ['reference', 'b'],
            ],
          },
        },
      ],
      ['from', 'u'],
    ],
  },
  frame: { code: 67, fields: [...CHANNEL, ['frame', 'frame']] },
  ack: { code: 68, fields: [...CHANNEL, ['seq', 'u'], ['position', 'u'], ['rejected', REJECTIONS]] },
  restamp: { code: 69, fields: [...CHANNEL, ['seq', 'u'], ['hlc', 'u'], ['clock', 'u']] },
  gap: { code: 70, fields: [...CHANNEL, ['expected', 'u']] },
  'unknown-client': { code: 71, fields: CHANNEL },
  busy: { code: 72, fields: [...CHANNEL, ['retryMs', 'u']] },
  denied: { code: 73, fields: [...CHANNEL, ['access', { choice: ['read', 'write', 'quota'] }]] },
  ended: {
    code: 74,
    fields: [...CHANNEL, ['reason', { choice: ['not-subscribed', 'new-leader', 'expired', 'truncated', 'fenced'] }]],
  },
  gone: { code: 75, fields: CHANNEL },
  tick: { code: 76, skippable: true, fields: [...CHANNEL, ['time', 'u'], ['position', 'u']] },
  goaway: { code: 77, fields: [['retryMs', 'u']] },
  present: {
    code: 79,
    skippable: true,
    fields: [
      ['channel', 's'],
      ['topic', 's'],
      ['peer', 'u'],
      ['subject', 's'],
      ['state', 'b'],
    ],
  },
  altered: { code: 80, skippable: true, fields: [...CHANNEL, ['schemaVersion', 'u']] },
  hinted: {
    code: 81,
    skippable: true,
    fields: [
      ['channel', 's'],
      ['topic', 's'],
      ['update', 'b'],
    ],
  },
  pong: {
    code: 78,
    skippable: true,
    fields: [
      ['nonce', 'u'],
      ['clock', 'u'],
      ['expiresInMs', 'u'],
    ],
  },
};
