import { checkWrites, type DeviceEnd, notConverged } from './checkers/end.ts';
import { Cluster } from './cluster.ts';
import { Device } from './device.ts';
import { WIDER_SCHEMA } from './schemas.ts';
import { Workload } from './workload.ts';
import { World, type WorldOptions } from './world.ts';

/** Virtual time in which faults happen. */
const FAULTY_MS = 40_000;
/** After healing everything must have converged within this: the longest reconnect (120 s), a token retry, a time-out of each kind. */
const HEALED_MS = 300_000;
const HEAL_STEP_MS = 2_000;
/** Some times what a run takes: more is a loop that gets nowhere. */
const MAX_EVENTS = 120_000;

export interface RunResult {
  readonly seed: number;
  /** Empty: every check held. */
  readonly failures: readonly string[];
  readonly traceHash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly events: number;
  readonly lines: readonly string[] | undefined;
}

/** One run from one seed: faults and safety first, then healing and liveness. */
export function runSeed(seed: number, options: WorldOptions = {}): RunResult {
  const world = new World(seed, options);
  const { ledger, queue, swarm } = world;
  try {
    simulate(world);
  } catch (error) {
    ledger.fail('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  world.trace(`${swarm.devices} devices, failures ${ledger.failures.length}`);
  return { seed, failures: ledger.failures, traceHash: world.traceHash, counts: ledger.counts, events: queue.ran, lines: world.lines };
}

function simulate(world: World): void {
  const { random, swarm, queue, ledger } = world;
  queue.maxEvents = MAX_EVENTS;
  const channels = Array.from({ length: swarm.channels }, (_, index) => `c/p${index}/0`);
  const cluster = new Cluster(world, channels);
  const devices = Array.from({ length: swarm.devices }, (_, index) => {
    const subset = random.chance(0.5) ? channels : random.shuffle(channels).slice(0, 1 + random.int(channels.length));
    return new Device(world, cluster, `d${index}`, subset);
  });
  for (const device of devices) for (let tab = 1 + random.int(swarm.maxTabs); tab > 0; tab--) device.openTab();
  new Workload(world, cluster, devices).run(FAULTY_MS);
  queue.runUntil(FAULTY_MS);

  heal(world, cluster, devices);
  let problems: readonly string[] = [];
  for (let waited = 0; waited < HEALED_MS; waited += HEAL_STEP_MS) {
    queue.runUntil(queue.nowMs + HEAL_STEP_MS);
    problems = notConverged(ledger, ends(devices));
    if (problems.length === 0 || ledger.failures.length > 0) break;
  }
  for (const problem of problems) ledger.failures.push(problem);
  if (problems.length > 0) return;
  checkWrites(ledger, ends(devices));
  checkLateJoiner(world, cluster);
}

function heal(world: World, cluster: Cluster, devices: readonly Device[]): void {
  const { swarm } = world;
  world.hasFaults = false;
  world.trace('heal');
  cluster.heal();
  cluster.schemaVersion = 2;
  for (const device of devices) {
    device.isOffline = false;
    for (const tab of device.tabs) tab.thaw();
    for (const channel of device.channels) device.follow(channel);
    if (swarm.faults.has('schema-conflict')) device.rollOut(WIDER_SCHEMA);
    // What is half open would be found by silence; a new connection also lets the hashes be compared (R13).
    device.leader?.breakSocket();
    for (const channel of device.channels) device.leader?.event({ type: 'retry-denied', channel });
  }
}

function ends(devices: readonly Device[]): DeviceEnd[] {
  return devices.map((device) => ({
    device: device.name,
    database: device.db.generation,
    unanswered: device.tabs.reduce((sum, tab) => sum + tab.forwarder.unanswered, 0),
    channels: [...device.db.channels.values()].map(({ fold, outbox }) => {
      return { fold, outbox: outbox.size, isGone: device.leader?.statusOf(fold.channel) === 'gone' };
    }),
  }));
}

/** Sealed ∪ growing: a new device opens the newest manifest, reads the tail, and has what everybody has. */
function checkLateJoiner(world: World, cluster: Cluster): void {
  for (const channel of cluster.channels) {
    if (cluster.gone.has(channel)) continue;
    const fold = cluster.newestState(channel);
    const tail = cluster.broker.read(channel, fold.position + 1);
    if (tail === undefined) {
      world.ledger.fail('late-joiner', `${channel}: the tail after ${fold.position} is gone`);
      continue;
    }
    for (const frame of tail) fold.apply(frame);
    const { truth } = world.ledger.channel(channel);
    if (fold.position === truth.position && fold.hash.lo === truth.hash.lo && fold.hash.hi === truth.hash.hi) continue;
    world.ledger.fail('late-joiner', `${channel}: position ${fold.position} of ${truth.position}`);
  }
}
