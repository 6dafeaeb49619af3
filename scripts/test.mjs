/**
 * `npm test`: everything that must pass, on a machine that has only Node, npm and git. Installs what is missing first.
 * Every step prints one line; a failed one prints what it said. The last line is `N passed, N failed`.
 *   npm test -- unit lint        only these steps
 *   npm test -- --write-report   the whole, and what it showed as docs/test-report.md (always: test-results/report.md)
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pinnedNode, root, run } from './lib/run.mjs';
import { buildDemo, buildKernel, checkNode, ensureChromium, ensureFirefox, installPackages, SetupError } from './lib/setup.mjs';
import { renderReport, STEPS, skippedTests } from './lib/test-report.mjs';

const results = join(root, 'test-results');
const MIN_LINE_COVERAGE_PERCENT = 80;
/** A hung step must not hold CI: each has this long. */
const STEP_TIMEOUT_MS = 15 * 60_000;

/** What scripts/test-s3.mjs ends with when this machine has no gateway and may not install one. */
const EXIT_NO_GATEWAY = 75;

/** Lines of the runners that tell of tests that passed or were skipped. */
const PASSING = /^\s*(?:[✓↓]|ok\s+\d+|-\s+\d+)\s/u;
/** Enough for several failed tests with their stacks. */
const FAILURE_LINES = 120;

let passed = 0;
let failed = 0;
const failures = [];
/** For the report. */
const steps = [];

/** Counts of a vitest or Playwright JSON report; a report that holds no test is a failure. */
function countsOf(file, kind) {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (kind === 'playwright') {
    const { expected, unexpected, flaky, skipped } = report.stats;
    return { passed: expected, failed: unexpected + flaky + (process.env.CI ? skipped : 0) + (expected === 0 ? 1 : 0) };
  }
  return { passed: report.numPassedTests, failed: report.numFailedTests + (report.numPassedTests === 0 ? 1 : 0) };
}

/** Of what a runner said, the part that says what is wrong: hundreds of passing tests would hide it. */
function whatFailed(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !PASSING.test(line));
  return lines.slice(-FAILURE_LINES).join('\n');
}

async function step(name, work) {
  if (only.length > 0 && !only.includes(name)) return;
  const start = Date.now();
  const outcome = await work();
  const seconds = (Date.now() - start) / 1000;
  const ok = outcome.code === 0 && (outcome.failed ?? 0) === 0;
  // A step that has no tests of its own counts as one; a runner that fails although its tests pass counts as a failure.
  const counts = { passed: outcome.passed ?? (ok ? 1 : 0), failed: outcome.failed > 0 ? outcome.failed : ok ? 0 : 1 };
  passed += counts.passed;
  failed += counts.failed;
  const { note, output, skipped = [] } = outcome;
  steps.push({ name, ok, seconds, ...counts, skipped, note, output });
  const left = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)${note ? `: ${note}${left}` : ''}`);
  if (!ok) {
    failures.push(name);
    console.log(whatFailed(outcome.output));
  }
}

const command = (name, args, options = {}) => run(name, args, { quiet: true, timeoutMs: STEP_TIMEOUT_MS, ...options });

/** Where the runner of a step says what it did not run. */
const skippedFile = (name) => join(results, `${name}-skipped.json`);

async function vitest(project, extra = []) {
  const file = join(results, `${project}.json`);
  for (const old of [file, skippedFile(project)]) rmSync(old, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`, '--reporter=./scripts/lib/skip-reporter.mjs'];
  const outcome = await command('npx', ['vitest', 'run', '--project', project, ...reporters, ...extra], {
    env: { SKIPPED_TESTS_FILE: skippedFile(project) },
  });
  const counts = countsOf(file, 'vitest');
  const skipped = skippedTests(skippedFile(project), 'vitest');
  return { ...outcome, ...counts, skipped, note: `${counts.passed} passed, ${counts.failed} failed` };
}

async function unit() {
  // By itself it would leave a core of two to nobody.
  const outcome = await vitest('unit', ['--coverage', '--maxWorkers=100%']);
  const summary = join(root, 'coverage', 'coverage-summary.json');
  if (!existsSync(summary)) return { ...outcome, code: 1, output: `${outcome.output}\nno coverage report` };
  const percent = JSON.parse(readFileSync(summary, 'utf8')).total.lines.pct;
  const enough = percent >= MIN_LINE_COVERAGE_PERCENT;
  return {
    ...outcome,
    code: outcome.code === 0 && !enough ? 1 : outcome.code,
    output: enough ? outcome.output : `${outcome.output}\nline coverage ${percent} % is below ${MIN_LINE_COVERAGE_PERCENT} %`,
    note: `${outcome.note}; lines covered ${percent} %`,
  };
}

