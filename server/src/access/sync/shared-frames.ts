import type { Frame } from '@terndb/core';
import { encodeMessage, type ServerMessage } from '@terndb/sync';

type FrameMessage = Extract<ServerMessage, { type: 'frame' }>;

/** As long as the node keeps the frame for those who follow it. */
const encoded = new WeakMap<Frame, { readonly channel: string; readonly subscription: number; readonly bytes: Uint8Array<ArrayBuffer> }>();

/**
 * Bytes of a message; not to be changed. A frame goes to all who follow its channel, most of them in their first subscription: what one of them
 * gets is made once.
 */
export function encodeShared(message: ServerMessage): Uint8Array<ArrayBuffer> {
  return message.type === 'frame' ? encodeFrameMessage(message) : encodeMessage(message);
}

function encodeFrameMessage(message: FrameMessage): Uint8Array<ArrayBuffer> {
  const { frame, channel, subscription } = message;
  const known = encoded.get(frame);
  if (known?.channel === channel && known.subscription === subscription) return known.bytes;
  const bytes = encodeMessage(message);
  encoded.set(frame, { channel, subscription, bytes });
  return bytes;
}
