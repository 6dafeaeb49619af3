/**
 * A real S3 gateway for tests: Ceph's monitor, manager, one storage daemon in memory and its RADOS Gateway, as child processes in a temporary
 * folder on free loopback ports. Nothing of it outlives `stop`.
 */
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './run.mjs';

const COMMAND_TIMEOUT_MS = 60_000;
const READY_TIMEOUT_MS = 120_000;
/** Objects live in memory: more than all tests write together. */
const MEMORY_BYTES = 4 * 2 ** 30;

/** Ports that nobody listens on now, all different because all are held until the last is known. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function configuration(folder, { monitor, monitorV1, gateway }) {
  return `
[global]
fsid = ${randomUUID()}
mon initial members = a
mon host = [v2:127.0.0.1:${monitor},v1:127.0.0.1:${monitorV1}]
public network = 127.0.0.0/8
auth allow insecure global id reclaim = false
keyring = ${folder}/keyring
run dir = ${folder}/run
admin socket = ${folder}/run/$cluster-$name.asok
log file = ${folder}/log/$name.log
mon cluster log file = ${folder}/log/cluster.log
crash dir = ${folder}/crash
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail warn = 1
mon data avail crit = 0
ms bind ipv6 = false
mgr initial modules =
mgr disabled modules = "all"
[mon.a]
mon data = ${folder}/mon
[mgr.x]
mgr data = ${folder}/mgr
[osd.0]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
osd class load list = *
osd class default list = *
[client.rgw.x]
rgw frontends = beast endpoint=127.0.0.1:${gateway} tcp_nodelay=1
rgw dns name = localhost
rgw data = ${folder}/rgw
rgw thread pool size = 32
`;
}

/** Capabilities of each daemon and of us. */
const KEYS = [
  ['mon.', ['mon', 'allow *']],
  ['client.admin', ['mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *']],
  ['mgr.x', ['mon', 'allow *', 'osd', 'allow *']],
  ['osd.0', ['mon', 'allow profile osd', 'mgr', 'allow profile osd', 'osd', 'allow *']],
  ['client.rgw.x', ['mon', 'allow rw', 'osd', 'allow rwx', 'mgr', 'allow rw']],
];

/**
 * @returns where the gateway listens, a key for it, `killGateway` (SIGKILL), `startGateway` (resolves when it answers) and `stop`.
 */
export async function startCeph() {
  const folder = mkdtempSync(join(tmpdir(), 'terndb-ceph-'));
  const children = new Map();
  const stop = async () => {
    for (const name of ['radosgw', 'ceph-osd', 'ceph-mgr', 'ceph-mon']) await end(children.get(name));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const name of ['mon', 'mgr', 'osd', 'run', 'log', 'rgw', 'crash']) mkdirSync(join(folder, name));
    const [monitor, monitorV1, gateway] = await freePorts(3);
    const conf = join(folder, 'ceph.conf');
    writeFileSync(conf, configuration(folder, { monitor, monitorV1, gateway }));

    const command = async (name, args) => {
      const { code, output } = await run(name, args, { quiet: true, timeoutMs: COMMAND_TIMEOUT_MS });
      if (code !== 0) throw new Error(`${name} ${args[0]} …: exit ${code}\n${output.slice(-2000)}`);
      return output;
    };
    const daemon = (name, args) => {
      const child = spawn(name, ['-c', conf, ...args, '-f'], { stdio: ['ignore', 'ignore', 'pipe'] });
      child.said = '';
      child.stderr.setEncoding('utf8').on('data', (chunk) => {
        child.said = (child.said + chunk).slice(-4000);
      });
      child.on('error', (error) => {
        child.said += error.message;
      });
      children.set(name, child);
    };
    const until = async (what, child, ready) => {
      const deadline = Date.now() + READY_TIMEOUT_MS;
      while (!(await ready())) {
        if (ended(child)) throw new Error(`${what}: ended with ${child.exitCode ?? child.signalCode}\n${child.said}\n${logs(folder)}`);
        if (Date.now() > deadline) throw new Error(`${what}: not ready after ${READY_TIMEOUT_MS / 1000} s\n${child.said}\n${logs(folder)}`);
        await sleep(100);
      }
    };

    const keyring = join(folder, 'keyring');
    for (const [index, [name, caps]] of KEYS.entries()) {
      const args = index === 0 ? ['--create-keyring', keyring] : [keyring];
      const pairs = caps.flatMap((cap, at) => (at % 2 === 0 ? ['--cap', cap, caps[at + 1]] : []));
      await command('ceph-authtool', [...args, '--gen-key', '-n', name, ...pairs]);
    }
    const fsid = /fsid = (\S+)/.exec(readFileSync(conf, 'utf8'))[1];
    const map = join(folder, 'monmap');
    const address = `[v2:127.0.0.1:${monitor},v1:127.0.0.1:${monitorV1}]`;
    await command('monmaptool', ['--create', '--clobber', '--fsid', fsid, '--addv', 'a', address, map]);
    await command('ceph-mon', ['-c', conf, '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring]);
    daemon('ceph-mon', ['-i', 'a']);
    const ceph = (args) => command('ceph', ['-c', conf, '--connect-timeout', '30', ...args]);
    await ceph(['osd', 'create']);
    daemon('ceph-mgr', ['-i', 'x']);
    await command('ceph-osd', ['-c', conf, '-i', '0', '--mkfs']);
    await ceph(['osd', 'crush', 'add-bucket', 'h', 'host']);
    await ceph(['osd', 'crush', 'move', 'h', 'root=default']);
    await ceph(['osd', 'crush', 'add', 'osd.0', '1.0', 'host=h']);
    daemon('ceph-osd', ['-i', '0']);
    await until('ceph-osd', children.get('ceph-osd'), async () => /\b1 up\b/.test(await ceph(['osd', 'stat'])));

    const accessKeyId = `test${randomBytes(6).toString('hex')}`;
    const secretAccessKey = randomBytes(20).toString('hex');
    const user = ['--uid=test', '--display-name=test', `--access-key=${accessKeyId}`, `--secret=${secretAccessKey}`];
    await command('radosgw-admin', ['-c', conf, '-n', 'client.rgw.x', 'user', 'create', ...user]);
    const endpoint = `http://127.0.0.1:${gateway}`;
    const startGateway = async () => {
      daemon('radosgw', ['-n', 'client.rgw.x']);
      await until('radosgw', children.get('radosgw'), () =>
        fetch(endpoint).then(
          (response) => response.arrayBuffer().then(() => true),
          () => false,
        ),
      );
    };
    const killGateway = () => end(children.get('radosgw'));
    await startGateway();
    return { endpoint, accessKeyId, secretAccessKey, startGateway, killGateway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const ended = (child) => child.exitCode !== null || child.signalCode !== null;

/** Without mercy: everything is in memory or in a folder that goes next. */
async function end(child) {
  if (child === undefined || child.pid === undefined || ended(child)) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}

function logs(folder) {
  try {
    return readFileSync(join(folder, 'log', 'client.rgw.x.log'), 'utf8').slice(-2000);
  } catch {
    return '';
  }
}
