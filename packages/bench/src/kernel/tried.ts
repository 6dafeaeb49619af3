/** What was tried to make walks faster, and a run of few contenders after it: the end of `docs/benchmarks/kernel.md`. */
export const TRIED = `## 100,000 rows after walks were screened

2026-11-21. All tables above but that of 20,000 rows in Chromium were measured before ([decision 74](../adr/0074-float32-walks-are-screened.md)). Here three contenders only, same data, parameters and queries, in one process on
one core that other work used half (load 25 to 30 on 2 cores): read ratios. float32 graphs were linked slice by slice in turns with hnswlib's, int8 ones afterwards (their build ratio is of different minutes);
searches took turns, 20 of 50 queries, median. The smallest ef of the grid that reaches the recall, the same for all.

| against hnswlib-node, \`-march=native\` | build | QPS @ .95 | QPS @ .99 |
|---|---|---|---|
| clustered: tern f32 | 1.30 × (81.7 s : 105.8 s) | 1.30 × (2,455 : 1,894; ef 128) | 1.23 × (1,453 : 1,182; ef 256) |
| clustered: tern sq8 + f32 rerank | 3.4 × (30.8 s) | 2.03 × (4,508 : 2,218; ef 128) | 1.97 × (2,522 : 1,277; ef 256) |
| wordnet: tern f32 | 1.17 × (89.1 s : 104.5 s) | 1.22 × (3,045 : 2,486; ef 96) | 1.09 × (1,445 : 1,325; ef 256) |
| wordnet: tern sq8 + f32 rerank | 3.4 × (30.9 s) | 1.50 × (3,998 : 2,672; ef 96) | 1.53 × (2,157 : 1,410; ef 256) |

## What was tried

Walks of 100,000 rows wait for memory, not for arithmetic: one distance of a walk takes 75 to 180 ns, in the caches 15 (int8) to 24 (float32). What brought fewer or earlier reads helped.
Ratios of QPS at the same recall, both builds in turns in one process (on a busy machine: the same bytes measured twice differ by up to 10 %):

| What | float32 | int8 + rerank |
|---|---|---|
| kept: neighbours of float32 rows bounded by the block's codes first; three of four need no float32 row, hits and built bytes are the same | 1.2–1.3 (text), 1.4–1.5 (clustered); build 1.15 (20,000 rows of text) | – |
| kept: the same for the heuristic that chooses links, by codes of both rows | build 1.2 with the line above | – |
| kept: re-ranking leaves out candidates that cannot be hits, by the codes' largest error | – | 1.05–1.25 |
| kept: touching the links of the next row to follow while this one's neighbours are scored | 1.04–1.11 | 1.05–1.2 |
| kept: touching scales and margins with the codes | 1.15–1.25 | 1.0–1.3 |
| kept: touching every fourth line of the float32 rows that are left | 1.02–1.05 | – |
| not kept: a filter of 10 % walked over two hops, scoring survivors only (as ACORN does): text, at recall .954 6,190 QPS with ef 64 against 5,979 with ef 16 | – | 1.04, twice the code |
| not kept: relaxed SIMD ([decision 58](../adr/0058-no-relaxed-simd-build.md)) | 1.01 | 1.0–1.1 |
`;
