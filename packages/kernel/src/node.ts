/** What only Node has: threads that search one shared memory. */
export type { SearchPool, SearchPoolOptions } from './threads/pool.ts';
export { createSearchPool } from './threads/pool.ts';
