/**
 * A document of 1 MB: written by one client in pieces of 2,000 letters, then opened by another that has it (engine in this process). Cold: the first
 * open after it came, by as many updates as it was written in. Warm: again.
 */
import { openInNode } from '@terndb/client/testing';
import { type CollabDocument, openCollab } from '@terndb/client/yjs';
import { median, report, round, tiny } from '../lib/report.ts';
import { schema } from './contenders.ts';

const bytes = tiny ? 20_000 : 1_000_000;
const PIECE = 2_000;

export async function largeDocument(): Promise<void> {
  const db = await openInNode('large', schema);
  await db.notes.put({ id: 'note', body: '' });
  const writer = await openCollab(db.notes, 'note', 'body');
  for (let at = 0; at < bytes; at += PIECE) {
    // Not always at the end: pieces that lie apart are what real documents are of.
    writer.text.insert(at % 3 === 0 ? 0 : writer.text.length, 'sphinx of black quartz, judge my vow; '.repeat(60).slice(0, PIECE));
    await writer.flush();
  }
  await writer.close();
  const opened: number[] = [];
  let document: CollabDocument | undefined;
  for (let turn = 0; turn < 6; turn++) {
    await document?.close();
    const start = performance.now();
    document = await openCollab(db.notes, 'note', 'body');
    opened.push(performance.now() - start);
    if (document.text.length !== bytes) throw new Error(`1 MB document: ${bytes} letters expected, got ${document.text.length}`);
  }
  const start = performance.now();
  document!.text.insert(10, 'x');
  await document!.flush();
  report('together.large-document', {
    letters: bytes,
    openFirstMs: round(opened[0]!, 1),
    openAgainMs: round(median(opened.slice(1)), 1),
    keystrokeDurableMs: round(performance.now() - start, 1),
    wholeBytes: document!.state.get().bytes,
  });
  await document!.close();
  await db.close();
}
