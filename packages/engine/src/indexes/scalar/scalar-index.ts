/**
 * Indexes over scalar fields and lists of scalars: which rows have these values.
 *
 *   column ─► sort-items (rows by value, in steps) ─► write-scalar-index ─► file ─► open-scalar-index ─► find(leaf) ─► spans ─► rows as a bitmap
 *
 * | file                  | job                                                                  |
 * |-----------------------|----------------------------------------------------------------------|
 * | scalar-kind.ts        | the kind of index file: which fields of which segments have one      |
 * | format.ts             | the file's layout                                                    |
 * | structure.ts          | sorted, inverted or bitmap: by statistics                            |
 * | sort-items.ts         | values of a column in order, with the rows they are of               |
 * | write-scalar-index.ts | builds a file                                                        |
 * | open-scalar-index.ts  | checks and opens one                                                 |
 * | order.ts, spans.ts    | a leaf of a filter as spans of the order                             |
 * | find-rows.ts          | what fetching them costs against looking at the column; fetches them |
 */
export { openOfSegment } from './open-scalar-index.ts';
export { writeScalarIndex } from './write-scalar-index.ts';
