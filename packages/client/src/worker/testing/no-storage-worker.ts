/** The engine worker in a browser that gives no IndexedDB. */
import './remove-indexeddb.ts';
import '../../engine-worker.ts';
