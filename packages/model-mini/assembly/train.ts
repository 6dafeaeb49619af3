// The inner loops of training: row-major f32 matrices in linear memory, addressed by byte pointers. All loops run in one fixed order, so that the
// same inputs give the same bytes on every machine. No allocation: the caller lays out the memory.

/** Transposes `rows * cols` into `cols * rows`. */
export function transpose(from: usize, to: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      store<f32>(to + (((c * rows + r) as usize) << 2), load<f32>(from + (((r * cols + c) as usize) << 2)));
    }
  }
}

/**
 * out[i, n] = sum over j of a[i * rowStride + j * stepStride] * b[j * n]. `m` is a multiple of 4, `n` of 16; strides in floats.
 * Four rows by sixteen columns at a time, held in registers.
 */
export function multiply(a: usize, b: usize, out: usize, m: i32, n: i32, k: i32, rowStride: i32, stepStride: i32): void {
  const rowBytes: usize = (rowStride as usize) << 2;
  const stepBytes: usize = (stepStride as usize) << 2;
  const lineBytes: usize = (n as usize) << 2;
  for (let i = 0; i < m; i += 4) {
    const a0: usize = a + (i as usize) * rowBytes;
    for (let c: usize = 0; c < lineBytes; c += 64) {
      let s00 = f32x4.splat(0),
        s01 = f32x4.splat(0),
        s02 = f32x4.splat(0),
        s03 = f32x4.splat(0);
      let s10 = f32x4.splat(0),
        s11 = f32x4.splat(0),
        s12 = f32x4.splat(0),
        s13 = f32x4.splat(0);
      let s20 = f32x4.splat(0),
        s21 = f32x4.splat(0),
        s22 = f32x4.splat(0),
        s23 = f32x4.splat(0);
      let s30 = f32x4.splat(0),
        s31 = f32x4.splat(0),
        s32 = f32x4.splat(0),
        s33 = f32x4.splat(0);
      let p: usize = a0;
      let q: usize = b + c;
      for (let j = 0; j < k; j++) {
        const b0 = v128.load(q),
          b1 = v128.load(q, 16),
          b2 = v128.load(q, 32),
          b3 = v128.load(q, 48);
        let x = v128.load32_splat(p);
        s00 = f32x4.add(s00, f32x4.mul(x, b0));
        s01 = f32x4.add(s01, f32x4.mul(x, b1));
        s02 = f32x4.add(s02, f32x4.mul(x, b2));
        s03 = f32x4.add(s03, f32x4.mul(x, b3));
        x = v128.load32_splat(p + rowBytes);
        s10 = f32x4.add(s10, f32x4.mul(x, b0));
        s11 = f32x4.add(s11, f32x4.mul(x, b1));
        s12 = f32x4.add(s12, f32x4.mul(x, b2));
        s13 = f32x4.add(s13, f32x4.mul(x, b3));
        x = v128.load32_splat(p + 2 * rowBytes);
        s20 = f32x4.add(s20, f32x4.mul(x, b0));
        s21 = f32x4.add(s21, f32x4.mul(x, b1));
        s22 = f32x4.add(s22, f32x4.mul(x, b2));
        s23 = f32x4.add(s23, f32x4.mul(x, b3));
        x = v128.load32_splat(p + 3 * rowBytes);
        s30 = f32x4.add(s30, f32x4.mul(x, b0));
        s31 = f32x4.add(s31, f32x4.mul(x, b1));
        s32 = f32x4.add(s32, f32x4.mul(x, b2));
        s33 = f32x4.add(s33, f32x4.mul(x, b3));
        p += stepBytes;
        q += lineBytes;
      }
      const o: usize = out + (i as usize) * lineBytes + c;
      v128.store(o, s00);
      v128.store(o, s01, 16);
      v128.store(o, s02, 32);
      v128.store(o, s03, 48);
      const o1 = o + lineBytes;
      v128.store(o1, s10);
      v128.store(o1, s11, 16);
      v128.store(o1, s12, 32);
      v128.store(o1, s13, 48);
      const o2 = o1 + lineBytes;
      v128.store(o2, s20);
      v128.store(o2, s21, 16);
      v128.store(o2, s22, 32);
      v128.store(o2, s23, 48);
      const o3 = o2 + lineBytes;
      v128.store(o3, s30);
      v128.store(o3, s31, 16);
      v128.store(o3, s32, 32);
      v128.store(o3, s33, 48);
    }
  }
}

/** out row = sum of the table's rows named by ids[starts[r]..starts[r+1]), scaled to length 1; its length before goes to norms. */
export function pool(table: usize, ids: usize, starts: usize, rows: i32, dim: i32, out: usize, norms: usize): void {
  const bytes: usize = (dim as usize) << 2;
  for (let r = 0; r < rows; r++) {
    const o: usize = out + (r as usize) * bytes;
    memory.fill(o, 0, bytes);
    const end = load<i32>(starts + ((r as usize) << 2), 4);
    for (let t = load<i32>(starts + ((r as usize) << 2)); t < end; t++) {
      const row: usize = table + (load<i32>(ids + ((t as usize) << 2)) as usize) * bytes;
      for (let d: usize = 0; d < bytes; d += 16) v128.store(o + d, f32x4.add(v128.load(o + d), v128.load(row + d)));
    }
    let sum: f32 = 0;
    for (let d: usize = 0; d < bytes; d += 4) sum += load<f32>(o + d) * load<f32>(o + d);
    const norm: f32 = Mathf.sqrt(sum) + 1e-6;
    store<f32>(norms + ((r as usize) << 2), norm);
    const inverse = f32x4.splat(1 / norm);
    for (let d: usize = 0; d < bytes; d += 16) v128.store(o + d, f32x4.mul(v128.load(o + d), inverse));
  }
}

