import { describe, expect, it } from 'vitest';
import { readSampleVectors, writeSampleVectors } from './sample-vectors.ts';

describe('sample vectors', () => {
  it('come back in their direction', () => {
    const vectors = Float32Array.from([0.5, -1, 0, 3, 3, 0]);
    const bytes = writeSampleVectors(vectors, 3);
    const read = readSampleVectors(bytes.buffer as ArrayBuffer);
    expect([read.count, read.dim]).toEqual([2, 3]);
    expect([...read.at(0)]).toEqual([64, -127, 0]);
    expect([...read.at(1)]).toEqual([127, 127, 0]);
  });

  it('are refused when cut or of another format', () => {
    const bytes = writeSampleVectors(new Float32Array(6), 3);
    expect(() => readSampleVectors(bytes.slice(0, -1).buffer as ArrayBuffer)).toThrow('18 bytes expected, got 17');
    expect(() => readSampleVectors(new ArrayBuffer(4))).toThrow('unknown file format');
    expect(() => readSampleVectors(new ArrayBuffer(18))).toThrow('unknown file format');
  });
});
