/**
 * Completes package-lock.json after `npm install` on a registry mirror that lacks binaries for other platforms: npm then leaves their entries out, and
 * `npm ci` refuses the file. The entries added here name what the depending package asks for; npm fetches them only on their own platform.
 *   node scripts/complete-lock.mjs [folder]        (the repository's own, or packages/bench/peers)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OPERATING_SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'wasi', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const path = join(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)), 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = [`${place}/node_modules/${name}`, `node_modules/${name}`].some((candidate) => lock.packages[candidate] !== undefined);
    if (found || place === '') continue;
    const words = name.split(/[/-]/);
    const os = OPERATING_SYSTEMS.filter((word) => words.includes(word));
    const cpu = PROCESSORS.filter((word) => words.includes(word));
    const libc = words.includes('musl') ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : undefined;
    // Without a platform in its name, npm would try to fetch it everywhere.
    if (os.length === 0 && cpu.length === 0)
      throw new Error(`${place}: ${name}@${version} is missing from the lock file and names no platform`);
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 ? { cpu } : {}),
      dev: true,
      ...(libc === undefined ? {} : { libc }),
      ...(entry.license === undefined ? {} : { license: entry.license }),
      optional: true,
      ...(os.length > 0 ? { os } : {}),
    };
    added += 1;
    console.log(`added ${name}@${version}: ${os} ${cpu} ${libc ?? ''}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
