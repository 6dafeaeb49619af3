/** The compiled inner loops of `assembly/train.ts` over one linear memory, with a bump allocator for typed arrays in it. */
import asc from 'assemblyscript/asc';

const PAGE_BYTES = 65_536;
/** Rows are read sixteen bytes at a time. */
const ALIGNMENT = 64;

export async function createKernel(packageFolder) {
  let binary;
  const args = ['assembly/train.ts', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--baseDir', packageFolder];
  const { error, stderr } = await asc.main([...args, '-O3', '--noAssert', '--maximumMemory', '65536', '--outFile', 'out.wasm'], {
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = contents;
    },
  });
  if (error) throw new Error(`the training kernel does not compile: ${stderr}`, { cause: error });
  const { instance } = await WebAssembly.instantiate(binary, {});
  const { memory, heapBase, ...loops } = instance.exports;
  let top = Math.ceil(heapBase() / ALIGNMENT) * ALIGNMENT;
  const grow = (bytes) => {
    const at = top;
    top = Math.ceil((top + bytes) / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((top - memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) memory.grow(missing);
    return at;
  };
  /** Views die when the memory grows: allocate everything first, then take the views. */
  const allocate = (Type, length) => {
    const at = grow(length * Type.BYTES_PER_ELEMENT);
    return { at, view: () => new Type(memory.buffer, at, length) };
  };
  return { ...loops, floats: (length) => allocate(Float32Array, length), ints: (length) => allocate(Int32Array, length) };
}
