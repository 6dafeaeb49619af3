import tseslint from 'typescript-eslint';

/** Typed rules only: format and the rest are Biome's. Clocks, randomness and I/O belong to adapters (house rule 8). */
const impure = [
  'Date.now',
  'performance.now',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'setTimeout',
  'setInterval',
  'fetch',
  'indexedDB',
];
const restricted = impure.map((name) => {
  const [object, property] = name.split('.');
  const selector =
    property === undefined
      ? `:matches(CallExpression[callee.name='${object}'], MemberExpression[object.name='${object}'])`
      : `MemberExpression[object.name='${object}'][property.name='${property}']`;
  return { selector, message: `${name} comes from outside: take a Clock, an Rng or a store (core/src/ports) as an argument.` };
});

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      'packages/kernel/assembly/**',
      'packages/model-mini/assembly/**',
      'coverage/**',
      '**/*.mjs',
      'examples/**',
      'test-results/**',
    ],
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    files: ['packages/{core,engine}/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: { 'no-restricted-syntax': ['error', ...restricted] },
  },
);
