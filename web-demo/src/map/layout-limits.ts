/** Rows that a layout looks at for each row, itself among them. The usual 15: enough for topics, few enough for detail. */
export const NEIGHBOURS = 15;
/** With fewer passages a map says nothing that a list does not. Apart from the layout, which the page does not load. */
export const MIN_ROWS: number = NEIGHBOURS + 1;
