import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import * as chai from 'chai';

/**
 * The three names of vitest that the storage contract uses, for a browser that vitest cannot drive: the suite's own file is bundled with this module in
 * vitest's place and runs in the page. The assertions are vitest's own.
 */
chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = chai.expect;

interface Case {
  readonly name: string;
  readonly body: () => unknown;
}
const cases: Case[] = [];
const path: string[] = [];

export function describe(name: string, body: () => void): void {
  path.push(name);
  body();
  path.pop();
}

export function it(name: string, body: () => unknown): void {
  cases.push({ name: [...path, name].join(' > '), body });
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

/** Runs what was registered, in order, one after the other. */
export async function runAll(): Promise<Outcome> {
  const failures: string[] = [];
  for (const { name, body } of cases) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { passed: cases.length - failures.length, failures };
}
