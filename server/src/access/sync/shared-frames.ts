import type { Frame } from '@terndb/core';
import { encodeMessage, type Hinted, type Present, type ServerMessage } from '@terndb/sync';

type FrameMessage = Extract<ServerMessage, { type: 'frame' }>;
type TickMessage = Extract<ServerMessage, { type: 'tick' }>;

/** As long as the node keeps the frame for those who follow it. */
const encoded = new WeakMap<Frame, { readonly channel: string; readonly subscription: number; readonly bytes: Uint8Array<ArrayBuffer> }>();

/** The newest tick: it goes to everybody in one turn, once a second. */
let lastTick: { readonly message: TickMessage; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;

/**
 * Bytes of a message; not to be changed. A frame or a tick goes to all who follow its channel, most of them in their first subscription: what one
 * of them gets is made once.
 */
export function encodeShared(message: ServerMessage | Present | Hinted): Uint8Array<ArrayBuffer> {
  if (message.type === 'frame') return encodeFrameMessage(message);
  return message.type === 'tick' ? encodeTick(message) : encodeMessage(message);
}

function encodeTick(message: TickMessage): Uint8Array<ArrayBuffer> {
  const { channel, subscription, time, position } = message;
  const last = lastTick?.message;
  const isSame = last?.channel === channel && last.subscription === subscription && last.time === time && last.position === position;
  if (!isSame) lastTick = { message, bytes: encodeMessage(message) };
  return lastTick!.bytes;
}

function encodeFrameMessage(message: FrameMessage): Uint8Array<ArrayBuffer> {
  const { frame, channel, subscription } = message;
  const known = encoded.get(frame);
  if (known?.channel === channel && known.subscription === subscription) return known.bytes;
  const bytes = encodeMessage(message);
  encoded.set(frame, { channel, subscription, bytes });
  return bytes;
}
