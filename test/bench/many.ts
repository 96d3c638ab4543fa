import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { CanaryStatus, Phase } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { releaseId } from '../../domain/release.js';
import { fakeRollouts } from './fake-rollouts.js';
import { quantile, seconds } from './figures.js';
import { accountOf, type Account, type Tick } from './history.js';
import {
  canaryOf,
  deploymentOf,
  imageOf,
  nameOf,
  namespace,
  surroundingsFor,
} from './many-objects.js';
import { callsBetween, callsOf, callsText, type Calls } from './api-calls.js';
import { coresBetween, descendant, usageOf, type Usage } from './processes.js';
import { sight, type Sightings } from './sightings.js';
import { onStage, type Stage } from './stage.js';

const quietMs = 5_000;
const sampleMs = 25_000;
/** How long the releases may take; what has not ended by then is counted as it is. */
const limitMs = 180_000;
/** The same for the set-up of each canary, which is not what is measured. */
const setUpLimitMs = 600;

const programs = {
  worker: /worker\.mjs/,
  server: /temporal server start-dev/,
  apiServer: /kube-apiserver/,
  etcd: /control-plane etcd/,
  nodeAgent: /nodeAgent\.mjs/,
} as const;

/** Flagger 1.44 with so many canaries on a machine like this. */
const flagger: Readonly<Record<number, string>> = {
  100: 'p99 0.18 s late, 0.1 core, 78 MB, a release takes 92.8 s',
  300: '20 s late on every step, a release takes 278 s; limits raised: p99 2.5 s, 0.14 core, 97 MB, 100 s',
};

/**
 * Many canaries in analysis at once. The API server, Temporal, Prometheus and the worker are real;
 * pods are not: the controllers are stopped, and the bench writes the status of Deployments.
 */
export async function benchMany(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      canaries: { type: 'string', default: '100,300,1000' },
      weights: { type: 'string', default: '5' },
      spread: { type: 'string', default: '10' },
    },
  });
  const [weights = 0] = naturals('--weights', values.weights);
  const [spread = 0] = naturals('--spread', values.spread);
  for (const count of naturals('--canaries', values.canaries)) {
    await onStage(
      {
        name: 'bench-many',
        parts: ['prometheus', 'temporal', 'worker'],
        images: [fileURLToPath(new URL('./images.json', import.meta.url))],
        signal,
      },
      (stage) => benchSome(stage, { count, weights, spread }, signal),
    );
  }
}

/** Numbers from 1 behind an option, separated by commas. */
function naturals(option: string, text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number >= 1)) return numbers;
  throw new Error(`${option} ${text}: must be whole numbers from 1`);
}

/** What is measured. */
interface Crowd {
  /** How many canaries. */
  readonly count: number;
  /** How many steps each goes up. */
  readonly weights: number;
  /** Seconds over which their targets are changed. */
  readonly spread: number;
}

async function benchSome(stage: Stage, crowd: Crowd, signal: AbortSignal): Promise<void> {
  const { count } = crowd;
  const { kube, sandbox } = stage;
  for (const object of surroundingsFor(count)) await kube.create(object);
  await sleep(3_000, undefined, { signal });
  await sandbox.exec('kill -STOP $(cat /run/sluice/pids/kube-controller-manager)');
  const stopFaking = await fakeRollouts(kube);
  const canaries = await sight<CanaryObject>(kube, {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    namespace,
  });
  try {
    const names = Array.from({ length: count }, (_, index) => nameOf(index + 1));
    const setUp = Date.now();
    await initialise(stage, canaries, { ...crowd, names }, signal);
    console.log(`${count} canaries initialised in ${seconds(Date.now() - setUp)}`);
    await sleep(quietMs, undefined, { signal });
    const measured = await releaseAll(stage, canaries, { ...crowd, names }, signal);
    const accounts = await readAccounts(stage, names);
    print(crowd, measured, accounts);
  } finally {
    canaries.stop();
    stopFaking();
  }
}

interface CanaryObject extends KubeObject {
  readonly status?: CanaryStatus;
}

type Program = keyof typeof programs | 'bench';

interface Measured {
  readonly usage: Readonly<Record<Program, readonly [before: Usage, after: Usage]>>;
  /** Of the API server, by verb and resource, from the first change to the last end. */
  readonly calls: Calls;
  readonly load: number;
  readonly promoted: number;
}

async function initialise(
  { kube }: Stage,
  canaries: Sightings<CanaryObject>,
  { names, weights }: Crowd & Named,
  signal: AbortSignal,
): Promise<void> {
  const steps = Array.from({ length: weights }, (_, index) => ((index + 1) * 50) / weights);
  for (const name of names) {
    await kube.create(deploymentOf(name));
    await kube.create(canaryOf(name, steps.map(Math.ceil)));
  }
  const limit = Math.max(limitMs, names.length * setUpLimitMs);
  if (!(await untilAll(canaries, names, { phases: ['Initialized'], limit, signal }))) {
    throw new Error(`${names.length} canaries were not initialised within ${limit / 1_000} s`);
  }
}

interface Named {
  readonly names: readonly string[];
}

