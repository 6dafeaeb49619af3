/**
 * The arrows of docs/architecture.md. Packages see each other by name only, and only downwards.
 * `@terndb/*` resolve to sources through the `@terndb/source` condition, so that these rules see them.
 */
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  comment: `${from} may import ${allowed.join(', ') || 'nothing of ours'}`,
  from: { path: `^${from}/` },
  to: { path: '^(packages|server|web-demo|playwright)/', pathNot: [from, ...allowed].map((folder) => `^${folder}/`) },
});

export default {
  forbidden: [
    layer('core-imports-nothing', 'packages/core', []),
    layer('kernel-imports-nothing', 'packages/kernel', []),
    layer('model-mini-imports-nothing', 'packages/model-mini', []),
    layer('embed-imports', 'packages/embed', ['packages/core', 'packages/model-mini']),
    layer('engine-imports', 'packages/engine', ['packages/core', 'packages/kernel']),
    layer('sync-imports', 'packages/sync', ['packages/core']),
    layer('sim-imports', 'packages/sim', ['packages/core', 'packages/sync', 'packages/engine']),
    layer('client-imports', 'packages/client', ['packages/core', 'packages/kernel', 'packages/engine', 'packages/sync', 'packages/embed']),
    layer('react-imports', 'packages/react', ['packages/client']),
    layer('server-imports', 'server', ['packages/core', 'packages/kernel', 'packages/engine', 'packages/sync', 'packages/embed']),
    layer('demo-imports', 'web-demo', ['packages/client', 'packages/react']),
    {
      name: 'packages-by-name',
      severity: 'error',
      comment: 'Another package is imported by its name, never by a file inside it.',
      from: { path: '^(?:packages/([^/]+)|(server|web-demo|playwright))/' },
      to: {
        path: '^packages/',
        pathNot: [
          '^packages/$1/',
          '/src/index\\.ts$',
          '/src/testing\\.ts$',
          '/src/parts\\.ts$',
          '/src/worker\\.ts$',
          '^packages/(embed|kernel)/src/node\\.ts$',
          '^packages/client/src/yjs/index\\.ts$',
          '\\.wasm$',
        ],
      },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core uses neither DOM nor Node.',
      from: { path: '^packages/(core|engine)/src/', pathNot: '(\\.test\\.ts|/testing/)' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(dist|node_modules|fixtures|assembly)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@terndb/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js'],
    },
  },
};
