export { openFile as openScalarFile, scalarFile, structuresOf } from './indexes/scalar/testing/scalar-file.ts';
export { leafMask } from './read/filter/leaf.ts';
export { type MemoryPorts, memoryPorts, testKernel } from './testing/memory-ports.ts';
