import { assertNever, compareDefinitions, DbError, type SchemaDefinition, schemaConflict } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import { ExportSessions } from '../transfer/export-sessions.ts';
import { ImportSessions } from '../transfer/import-sessions.ts';
import type { Call, Service, WatchRequest, WatchSink, WriteAnswer } from './protocol.ts';
import { WatchPump } from './watch-pump.ts';

/** Answers calls with the engine of this worker. */
export class EngineService implements Service {
  readonly #engine: Engine;
  readonly #exports: ExportSessions;
  readonly #imports: ImportSessions;

  readonly #onNewerSchema: () => void;

  /** `onNewerSchema`: another tab wants more than this engine's schema has; its call stays unanswered until the next leader takes it. */
  constructor(engine: Engine, onNewerSchema: () => void) {
    this.#engine = engine;
    this.#onNewerSchema = onNewerSchema;
    this.#exports = new ExportSessions(engine);
    this.#imports = new ImportSessions(engine);
  }

  /** The engine's part runs before this returns, so calls take effect in their order. */
  async call(call: Call): Promise<unknown> {
    switch (call.method) {
      case 'write': {
        const ticket = this.#engine.write(call.request);
        const { token } = await ticket.durable;
        return { keys: ticket.keys, token } satisfies WriteAnswer;
      }
      case 'get':
        return this.#engine.get(call.request);
      case 'query':
        return this.#engine.query(call.request);
      case 'count':
        return this.#engine.count(call.request);
      case 'search':
        return this.#engine.search(call.request);
      case 'adopt':
        return await this.#adopt(call.request);
      case 'inspect':
        return this.#engine.inspect();
      case 'flush':
        return await this.#engine.flush();
      case 'seal':
        return await this.#engine.seal();
      case 'exportOpen':
        return this.#exports.open(call.request);
      case 'exportPage':
        return this.#exports.page(call.request.exportId);
      case 'exportClose':
        return this.#exports.close(call.request.exportId);
      case 'importOpen':
        return this.#imports.open();
      case 'importPush':
        return this.#imports.push(call.request.importId, call.request.bytes);
      case 'importCommit':
        return await this.#imports.commit(call.request.importId);
      case 'importClose':
        return this.#imports.close(call.request.importId);
      default:
        return assertNever(call, 'call');
    }
  }

  watch(watch: WatchRequest, sink: WatchSink): () => void {
    const pump = new WatchPump(sink);
    const onError = (error: DbError): void => sink.onError(error);
    let stop: () => void;
    try {
      stop =
        watch.kind === 'query'
          ? this.#engine.watchQuery(watch.request, (result) => pump.push(result), onError)
          : this.#engine.watchSearch(watch.request, (result) => pump.push(result), onError);
    } catch (thrown) {
      sink.onError(DbError.from(thrown));
      return () => {};
    }
    return () => {
      stop();
      pump.stop();
    };
  }

  #adopt(wanted: SchemaDefinition): Promise<undefined> {
    const difference = compareDefinitions(this.#engine.schema, wanted);
    switch (difference.type) {
      case 'equal':
        return Promise.resolve(undefined);
      case 'additive':
        this.#onNewerSchema();
        return new Promise(() => {});
      case 'older':
      case 'conflict':
        throw schemaConflict(difference);
      default:
        return assertNever(difference, 'schema difference');
    }
  }

  /** Gives back what exports pin. */
  close(): void {
    this.#exports.closeAll();
  }
}
