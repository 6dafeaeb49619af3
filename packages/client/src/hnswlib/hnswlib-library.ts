import type { DbError } from '@terndb/core';
import type { HnswlibGraph, HnswlibLibrary, HnswlibOptions } from '@terndb/engine/parts';
import createModule, { type HnswlibIndex, type HnswlibModule } from 'hnswlib-wasm/lib/hnswlib.mjs';
import { MemoryFile } from './memory-file.ts';

/** The module has one file at a time. */
const FILE = 'index';
/** At least this many rows are reserved: hnswlib takes no graph for none. */
const LEAST_ROWS = 1;

/**
 * hnswlib-wasm in this worker, its WebAssembly inside the script. Graphs live in its own memory, beside the kernel's, and are not counted there.
 * In Node the module refuses to start. A chunk of its own, loaded by the first schema that asks for it: it imports nothing else at run time.
 */
export async function loadHnswlib(Errors: typeof DbError): Promise<HnswlibLibrary> {
  let module: HnswlibModule | undefined;
  const file = new MemoryFile(() => module!.HEAPU8);
  module = await withImports(
    (imports) => file.replaceIn(imports),
    () => createModule({ print: () => {}, printErr: () => {} }),
  );
  module.EmscriptenFileSystemManager.initializeFileSystem('IDBFS');
  return libraryOf(module, file, guard(module, Errors));
}

/** The module keeps its WebAssembly to itself, and instantiates it by the global function: its imports can be changed only there. */
async function withImports<T>(change: (imports: WebAssembly.Imports) => WebAssembly.Imports, run: () => Promise<T>): Promise<T> {
  const { instantiate } = WebAssembly;
  const isItsOwn = (imports: WebAssembly.Imports | undefined): imports is WebAssembly.Imports =>
    imports?.['env']?.['syncIdb_js'] !== undefined;
  WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) =>
    instantiate(source, isItsOwn(imports) ? change(imports) : imports)) as typeof instantiate;
  try {
    return await run();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

type Guard = <T>(code: 'MEMORY_LIMIT' | 'FORMAT_INVALID' | 'INTERNAL', run: () => T) => T;

function libraryOf(module: HnswlibModule, file: MemoryFile, guarded: Guard): HnswlibLibrary {
  const graphOf = (index: HnswlibIndex): HnswlibGraph => ({
    get rows() {
      return index.getCurrentCount();
    },
    add: (vector, label) => guarded('MEMORY_LIMIT', () => index.addPoint(vector, label, false)),
    search(query, { k, ef, filter }) {
      index.setEfSearch(ef);
      return guarded('INTERNAL', () => index.searchKnn(query, k, filter).neighbors);
    },
    save() {
      guarded('MEMORY_LIMIT', () => index.writeIndex(FILE));
      return file.take();
    },
    free: () => index.delete(),
  });
  const make = ({ space, dim }: Pick<HnswlibOptions, 'space' | 'dim'>): HnswlibIndex => new module.HierarchicalNSW(space, dim, '');
  return {
    create(options) {
      const index = make(options);
      const { capacity, m, efConstruction, seed } = options;
      guarded('MEMORY_LIMIT', () => index.initIndex(Math.max(LEAST_ROWS, capacity), m, efConstruction, seed));
      return graphOf(index);
    },
    open(bytes, options) {
      const index = make(options);
      file.fill(bytes);
      try {
        guarded('FORMAT_INVALID', () => index.readIndex(FILE, 0));
        return graphOf(index);
      } catch (error) {
        index.delete();
        throw error;
      } finally {
        file.clear();
      }
    },
  };
}

/** What the module throws is an exception of C++, of which only the module knows the message. */
function guard(module: HnswlibModule, Errors: typeof DbError): Guard {
  return (code, run) => {
    try {
      return run();
    } catch (cause) {
      const reason = cause instanceof WebAssembly.Exception ? module.getExceptionMessage(cause).join(': ') : String(cause);
      throw new Errors(code, `hnswlib: ${reason}`, { cause });
    }
  };
}
