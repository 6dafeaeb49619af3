import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** The largest precached file is the sample; the limit only guards against precaching something by mistake. */
const MAX_PRECACHED_BYTES = 4 * 1024 * 1024;

const WEBGPU_WASM = 'new URL("ort-wasm-simd-threaded.asyncify.wasm",import.meta.url)';
/** The demo's model does not run on a GPU: onnxruntime's WebAssembly for that (27 MB), which its library names, is left out. */
const withoutWebGpu: Plugin = {
  name: 'without-webgpu-wasm',
  enforce: 'pre',
  transform: (code) =>
    code.includes(WEBGPU_WASM) ? { code: code.replaceAll(WEBGPU_WASM, 'new URL("about:blank")'), map: null } : undefined,
};
export default defineConfig({
  plugins: [
    react(),
    withoutWebGpu,
    VitePWA({
      // The page asks before it reloads itself: an edit may be open.
      registerType: 'prompt',
      injectRegister: false,
      workbox: {
        globPatterns: ['**/*.{js,css,html,wasm,svg,png,webmanifest,jsonl,bin,txt}'],
        // The embedding model and its runtime (22 MB) are kept once they were used, not before.
        globIgnores: ['**/ort-wasm-*'],
        runtimeCaching: [
          { urlPattern: /\/assets\/.*(?:\.onnx|\.json|ort-wasm-.*\.wasm)$/, handler: 'CacheFirst', options: { cacheName: 'embedding' } },
        ],
        maximumFileSizeToCacheInBytes: MAX_PRECACHED_BYTES,
        // From the first visit on, so that the model it loads is kept too.
        clientsClaim: true,
        cleanupOutdatedCaches: true,
      },
      manifest: {
        name: 'Tern Library',
        short_name: 'Tern',
        description: 'A library of notes and passages that lives in your browser.',
        start_url: '/',
        display: 'standalone',
        background_color: '#f7f9fb',
        theme_color: '#1d5b79',
        icons: [
          { src: '/icons/tern-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icons/tern-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icons/tern-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          { src: '/icons/tern.svg', sizes: 'any', type: 'image/svg+xml' },
        ],
      },
    }),
  ],
  // Inside the repository the packages are read from their sources.
  resolve: { conditions: ['@terndb/source', ...defaultClientConditions] },
  worker: { format: 'es', plugins: () => [withoutWebGpu] },
  build: {
    target: 'es2023',
    // WebAssembly and icons stay files: the content security policy has no room for data URLs of code.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
});
