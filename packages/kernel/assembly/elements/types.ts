/** What rows are made of; `src/block/elements.ts` has the same numbers. */
export const FLOAT32: u32 = 0;
export const FLOAT16: u32 = 1;
export const BFLOAT16: u32 = 2;
export const INT8: u32 = 3;
export const BIT: u32 = 4;
