import {
  addHash,
  compareStamps,
  type GcRecord,
  type Hash64,
  type LogRecord,
  type PrimaryKey,
  type SingleOp,
  type Stamp,
  type StoredValue,
  stampOf,
  type Timestamp,
  ZERO_HASH,
} from '@terndb/core';
import { rowHash } from '../fold/row-hash.ts';

interface NaiveEntity {
  put: Stamp | undefined;
  delete: Stamp | undefined;
  /** Values of the put. */
  base: Map<string, StoredValue>;
  registers: Map<string, { stamp: Stamp; value: StoredValue; origin?: string }>;
}

/** Field name → value, defaults filled in; `<field> origin` → what a derived vector was made from. */
export type NaiveRow = ReadonlyMap<string, StoredValue>;

/**
 * The fold of design 5 as literally as possible: registers in maps, nothing incremental. The oracle that the engine is held against.
 */
export class NaiveFold {
  readonly #defaults: ReadonlyMap<string, StoredValue>;
  readonly #entities = new Map<PrimaryKey, NaiveEntity>();
  records = 0;

  constructor(defaults: ReadonlyMap<string, StoredValue>) {
    this.#defaults = defaults;
  }

  apply(record: LogRecord): void {
    this.records += 1;
    if (record.type === 'gc') this.#collect(record);
    if (record.type !== 'op') return;
    const stamp = stampOf(record);
    for (const op of record.op.type === 'batch' ? record.op.ops : [record.op]) this.#applyOp(op, stamp);
  }

  /** Live rows by key. */
  rows(): Map<PrimaryKey, NaiveRow> {
    const rows = new Map<PrimaryKey, NaiveRow>();
    for (const [key, entity] of this.#entities) {
      if (!isLive(entity)) continue;
      const row = new Map<string, StoredValue>();
      for (const name of this.#defaults.keys())
        row.set(name, counts(entity, name) ? entity.registers.get(name)!.value : entity.base.get(name)!);
      for (const [name, { origin }] of entity.registers)
        if (origin !== undefined && counts(entity, name)) row.set(`${name} origin`, origin);
      rows.set(key, row);
    }
    return rows;
  }

  hash(): Hash64 {
    let hash = ZERO_HASH;
    for (const [key, entity] of this.#entities) hash = addHash(hash, hashOf(key, entity));
    return hash;
  }

  #applyOp(op: SingleOp, stamp: Stamp): void {
    let entity = this.#entities.get(op.pk);
    if (op.type === 'put') {
      entity ??= this.#create(op.pk);
      if (compareStamps(stamp, entity.put) < 0) return;
      entity.put = stamp;
      entity.base = new Map(
        [...this.#defaults].map(([name, otherwise]) => [name, op.fields[name] === undefined ? otherwise : op.fields[name]]),
      );
      for (const [name, register] of [...entity.registers]) if (compareStamps(register.stamp, stamp) <= 0) entity.registers.delete(name);
    } else if (op.type === 'delete') {
      entity ??= this.#create(op.pk);
      if (compareStamps(stamp, entity.delete) > 0) entity.delete = stamp;
    } else if (op.type === 'patch' && entity !== undefined && isLive(entity) && compareStamps(stamp, entity.put) >= 0) {
      for (const [name, value] of Object.entries(op.fields)) {
        if (compareStamps(stamp, entity.registers.get(name)?.stamp) >= 0) entity.registers.set(name, { stamp, value });
      }
    } else if (op.type === 'vector' && entity !== undefined && isLive(entity) && compareStamps(stamp, entity.put) >= 0) {
      if (compareStamps(stamp, entity.registers.get(op.field)?.stamp) >= 0) {
        const origin = originText(op.model, op.sourceHash);
        entity.registers.set(op.field, { stamp, value: op.vector, origin });
      }
    }
    if (entity !== undefined && !isLive(entity)) entity.registers.clear();
  }

  #collect({ floor, expiredBefore = 0 as Timestamp }: GcRecord): void {
    for (const [key, entity] of [...this.#entities]) {
      if (isLive(entity) ? entity.put!.hlc < expiredBefore : entity.delete!.hlc < floor) this.#entities.delete(key);
    }
  }

  #create(key: PrimaryKey): NaiveEntity {
    const entity: NaiveEntity = { put: undefined, delete: undefined, base: new Map(), registers: new Map() };
    this.#entities.set(key, entity);
    return entity;
  }
}

/** As a test compares it. */
export function originText(model: string, sourceHash: Uint8Array): string {
  return `${model} ${sourceHash.join(',')}`;
}

function isLive(entity: NaiveEntity): boolean {
  return compareStamps(entity.put, entity.delete) > 0;
}

function counts(entity: NaiveEntity, name: string): boolean {
  const register = entity.registers.get(name);
  return register !== undefined && compareStamps(register.stamp, entity.put) >= 0;
}

/** Canonical: a live row's older delete is not part of it, nor is a register at the put's own stamp an exception. */
function hashOf(key: PrimaryKey, entity: NaiveEntity): Hash64 {
  if (!isLive(entity)) return rowHash(key, { live: false, put: entity.put, delete: entity.delete! });
  const exceptions = new Map(
    [...entity.registers].filter(([, { stamp }]) => compareStamps(stamp, entity.put) > 0).map(([name, { stamp }]) => [name, stamp]),
  );
  return rowHash(key, { live: true, put: entity.put!, exceptions: exceptions.size === 0 ? null : exceptions });
}
