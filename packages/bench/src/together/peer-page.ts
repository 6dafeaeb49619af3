/**
 * A page with the demo's editor (CodeMirror, y-codemirror.next) on a peer's provider, built with Vite and served from memory. What lies in the
 * nested package and in the demo is named by path: neither is a dependency of the benches.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { peerFile } from '../kernel/peer-package.ts';

export type PeerName = 'y-websocket' | 'Hocuspocus';

const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
const PROVIDERS: Readonly<Record<PeerName, { readonly file: string; readonly open: string }>> = {
  'y-websocket': {
    file: 'y-websocket/src/y-websocket.js',
    open: 'new peer.WebsocketProvider(url, "screens", doc, { disableBc: true })',
  },
  Hocuspocus: {
    file: '@hocuspocus/provider/dist/hocuspocus-provider.esm.js',
    open: 'new peer.HocuspocusProvider({ url, name: "screens", document: doc })',
  },
};

const sourceOf = (open: string): string => `
import * as peer from 'peer';
import * as Y from 'yjs';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { yCollab } from 'y-codemirror.next';
const url = new URLSearchParams(location.search).get('server');
const doc = new Y.Doc();
const provider = ${open};
const text = doc.getText('text');
provider.awareness.setLocalStateField('user', { name: 'somebody', color: '#336699' });
const extensions = [EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': 'Text' }), yCollab(text, provider.awareness)];
new EditorView({ state: EditorState.create({ doc: text.toString(), extensions }), parent: document.body });
`;

export interface PeerPage {
  /** With the peer's server in it. */
  readonly url: (server: string) => string;
  close(): void;
}

export async function servePeerPage(name: PeerName): Promise<PeerPage> {
  const { file, open } = PROVIDERS[name];
  const folder = await mkdtemp(join(tmpdir(), 'terndb-bench-page-'));
  const entry = join(folder, 'page.js');
  await writeFile(entry, sourceOf(open));
  const shared = ['yjs', '@codemirror/state', '@codemirror/view', 'y-codemirror.next'];
  const built = await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    resolve: {
      alias: { peer: peerFile(file), ...Object.fromEntries(shared.map((one) => [one, join(modules, one)])) },
      dedupe: shared,
    },
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'page' } },
  });
  await rm(folder, { recursive: true, force: true });
  const output = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const code = output.find((one) => one.type === 'chunk')!.code;
  const html = '<!doctype html><meta charset="utf-8"><title>peer</title><body></body><script type="module" src="/page.js"></script>';
  const http = createServer((request, response) => {
    const isScript = request.url?.startsWith('/page.js') === true;
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? code : html);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: (server) => `http://127.0.0.1:${port}/?server=${encodeURIComponent(server.replace('http', 'ws'))}`,
    close: () => void http.close(),
  };
}
