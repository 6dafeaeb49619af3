import type { Engine } from '@terndb/engine';
import { importHnswlib } from '@terndb/engine/parts';
import { ExportSessions } from './export-sessions.ts';
import { ImportSessions } from './import-sessions.ts';

/** Exports and imports of one engine: a file of its own, loaded by the first of them (docs/adr/0046). */
export class Transfers {
  readonly exports: ExportSessions;
  readonly imports: ImportSessions;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.exports = new ExportSessions(engine);
    this.imports = new ImportSessions(engine);
  }

  importHnswlib(request: Parameters<typeof importHnswlib>[1]): ReturnType<typeof importHnswlib> {
    return importHnswlib(this.#engine, request);
  }
}
