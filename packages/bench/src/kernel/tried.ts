/** What was tried to make walks faster: the end of `docs/benchmarks/kernel.md`. Ratios in one process, turns of both, 100,000 × 384. */
export const TRIED = `## What was tried

Walks of 100,000 rows wait for memory, not for arithmetic: one distance of a walk takes 75 to 180 ns, in the caches 15 (int8) to 24 (float32). What brought fewer or earlier reads helped.
Ratios of QPS at the same recall, both builds in turns in one process (on a busy machine: ± 5 %):

| What | float32 | int8 + rerank |
|---|---|---|
| kept: neighbours of float32 rows bounded by the block's codes first; three of four need no float32 row, hits and built bytes are the same | 1.2–1.3 (text), 1.4–1.5 (clustered); build 1.15 (20,000 rows of text) | – |
| kept: the same for the heuristic that chooses links, by codes of both rows | build 1.2 with the line above | – |
| kept: re-ranking leaves out candidates that cannot be hits, by the codes' largest error | – | 1.05–1.25 |
| kept: touching the links of the next row to follow while this one's neighbours are scored | 1.04–1.11 | 1.05–1.2 |
| kept: touching scales and margins with the codes | 1.15–1.25 | 1.1–1.3 |
| kept: touching every fourth line of the float32 rows that are left | 1.02–1.05 | – |
| not kept: a filter of 10 % walked over two hops, scoring survivors only (as ACORN does): text, at recall .954 6,190 QPS with ef 64 against 5,979 with ef 16 | – | 1.04, twice the code |
| not kept: relaxed SIMD ([decision 58](../adr/0058-no-relaxed-simd-build.md)) | 1.01 | 1.0–1.1 |
`;
