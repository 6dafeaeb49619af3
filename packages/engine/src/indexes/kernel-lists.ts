/** What index files of lists need of the kernel: a file of its own in the client, loaded by the first field that has lists (docs/adr/0046). */
export { buildLists, openLists } from '@terndb/kernel';
