import { encodeFrame, FRAME_BYTES_TARGET, type Frame, type LogEntry } from '@terndb/core';

/** A frame as it was folded, and about how many bytes it takes. */
export interface SizedFrame {
  readonly frame: Frame;
  readonly bytes: number;
}

/** A frame as it goes into the log, with the position it reaches. */
export interface FrameEntry extends LogEntry {
  readonly lastPosition: number;
}

/**
 * Joins the frames of one append, channel by channel, as far as FRAME_BYTES_TARGET allows: a thousand small writes are a few entries. The
 * order within a channel stays; the order between channels means nothing, since one append is visible as a whole.
 */
export function joinFrames(frames: readonly SizedFrame[]): FrameEntry[] {
  const closed: Frame[][] = [];
  const open = new Map<string, { frames: Frame[]; bytes: number }>();
  for (const { frame, bytes } of frames) {
    const group = open.get(frame.channel);
    if (group !== undefined && group.bytes + bytes <= FRAME_BYTES_TARGET) {
      group.frames.push(frame);
      group.bytes += bytes;
    } else {
      const started = { frames: [frame], bytes };
      open.set(frame.channel, started);
      closed.push(started.frames);
    }
  }
  return closed.map(encodeJoined);
}

function encodeJoined(frames: readonly Frame[]): FrameEntry {
  const [first] = frames as readonly [Frame];
  const records = frames.length === 1 ? first.records : frames.flatMap((frame) => frame.records);
  return { channel: first.channel, bytes: encodeFrame({ ...first, records }), lastPosition: first.base + records.length - 1 };
}
