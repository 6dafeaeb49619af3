/**
 * What a call on a graph index works on, written by the host as consecutive 32-bit words (`src/index/graph-plan.ts` writes the same order).
 * The layout of the index is the host's (`src/index/layout.ts` has the format): here are only addresses of its sections.
 */
@unmanaged
export class GraphPlan {
  /** The index' header: `linked`, `entry` and `maxLevel` are read and written there. */
  header!: usize;
  /** Stored rows; those below `linked` are in the graph. */
  rows!: u32;
  metric!: u32;
  /** 0: float32 rows, 1: int8 codes, 2: one bit per dimension. */
  coded!: u32;
  m!: u32;
  efConstruction!: u32;
  seed!: u32;
  /** 1: rows and queries are rotated before they are coded. */
  rotated!: u32;
  dim!: u32;
  /** u32 per row: lists of upper levels before the row's own. */
  upperStart!: usize;
  /** f32 per row. Codes: the scale (for COSINE divided by the norm). Rows: what COSINE divides by, else 0. */
  scales!: usize;
  /** f32 per row, coded L2 only: squared norm of the coded row; with residual codes also that of the finer one. */
  squares!: usize;
  fineSquares!: usize;
  /** 2m u32 per row. */
  links!: usize;
  /** m u32 per list. */
  upper!: usize;
  vectors!: usize;
  /** Bytes of one row at `vectors`, a multiple of 16. */
  rowBytes!: usize;
  /** A second plane of codes, or 0. */
  residuals!: usize;
  /** Workspace: `src/index/workspace.ts`. */
  visited!: usize;
  visitedBytes!: u32;
  query!: usize;
  queryCodes!: usize;
  batch!: usize;
  keys!: usize;
  selected!: usize;
  kept!: usize;
  sorted!: usize;
  pool!: usize;
  poolCapacity!: u32;
  heap!: usize;
  heapCapacity!: u32;
  /** One bit: bytes of a row's bits, a multiple of 8; the rotated centroid; room for a row less it. */
  codeBytes!: usize;
  centroid!: usize;
  rest!: usize;
  /** float32 rows: codes of the same rows elsewhere and what belongs to them (`screen/encode.ts`), or 0: compute every score. */
  screenCodes!: usize;
  screenBytes!: usize;
  screenScales!: usize;
  screenMargins!: usize;
  screenSquares!: usize;
}