/**
 * Symmetric InfoNCE over `size * size` cosines: row i's positive is column i. Overwrites the cosines with the gradient of the loss by each cosine,
 * and returns the loss. `same[i]` is a group number: pairs of one group are not negatives of each other.
 */
export function contrast(cosines: usize, size: i32, scale: f32, same: usize, scratch: usize): f32 {
  const line: usize = (size as usize) << 2;
  const columns: usize = scratch;
  memory.fill(columns, 0, line);
  const inverseSize: f32 = 1 / (size as f32);
  let loss: f32 = 0;
  // exp(scale * (cosine - 1)) is at most 1: no overflow, no maximum to look for.
  const exps: usize = scratch + line;
  for (let i = 0; i < size; i++) {
    const row: usize = cosines + (i as usize) * line;
    const expRow: usize = exps + (i as usize) * line;
    const group = load<i32>(same + ((i as usize) << 2));
    for (let j = 0; j < size; j++) {
      const at: usize = (j as usize) << 2;
      const e: f32 = j !== i && load<i32>(same + at) === group ? 0 : Mathf.exp(scale * (load<f32>(row + at) - 1));
      store<f32>(expRow + at, e);
      store<f32>(columns + at, load<f32>(columns + at) + e);
    }
  }
  for (let i = 0; i < size; i++) {
    const row: usize = cosines + (i as usize) * line;
    const expRow: usize = exps + (i as usize) * line;
    let total: f32 = 0;
    for (let j: usize = 0; j < line; j += 4) total += load<f32>(expRow + j);
    const own: f32 = load<f32>(expRow + ((i as usize) << 2));
    const column: f32 = load<f32>(columns + ((i as usize) << 2));
    loss -= 0.5 * (Mathf.log(own / total + 1e-20) + Mathf.log(own / column + 1e-20));
    const inverse: f32 = 1 / total;
    for (let j: usize = 0; j < line; j += 4) {
      store<f32>(row + j, 0.5 * scale * inverseSize * load<f32>(expRow + j) * (inverse + 1 / load<f32>(columns + j)));
    }
    const diagonal: usize = row + ((i as usize) << 2);
    store<f32>(diagonal, load<f32>(diagonal) - scale * inverseSize);
  }
  return loss * inverseSize;
}

/** Adds each pooled row's gradient, taken back through the scaling to length 1, to the gradient rows of its tokens. */
export function unpool(gradients: usize, pooled: usize, norms: usize, ids: usize, starts: usize, rows: i32, dim: i32, into: usize): void {
  const bytes: usize = (dim as usize) << 2;
  for (let r = 0; r < rows; r++) {
    const g: usize = gradients + (r as usize) * bytes;
    const v: usize = pooled + (r as usize) * bytes;
    let along: f32 = 0;
    for (let d: usize = 0; d < bytes; d += 4) along += load<f32>(g + d) * load<f32>(v + d);
    const inverse = f32x4.splat(1 / load<f32>(norms + ((r as usize) << 2)));
    const alongs = f32x4.splat(along);
    for (let d: usize = 0; d < bytes; d += 16) {
      v128.store(g + d, f32x4.mul(inverse, f32x4.sub(v128.load(g + d), f32x4.mul(alongs, v128.load(v + d)))));
    }
    const end = load<i32>(starts + ((r as usize) << 2), 4);
    for (let t = load<i32>(starts + ((r as usize) << 2)); t < end; t++) {
      const row: usize = into + (load<i32>(ids + ((t as usize) << 2)) as usize) * bytes;
      for (let d: usize = 0; d < bytes; d += 16) v128.store(row + d, f32x4.add(v128.load(row + d), v128.load(g + d)));
    }
  }
}

/** Adam for the rows named in `touched`, which holds each at most once; their gradient rows are cleared. No correction of the first steps. */
export function adam(table: usize, gradients: usize, first: usize, second: usize, touched: usize, count: i32, dim: i32, rate: f32): void {
  const bytes: usize = (dim as usize) << 2;
  const keep1 = f32x4.splat(0.9),
    add1 = f32x4.splat(0.1),
    keep2 = f32x4.splat(0.99),
    add2 = f32x4.splat(0.01);
  const rates = f32x4.splat(rate),
    small = f32x4.splat(1e-8);
  for (let i = 0; i < count; i++) {
    const at: usize = (load<i32>(touched + ((i as usize) << 2)) as usize) * bytes;
    for (let d: usize = at; d < at + bytes; d += 16) {
      const g = v128.load(gradients + d);
      const m = f32x4.add(f32x4.mul(keep1, v128.load(first + d)), f32x4.mul(add1, g));
      const v = f32x4.add(f32x4.mul(keep2, v128.load(second + d)), f32x4.mul(add2, f32x4.mul(g, g)));
      v128.store(first + d, m);
      v128.store(second + d, v);
      v128.store(table + d, f32x4.sub(v128.load(table + d), f32x4.div(f32x4.mul(rates, m), f32x4.add(f32x4.sqrt(v), small))));
      v128.store(gradients + d, f32x4.splat(0));
    }
  }
}

/** Where the caller's memory begins. */
export function heapBase(): usize {
  return __heap_base;
}