/** Patches all targets, evenly over some seconds, and watches the processes at the height of it. */
async function releaseAll(
  { kube, sandbox }: Stage,
  canaries: Sightings<CanaryObject>,
  { names, spread }: Crowd & Named,
  signal: AbortSignal,
): Promise<Measured> {
  const pids: (readonly [string, number])[] = [
    ...Object.entries(programs).map(
      ([name, command]) => [name, descendant(sandbox.process, command)] as const,
    ),
    ['bench', process.pid],
  ];
  const callsBefore = await callsOf(kube);
  const usages = (): Usage[] => pids.map(([, pid]) => usageOf(pid));
  const change = {
    spec: {
      template: {
        spec: {
          containers: [{ name: 'app', image: imageOf(2), ports: [{ containerPort: 8080 }] }],
        },
      },
    },
  };
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace };
  await Promise.all(
    names.map(async (name, index) => {
      await sleep((index * spread * 1_000) / names.length, undefined, { signal });
      await kube.patch({ ...ref, name }, change);
    }),
  );
  await sleep(quietMs, undefined, { signal });
  const before = usages();
  await sleep(sampleMs, undefined, { signal });
  const after = usages();
  const load = loadavg()[0] ?? 0;
  await untilAll(canaries, names, { phases: ['Succeeded', 'Failed'], limit: limitMs, signal });
  const usage = Object.fromEntries(
    pids.map(([name], index) => [name, [before[index], after[index]]]),
  ) as unknown as Measured['usage'];
  const calls = callsBetween(callsBefore, await callsOf(kube));
  const phases = phasesOf(canaries);
  const promoted = names.filter((name) => phases.get(name) === 'Succeeded').length;
  return { usage, calls, load, promoted };
}

/** Waits for all canaries to reach one of the phases; false when that took too long. */
async function untilAll(
  canaries: Sightings<CanaryObject>,
  names: readonly string[],
  wait: {
    readonly phases: readonly Phase[];
    /** Milliseconds. */
    readonly limit: number;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  const { phases, limit, signal } = wait;
  const end = Date.now() + limit;
  for (;;) {
    const now = phasesOf(canaries);
    if (names.every((name) => phases.includes(now.get(name) ?? ''))) return true;
    if (Date.now() > end) return false;
    await sleep(500, undefined, { signal });
  }
}

/** The phase of each canary, as last seen. */
function phasesOf({ all }: Sightings<CanaryObject>): ReadonlyMap<string, Phase> {
  return new Map(all.map(({ object }) => [object.metadata.name, object.status?.phase ?? '']));
}

/** The newest run of each canary, some at a time. */
async function readAccounts({ temporal }: Stage, names: readonly string[]): Promise<Account[]> {
  const left = [...names];
  const accounts: Account[] = [];
  const read = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      accounts.push(await accountOf(temporal, releaseId({ cluster: 'default', namespace, name })));
    }
  };
  await Promise.all(Array.from({ length: 8 }, read));
  return accounts;
}

function print(
  { count, weights, spread }: Crowd,
  { usage, calls, load, promoted }: Measured,
  accounts: Account[],
): void {
  const ticks = accounts.flatMap((account) => account.ticks);
  const late = ticks.map(({ lateMs }) => lateMs);
  const together = togetherOf(accounts).map(({ lateMs }) => lateMs);
  const took = accounts.flatMap(({ started, closed }) =>
    closed === undefined ? [] : [closed - started],
  );
  const eventsOf = (pick: (tick: (typeof ticks)[number]) => number | undefined): string =>
    String(
      quantile(
        ticks.map(pick).filter((value) => value !== undefined),
        0.5,
      ),
    );
  const lateBy = (number: number): string =>
    seconds(
      quantile(
        accounts.map(({ ticks: own }) => own[number]?.lateMs ?? 0),
        0.99,
      ),
    );
  const used = (name: Program): string => {
    const [before, after] = usage[name];
    return `${coresBetween(before, after).toFixed(2)} cores, ${after.rssMb.toFixed(0)} MB`;
  };
  console.log(`
${count} canaries, ${weights} weights, interval 10 s, changed within ${spread} s (load average ${load.toFixed(1)})
  promoted              ${promoted} of ${count}; a release takes ${seconds(quantile(took, 0.5))} (p50), ${seconds(quantile(took, 0.99))} (p99)
  checks late by        p50 ${seconds(quantile(late, 0.5))}, p99 ${seconds(quantile(late, 0.99))}, at most ${seconds(quantile(late, 1))} (${late.length} checks)
    while all analyse   ${together.length === 0 ? 'never at once' : `p50 ${seconds(quantile(together, 0.5))}, p99 ${seconds(quantile(together, 0.99))} (${together.length} checks)`}
    p99 of each         ${Array.from({ length: weights }, (_, number) => lateBy(number)).join(', ')}
  worker                ${used('worker')}
  Temporal              ${used('server')}
  API server            ${used('apiServer')}
  etcd, node agent      ${used('etcd')}; ${used('nodeAgent')}
  the bench itself      ${used('bench')}
  API calls a release   ${callsText(calls, count)}
  history per tick      ${eventsOf((tick) => tick.eventsOfCheck)} events; ${eventsOf((tick) => tick.events)} when the weight changes
  Flagger 1.44          ${flagger[count] ?? 'not measured'}
`);
}

/** The checks between the last beginning of an analysis and the first end of one. */
function togetherOf(accounts: readonly Account[]): readonly Tick[] {
  const dues = accounts.map(({ ticks }) => ticks.map(({ due }) => due));
  const begun = Math.max(...dues.map(([first = Infinity]) => first));
  const ended = Math.min(...dues.map((own) => own.at(-1) ?? -Infinity));
  return accounts.flatMap(({ ticks }) => ticks.filter(({ due }) => due >= begun && due <= ended));
}
