/** For benches outside this package: the parts of `terndb serve`, so that a process can serve and be asked from inside. */
export { openAuthenticator } from './access/auth/authenticator.ts';
export { createApp } from './access/http/create-app.ts';
export { systemClock } from './adapters/s3/system.ts';
export { openStorage } from './cli/open-storage.ts';
export { readConfig } from './config/read-config.ts';
export { type OpenNodeOptions, openNode } from './node/open-node.ts';
export type { StandaloneNode } from './node/standalone-node.ts';
