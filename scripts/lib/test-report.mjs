/**
 * What a run of `npm test` showed, for people: `test-results/report.md` after every run, `docs/test-report.md` after a whole one that was told to
 * write it. Reads what the runners left in `test-results` and `coverage`; decides nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, totalmem, type } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pinnedNode, root } from './run.mjs';

/** What each step proves. A step that is not here fails the report: somebody has to say what it is for. */
export const STEPS = {
  format: 'Every file is formatted as the formatter would.',
  lint: 'The linters have nothing to say: typed rules, clocks and randomness only in adapters.',
  types: 'Every project of the repository type-checks, tests included.',
  arrows: 'Packages and folders see only what they may; nothing is imported in a circle.',
  'dead-code': 'No export, file or dependency is unused.',
  unit: 'Behaviour, properties, contracts, formats and simulated clusters in Node; servers as processes, killed, restarted, upgraded, and under every pair of settings.',
  browser: 'Storage, workers and the client in real Chromium.',
  s3: "Objects in a real S3 gateway (Ceph's), killed and started again; a server on it.",
  packages: 'Packages build, have the right shape, and hold what their surface promises.',
  size: 'What a page loads stays within its limits.',
  bench: 'Every benchmark still runs, on tiny inputs.',
  playwright: 'The built demo in Chromium and Firefox: many tabs, kill, offline, upgrades, several browsers at one server.',
};

const NO_REASON = 'no reason given';

/** Tests that were not run, with the reason that they gave: of a file that `skip-reporter.mjs` wrote, or of Playwright's JSON. */
export function skippedTests(file, kind) {
  if (!existsSync(file)) return [];
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (kind === 'playwright') return report.suites.flatMap((suite) => skippedSpecs(suite));
  return report.map(({ file: path, title, reason }) => ({ file: relative(root, resolve(root, path)), title, reason: reason ?? NO_REASON }));
}

function skippedSpecs({ specs = [], suites = [] }) {
  const own = specs.flatMap(({ title, file, tests }) =>
    tests
      .filter(({ status }) => status === 'skipped')
      .map(({ projectName, annotations }) => {
        const reason = annotations.find(({ type }) => type === 'skip')?.description;
        return { file: `playwright: ${file} (${projectName})`, title, reason: reason ?? NO_REASON };
      }),
  );
  return [...own, ...suites.flatMap(skippedSpecs)];
}

/** First line of what `command` says about itself; undefined when it is not on this machine. */
function versionOf(command, args = ['--version']) {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  if (error !== undefined) return undefined;
  const line = `${stdout}\n${stderr}`.split('\n').find((text) => /\d+\.\d+/.test(text));
  return line?.trim();
}

const packageVersion = (name) => JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;

function debianVersion() {
  if (!existsSync('/etc/os-release')) return type();
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? type();
}

