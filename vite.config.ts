import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

/** Inside the repository `@terndb/*` resolve to their TypeScript sources, not to built files. */
const sources = { conditions: ['@terndb/source', 'module', 'browser', 'development|production'] };

/** Tests start and end many servers, each with threads: what keeps a server's process alive then (`scripts/lib/server.mjs` says why) does here. */
const NODE_FLAGS = ['--wasm-wrapper-tiering-budget=2147483647'];

/** What browser tests and the sources they load import from npm. */
const BROWSER_DEPENDENCIES = [
  '@huggingface/tokenizers',
  '@noble/hashes/sha2.js',
  '@noble/hashes/utils.js',
  '@orama/stemmers/english',
  '@orama/stemmers/french',
  '@orama/stemmers/german',
  'comlink',
  'hnswlib-wasm/lib/hnswlib.mjs',
  'idb',
  'lib0/decoding',
  'lib0/encoding',
  'lib0/string',
  'onnxruntime-web/wasm',
  'react',
  'react-dom/client',
  'react-dom/server',
  'y-protocols/awareness',
  'yjs',
];

/** Unit tests run in Node; browser tests in the system's Chromium (IndexedDB, workers and Web Locks are real there). */
export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['packages/{core,engine,kernel,client}/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts', '**/testing/**', 'packages/kernel/assembly/**'],
      reporter: ['text-summary', 'json-summary'],
    },
    projects: [
      {
        resolve: { conditions: ['@terndb/source', 'node'] },
        ssr: { resolve: { conditions: ['@terndb/source', 'node'] } },
        test: {
          name: 'unit',
          execArgv: NODE_FLAGS,
          // Property tests and loaded machines: a limit for hangs, not for speed.
          testTimeout: 120_000,
          // A hook may start a server, on a machine that does other things.
          hookTimeout: 120_000,
          environment: 'node',
          setupFiles: ['scripts/fast-check-seed.mjs'],
          include: ['packages/*/src/**/*.test.ts', 'server/src/**/*.test.ts', 'web-demo/src/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts', '**/*.s3.test.ts', '**/node_modules/**'],
        },
      },
      {
        // Against the gateway that `npm run test:s3` starts; it says where by environment variables.
        resolve: { conditions: ['@terndb/source', 'node'] },
        ssr: { resolve: { conditions: ['@terndb/source', 'node'] } },
        test: {
          name: 's3',
          execArgv: NODE_FLAGS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          environment: 'node',
          include: ['server/src/**/*.s3.test.ts'],
          // One gateway, which one of the tests kills.
          fileParallelism: false,
        },
      },
      {
        resolve: sources,
        // Found while tests run, a dependency would be bundled then and reload the page under the test. On a fresh clone nothing is bundled yet.
        optimizeDeps: { include: BROWSER_DEPENDENCIES },
        test: {
          name: 'browser',
          // Two cores: one page at a time starts in time, several may not.
          fileParallelism: false,
          testTimeout: 120_000,
          include: ['packages/*/src/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: process.env['TERNDB_CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
