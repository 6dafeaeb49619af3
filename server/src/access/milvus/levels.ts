import type { CatalogCollectionInfo } from '../../node/types.ts';
import { invalidParameter } from './errors.ts';

/** Milvus' consistency levels, in our words. */
const LEVELS: Readonly<Record<string, string>> = {
  Strong: 'strong',
  Session: 'session',
  Bounded: 'bounded',
  Eventually: 'eventually',
  Customized: 'bounded',
};
const DEFAULT_LEVEL = 'Bounded';

/** Code 1100 for what is none. Undefined: nothing was said. */
export function checkedLevel(level: string | undefined): string | undefined {
  if (level === undefined || level === '') return undefined;
  if (Object.hasOwn(LEVELS, level)) return level;
  throw invalidParameter(`consistencyLevel can only be [${Object.keys(LEVELS).join(', ')}], default: ${DEFAULT_LEVEL}`);
}

/** Of reads that name none, as Milvus calls it. */
export const levelOf = ({ properties }: CatalogCollectionInfo): string => properties['milvus.consistency'] ?? DEFAULT_LEVEL;

/** As the node takes it: what the request names, else the collection's. */
export const consistencyOf = (given: string | undefined, info: CatalogCollectionInfo): string =>
  LEVELS[checkedLevel(given) ?? levelOf(info)]!;