function versions({ chromium, firefox }) {
  const found = [
    ['Node', versionOf(pinnedNode())],
    ['Chromium', chromium && versionOf(chromium)],
    ['Firefox', firefox && versionOf(firefox)],
    ['nginx', versionOf('nginx', ['-v'])],
    ['Caddy', versionOf('caddy', ['version'])],
    ['Ceph', versionOf('ceph')],
    ['vitest', packageVersion('vitest')],
    ['Playwright', packageVersion('@playwright/test')],
    ['fast-check', packageVersion('fast-check')],
  ];
  return found.map(([what, version]) => `| ${what} | ${cell(version ?? 'not on this machine, or not used')} |`);
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const minutes = (seconds) => (seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`);
const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';

function coverage() {
  const file = join(root, 'coverage', 'coverage-summary.json');
  if (!existsSync(file)) return ['Not measured in this run.'];
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const row = (name, { lines, functions, branches }) =>
    `| ${name} | ${lines.pct} % of ${lines.total} | ${functions.pct} % | ${branches.pct} % |`;
  const packages = new Map();
  for (const [path, { lines, functions, branches }] of Object.entries(report)) {
    const name = /packages\/[^/]+/.exec(path)?.[0];
    if (path === 'total' || name === undefined) continue;
    const sums = packages.get(name) ?? { lines: [0, 0], functions: [0, 0], branches: [0, 0] };
    for (const [key, of] of Object.entries({ lines, functions, branches })) {
      sums[key][0] += of.total;
      sums[key][1] += of.covered;
    }
    packages.set(name, sums);
  }
  const share = ([total, covered]) => ({ total, pct: total === 0 ? 100 : Math.round((covered / total) * 10_000) / 100 });
  const rows = [...packages]
    .sort()
    .map(([name, sums]) => row(name, { lines: share(sums.lines), functions: share(sums.functions), branches: share(sums.branches) }));
  return [
    'Of the sources that run in Node and in browsers alike, by the tests of Node alone.',
    '',
    '| | Lines | Functions | Branches |',
    '|---|---|---|---|',
    ...rows,
    row('together', report.total),
  ];
}

/** `check-size.mjs` prints one line a file. */
function sizes(step) {
  const found = [...(step?.output ?? '').matchAll(/^(ok|TOO LARGE): (.*) (\d+) bytes gzip, at most (\d+)$/gm)];
  if (found.length === 0) return ['Not measured in this run.'];
  const rows = found.map(([, , what, bytes, most]) => `| ${what} | ${bytes} | ${most} | ${Math.round((bytes / most) * 100)} % |`);
  return ['| What | Bytes, gzip | Limit | |', '|---|---|---|---|', ...rows];
}

function seeds() {
  const fromFile = /DEFAULT_SEED = (\d+)/.exec(readFileSync(join(root, 'scripts', 'fast-check-seed.mjs'), 'utf8'))?.[1];
  const simulated = /SIM_SEEDS'\] \?\? (\d+)/.exec(readFileSync(join(root, 'packages/sim/src/run-seed.test.ts'), 'utf8'))?.[1];
  const first = process.env.SIM_SEED ?? 1;
  return [
    `- Properties (fast-check): seed ${process.env.FC_SEED ?? fromFile}; \`FC_SEED=…\` looks elsewhere.`,
    `- Simulated clusters: ${process.env.SIM_SEEDS ?? simulated} seeds from ${first}; \`npm run sim\` runs many more.`,
  ];
}

/**
 * @param run `steps` in order: `{ name, ok, seconds, passed, failed, skipped, note, output }`; what it was run with; how long it all took.
 * @returns Markdown.
 */
export function renderReport({ steps, chromium, firefox, seconds, passed, failed }) {
  const unknown = steps.find(({ name }) => STEPS[name] === undefined);
  if (unknown !== undefined) throw new Error(`step ${unknown.name}: scripts/lib/test-report.mjs does not say what it proves`);
  const skipped = steps.flatMap((step) => step.skipped);
  const others = Object.keys(STEPS).filter((name) => !steps.some((step) => step.name === name));
  const left = steps.filter(({ note = '' }) => note.startsWith('left out'));
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes';
  const rows = steps.map(({ name, ok, seconds: took, passed: good, failed: bad, skipped: not }) => {
    const counts = good + bad === 0 ? '– | – | –' : `${good} | ${bad} | ${not.length}`;
    return `| ${name} | ${STEPS[name]} | ${ok ? 'ok' : '**failed**'} | ${counts} | ${minutes(took)} |`;
  });
  return `${[
    '# Test report',
    '',
    '<!-- Written by `npm test -- --write-report`. Not to be edited by hand. -->',
    '',
    `**${passed} passed, ${failed} failed, ${skipped.length} skipped**, in ${minutes(seconds)}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    `Commit ${git('rev-parse', '--short', 'HEAD')}${changed}. ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${debianVersion()} (${arch()}).`,
    'A step without tests of its own counts as one.',
    '',
    '## Steps',
    '',
    '| Step | What it proves | | Passed | Failed | Skipped | Time |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Not run here',
    '',
    ...(skipped.length + left.length + others.length === 0 ? ['Nothing was skipped.'] : []),
    ...(others.length === 0 ? [] : [`- Steps that were not asked for: ${others.join(', ')}.`]),
    ...left.map(({ name, note }) => `- Step ${name}: ${note}`),
    ...skipped.map(({ file, title, reason }) => `- ${file}, “${title}”: ${reason}`),
    '',
    '## Seeds',
    '',
    ...seeds(),
    '',
    '## Coverage',
    '',
    ...coverage(),
    '',
    '## Sizes',
    '',
    ...sizes(steps.find(({ name }) => name === 'size')),
    '',
    '## Versions',
    '',
    '| | |',
    '|---|---|',
    ...versions({ chromium, firefox }),
  ].join('\n')}\n`;
}
