/** The engine worker in an insecure context, where there are no Web Locks. */
import './remove-locks.ts';
import '../../engine-worker.ts';
