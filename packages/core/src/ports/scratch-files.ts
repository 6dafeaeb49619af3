/**
 * Files outside memory for as long as this process needs them: what is in them is elsewhere too. Read at once, without waiting: rows that a search
 * scores again come from here one by one.
 */
export interface ScratchFiles {
  /** A file of so many bytes. @throws STORAGE_FULL, STORAGE_UNAVAILABLE: whoever wanted it does without. */
  create(bytes: number): Promise<ScratchFile>;
}

export interface ScratchFile {
  /** The bytes are copied. The caller keeps the range inside the file. @throws STORAGE_FULL, STORAGE_UNAVAILABLE. */
  write(at: number, bytes: Uint8Array): void;
  /** Fills `into`. @throws STORAGE_UNAVAILABLE. */
  read(at: number, into: Uint8Array): void;
  /** Closes the file and removes it, now or soon. Once. */
  free(): void;
}