async function types() {
  const projects = [
    'packages/core',
    'packages/kernel',
    'packages/engine',
    'packages/sync',
    'packages/sim',
    'packages/client',
    'packages/embed',
    'packages/model-mini',
    'packages/react',
    'packages/bench',
    'server',
    'web-demo',
    'playwright',
    'examples/change-feed',
    '.',
  ]
    .map((folder) => join(folder, 'tsconfig.json'))
    .filter((path) => existsSync(join(root, path)));
  let output = '';
  let code = 0;
  for (let i = 0; i < projects.length; i += 2) {
    for (const outcome of await Promise.all(projects.slice(i, i + 2).map((project) => command('npx', ['tsc', '-p', project])))) {
      output += outcome.output;
      code ||= outcome.code;
    }
  }
  return { code, output, note: `${projects.length} projects` };
}

async function browserEngines(chromium, firefox) {
  const file = join(results, 'playwright.json');
  rmSync(file, { force: true });
  const outcome = await command('npx', ['playwright', 'test', '--config', 'playwright/playwright.config.ts'], {
    env: {
      TERNDB_CHROMIUM: chromium,
      TERNDB_FIREFOX: firefox,
      PLAYWRIGHT_JSON_OUTPUT_FILE: file,
      NODE_OPTIONS: '--conditions=@terndb/source',
    },
  });
  const counts = countsOf(file, 'playwright');
  const skipped = skippedTests(file, 'playwright');
  return { ...outcome, ...counts, skipped, note: `${counts.passed} passed, ${counts.failed} failed` };
}

/** Against a real gateway. Where it may not be installed this is left out, but never in CI. */
async function s3() {
  const file = join(results, 's3.json');
  for (const old of [file, skippedFile('s3')]) rmSync(old, { force: true });
  const outcome = await command('node', ['scripts/test-s3.mjs', '--reporter=./scripts/lib/skip-reporter.mjs'], {
    env: { SKIPPED_TESTS_FILE: skippedFile('s3') },
  });
  if (outcome.code === EXIT_NO_GATEWAY && !process.env.CI) {
    return {
      code: 0,
      output: '',
      passed: 0,
      note: `left out: ${outcome.output.split('\n').find((line) => line.startsWith('Missing')) ?? ''}`,
    };
  }
  const counts = countsOf(file, 'vitest');
  const skipped = skippedTests(skippedFile('s3'), 'vitest');
  return { ...outcome, ...counts, skipped, note: `${counts.passed} passed, ${counts.failed} failed` };
}

async function benchTiny() {
  const benches = readdirSync(join(root, 'packages/bench/src')).filter((name) => name.endsWith('.bench.ts'));
  let output = '';
  let code = 0;
  for (const bench of benches) {
    const outcome = await command(pinnedNode(), ['--conditions=@terndb/source', join('packages/bench/src', bench)], {
      env: { BENCH_TINY: '1' },
    });
    output += outcome.output;
    code ||= outcome.code;
  }
  return { code, output, note: `${benches.length} benches, tiny inputs` };
}

/** The committed one is of a whole run: a part of one would say that the rest was not tested. */
function writeReport({ chromium, firefox, seconds }) {
  const text = renderReport({ steps, chromium, firefox, seconds, passed, failed });
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, 'report.md'), text);
  if (isForDocs) writeFileSync(join(root, 'docs', 'test-report.md'), text);
}

const { values, positionals: only } = parseArgs({ options: { 'write-report': { type: 'boolean' } }, allowPositionals: true });
const isForDocs = values['write-report'] === true;
const start = Date.now();
let chromium;
let firefox;
try {
  const unknown = only.filter((name) => STEPS[name] === undefined);
  if (unknown.length > 0) throw new SetupError(`no step named ${unknown.join(', ')}; there are: ${Object.keys(STEPS).join(', ')}`);
  if (isForDocs && only.length > 0) throw new SetupError('--write-report is for a whole run: no names of steps expected');
  checkNode();
  await installPackages();
  mkdirSync(results, { recursive: true });
  await buildKernel();
  chromium = await ensureChromium();
  process.env.TERNDB_CHROMIUM = chromium;
  await step('format', () => command('npx', ['biome', 'ci', '--colors=off', '--max-diagnostics=20', '--diagnostic-level=warn', '.']));
  await step('lint', () => command('npx', ['eslint', '.', '--max-warnings=0']));
  await step('types', types);
  await step('arrows', () =>
    command('npx', ['depcruise', '--config', '.dependency-cruiser.mjs', 'packages', 'server', 'web-demo', 'playwright']),
  );
  await step('dead-code', () => command('npx', ['knip', '--no-config-hints']));
  await step('unit', unit);
  await step('browser', () => vitest('browser'));
  await step('s3', s3);
  await step('packages', () => command('node', ['scripts/build-packages.mjs']));
  await step('size', () => command('node', ['scripts/check-size.mjs']));
  await buildDemo();
  await step('bench', benchTiny);
  if (only.length === 0 || only.includes('playwright')) firefox = await ensureFirefox();
  await step('playwright', () => browserEngines(chromium, firefox));
} catch (error) {
  failed += 1;
  console.error(error instanceof SetupError ? error.message : error);
}
const seconds = (Date.now() - start) / 1000;
try {
  if (steps.length > 0) writeReport({ chromium, firefox, seconds });
} catch (error) {
  failed += 1;
  console.error(error);
}
if (failures.length > 0) console.log(`failed: ${failures.join(', ')}`);
console.log(`all steps took ${seconds.toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
