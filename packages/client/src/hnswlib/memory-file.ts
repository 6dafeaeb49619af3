/** The one descriptor that is ours: above what Emscripten gives out. */
const FD = 1_000_000;
const O_TRUNC = 0x200;
/** As libc sees them, with the sign turned. */
const NOT_A_TERMINAL = -59;
const BAD_DESCRIPTOR = 8;
const SEEK_FROM = { start: 0, here: 1, end: 2 } as const;
const FIRST_BYTES = 1 << 20;

type Functions = Record<string, (...args: number[]) => number>;

/**
 * The one file that hnswlib-wasm saves to and opens from. The module brings a file system of its own, backed by an IndexedDB database of its own, which
 * nobody else could read, check or remove; its system calls are answered from here instead.
 */
export class MemoryFile {
  #bytes = new Uint8Array(0);
  #length = 0;
  #at = 0;
  /** The module's memory, which moves when it grows. */
  readonly #heap: () => Uint8Array;

  constructor(heap: () => Uint8Array) {
    this.#heap = heap;
  }

  /** What the next read of the module finds. Borrowed until it was read. */
  fill(bytes: Uint8Array): void {
    this.#bytes = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
    this.#length = bytes.length;
    this.#at = 0;
  }

  /** What the module wrote. The file is empty after it. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    this.#at = 0;
  }

  /** The module's imports with the calls on files replaced. Console and terminal keep theirs. */
  replaceIn(imports: WebAssembly.Imports): WebAssembly.Imports {
    const own: Functions = {
      __syscall_openat: (_folder, _path, flags) => this.#open(flags!),
      __syscall_ioctl: () => NOT_A_TERMINAL,
      __syscall_fcntl64: () => 0,
      // No file system of the browser is mounted, and none is written to.
      emscripten_asm_const_int: () => 0,
      syncIdb_js: () => 0,
    };
    const onDescriptor: Functions = {
      fd_write: (_fd, vectors, count, written) => this.#write(vectors!, count!, written!),
      fd_read: (_fd, vectors, count, read) => this.#read(vectors!, count!, read!),
      fd_seek: (_fd, low, high, from, position) => this.#seek((low! >>> 0) + high! * 2 ** 32, from!, position!),
      fd_close: () => 0,
    };
    return Object.fromEntries(
      Object.entries(imports).map(([name, module]) => {
        const replaced: Functions = { ...(module as Functions) };
        for (const [call, answer] of Object.entries(own)) if (replaced[call] !== undefined) replaced[call] = answer;
        for (const [call, answer] of Object.entries(onDescriptor)) {
          const real = replaced[call];
          if (real !== undefined) replaced[call] = (...args) => (args[0] === FD ? answer(...args) : real(...args));
        }
        return [name, replaced];
      }),
    );
  }

  #open(flags: number): number {
    if ((flags & O_TRUNC) !== 0) this.clear();
    this.#at = 0;
    return FD;
  }

  #write(vectors: number, count: number, written: number): number {
    const parts = this.#parts(vectors, count);
    const end = this.#at + parts.reduce((sum, part) => sum + part.length, 0);
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2, FIRST_BYTES));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    const begun = this.#at;
    for (const part of parts) {
      this.#bytes.set(part, this.#at);
      this.#at += part.length;
    }
    this.#length = Math.max(this.#length, this.#at);
    this.#view().setUint32(written, this.#at - begun, true);
    return 0;
  }

  #read(vectors: number, count: number, read: number): number {
    const begun = this.#at;
    for (const part of this.#parts(vectors, count)) {
      const bytes = this.#bytes.subarray(this.#at, Math.min(this.#length, this.#at + part.length));
      part.set(bytes);
      this.#at += bytes.length;
    }
    this.#view().setUint32(read, this.#at - begun, true);
    return 0;
  }

  /** The offset comes in two halves: the lower one without a sign. */
  #seek(offset: number, from: number, position: number): number {
    const bases: Record<number, number> = { [SEEK_FROM.start]: 0, [SEEK_FROM.here]: this.#at, [SEEK_FROM.end]: this.#length };
    const at = (bases[from] ?? Number.NaN) + offset;
    if (!(at >= 0)) return BAD_DESCRIPTOR;
    this.#at = at;
    const view = this.#view();
    view.setUint32(position, at % 2 ** 32, true);
    view.setUint32(position + 4, Math.floor(at / 2 ** 32), true);
    return 0;
  }

  /** A list of (address, length) as parts of the module's memory. */
  #parts(vectors: number, count: number): Uint8Array[] {
    const heap = this.#heap();
    const view = this.#view();
    return Array.from({ length: count }, (_, index) => {
      const address = view.getUint32(vectors + index * 8, true);
      const length = view.getUint32(vectors + index * 8 + 4, true);
      return heap.subarray(address, address + length);
    });
  }

  #view(): DataView {
    const { buffer } = this.#heap();
    return new DataView(buffer);
  }
}
