import { afterEach, describe, expect, it } from 'vitest';
import { disposeDatabases, freshName, note, openInAnotherTab, until } from '../database/testing/databases.ts';
import type { CollabDocument } from './collab-document.ts';
import { openCollab } from './open-collab.ts';

afterEach(disposeDatabases);
const textOf = (document: CollabDocument): string => document.text.toString();

describe('a collab text in the tabs of one browser', () => {
  it('is one document, stays one when the leading tab closes, and is there after all have closed', async () => {
    const name = freshName();
    const { db: leader } = await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    const key = await leader.notes.put(note('shared', { body: 'begun' }));
    const left = await openCollab(leader.notes, key, 'body');
    const right = await openCollab(follower.notes, key, 'body');
    left.text.insert(5, ' by the leader');
    await until(() => textOf(right) === 'begun by the leader');
    right.text.insert(0, 'well ');
    await until(() => textOf(left) === 'well begun by the leader');
    await left.close();
    await leader.close();
    right.text.insert(0, 'very ');
    await right.flush();
    expect(await follower.notes.get(key)).toMatchObject({ body: 'very well begun by the leader' });
    expect(right.state.get()).toMatchObject({ name: 'open', generation: 0, unsaved: 0 });
    await right.close();
    await follower.close();
    const { db: later } = await openInAnotherTab(name);
    expect((await later.notes.search({ text: 'begun' })).hits).toMatchObject([{ key }]);
    const again = await openCollab(later.notes, key, 'body');
    expect(textOf(again)).toBe('very well begun by the leader');
  });
});
