import { defineSchema, f, open } from '@terndb/client';

const list = document.querySelector<HTMLElement>('#list')!;
const schema = defineSchema({
  notes: {
    title: f.text({ search: true }),
    body: f.collabText({ search: true }),
    tag: f.keyword(['work', 'home']),
    stars: f.number().default(0),
    vec: f.vector({ embed: ['title', 'body'] }),
  },
});
const db = await open('my-notes', { schema });
await db.notes.put({ title: 'Espresso', body: 'Grind fine, 18 g in, 36 g out.', tag: 'home' });
const { hits } = await db.notes.search({ text: 'how fine do I grind', where: { stars: { gte: 0 } }, limit: 5 });
db.notes.live({ text: 'espresso' }, (r) => {
  list.textContent = r.hits.map((h) => h.entity.title).join('\n');
});
// By meaning, as soon as the model that ships with Tern has read the note.
db.notes.live({ text: 'strong coffee', mode: 'semantic' }, (r) => {
  document.querySelector<HTMLElement>('#meaning')!.textContent = `${r.hits.length} by meaning`;
});
// Replication comes later, with the address of a server: ?sync=/sync, and a token of yours.
const url = new URLSearchParams(location.search).get('sync');
db.sync.subscribe(({ state }) => {
  document.querySelector('#sync')!.textContent = state.name;
});
if (url !== null) db.connect({ url, partitions: ['_default', 'team:42'], getToken: async () => 'none' });

document.querySelector('#answer')!.textContent = `${hits.length} of ${(await db.notes.count()).count} found`;
