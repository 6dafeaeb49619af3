export { type MemoryPorts, memoryPorts, testKernel } from './testing/memory-ports.ts';
