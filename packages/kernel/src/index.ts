export type { Kernel, Metric, ScanHits, ScanOptions, VectorBlock } from './types.ts';
