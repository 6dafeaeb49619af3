/** Hocuspocus without an extension that stores: documents in memory. */
import { requirePeer } from '../kernel/peer-package.ts';

const { Server } = requirePeer('@hocuspocus/server');
const server = new Server({ port: 0, address: '127.0.0.1', quiet: true });
await server.listen();
console.log(`ready http://127.0.0.1:${server.address.port}`);
process.on('SIGTERM', () => process.exit(0));
