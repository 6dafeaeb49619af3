import { divisor, sumOfSquares } from '../rows/norms';
import { decodeRow } from './decode';

/** Writes the divisors of `rows` rows from `first` on; `scratch` has room for the float32 values of one row, `floatBytes`. */
export function writeElementNorms(
  elements: u32, vectors: usize, bytes: usize, norms: usize, first: u32, rows: u32, scratch: usize, floatBytes: usize,
): void {
  for (let row = first, end = first + rows; row < end; row++) {
    decodeRow(elements, vectors + <usize>row * bytes, bytes, scratch);
    store<f32>(norms + (<usize>row << 2), divisor(Math.sqrt(sumOfSquares(scratch, floatBytes))));
  }
}
