/**
 * Replication, as the worker loads it: a file of its own (`dist/chunks/replication.js`), fetched when a database is first connected and by every later start
 * of one that was. It has a copy of what it needs of core and engine; objects of the worker's cross the border, so `instanceof` on either
 * side may only ask for DbError, which knows its copies.
 */
export { SyncReads } from './reads.ts';
export { SyncService } from './sync-service.ts';
