import { DbError } from '@terndb/core';
import type { EnginePorts } from '../database/types.ts';

/** Counts calls to the stores, and after the given one the process is dead: nothing has an effect any more and every call rejects. */
export class PowerCut {
  calls = 0;
  readonly #at: number;
  readonly #applied: boolean;

  /** `at`: the call that fails, from 1; `applied`: it still has its effect, only the answer never comes. */
  constructor(at: number, applied: boolean) {
    this.#at = at;
    this.#applied = applied;
  }

  get happened(): boolean {
    return this.calls >= this.#at;
  }

  async run<T>(name: string, effect: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls < this.#at) return effect();
    if (this.calls === this.#at && this.#applied) await effect();
    throw new DbError('STORAGE_UNAVAILABLE', `${name}: power cut (planned by a test)`);
  }
}

/** The same stores behind a cut; what was stored stays in `ports` and can be opened again. */
export function cutPorts<P extends EnginePorts>(ports: P, cut: PowerCut): P {
  const wrap = <S extends object>(store: S): S =>
    new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => cut.run(String(name), () => member.apply(target, args) as Promise<unknown>);
      },
    });
  return { ...ports, log: wrap(ports.log), meta: wrap(ports.meta), objects: wrap(ports.objects) };
}
