import { DbError, type ErrorMessage } from '@terndb/core';
import { type TransferHandler, transferHandlers } from 'comlink';

interface Thrown {
  readonly value: unknown;
}

/**
 * Makes comlink carry every thrown value as a DbError with its code (its own handler keeps the message only). To be called on both sides before
 * the first call. An error that is no DbError, a bug, arrives as INTERNAL with its name and message.
 */
export function installErrorTransfer(): void {
  const original = transferHandlers.get('throw') as TransferHandler<unknown, unknown>;
  const handler: TransferHandler<Thrown, ErrorMessage> = {
    canHandle: (value): value is Thrown => original.canHandle(value),
    serialize: ({ value }) => [DbError.from(value).toJSON(), []],
    deserialize: (message) => {
      throw DbError.fromMessage(message);
    },
  };
  transferHandlers.set('throw', handler);
}
