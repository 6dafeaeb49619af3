const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The smallest float32 above `x`. */
export function nextFloat32Above(x: number): number {
  const rounded = Math.fround(x);
  if (rounded > x || rounded === Infinity) return rounded;
  if (rounded === -Infinity) return x === -Infinity ? -Infinity : -3.4028234663852886e38;
  if (rounded === 0) return 1.401298464324817e-45;
  float[0] = rounded;
  bits[0]! += rounded > 0 ? 1 : -1;
  return float[0]!;
}
