import { writeFileSync } from 'node:fs';

/** A vitest reporter: writes `[{ file, title, reason }]` of tests that were not run to SKIPPED_TESTS_FILE. The JSON reporter leaves the reasons out. */
export default class SkipReporter {
  onTestRunEnd(modules) {
    const skipped = [];
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        skipped.push({ file: module.relativeModuleId ?? module.moduleId, title: test.fullName, reason: test.result().note });
      }
    }
    if (process.env.SKIPPED_TESTS_FILE !== undefined) writeFileSync(process.env.SKIPPED_TESTS_FILE, JSON.stringify(skipped));
  }
}
