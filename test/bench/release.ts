import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import type { CanaryStatus } from '../../domain/canary.js';
import type { Deployment, KubeObject } from '../../domain/objects.js';
import { releaseId } from '../../domain/release.js';
import { trafficAt } from '../../sandbox/demo/traffic.js';
import { covered, seconds } from './figures.js';
import { accountOf, type Account } from './history.js';
import { sight, type Sightings } from './sightings.js';
import { onStage, type Stage } from './stage.js';

const canary = { namespace: 'demo', name: 'web' };
const intervalMs = 10_000;
const rollbacks = 3;
const requestsPerSecond = 50;

/** Flagger 1.44 on a machine like this: pods ready at once, five steps, interval 10 s. */
const flagger = { wall: '85.9 s', overhead: '35.9 s', detection: '5.9 s', toSucceeded: '30 s' };

/**
 * One release with five steps, taken apart; then some rollbacks by message. Overhead is the time
 * that neither the analysis interval nor the pods' own start-up accounts for.
 */
export async function benchRelease(args: readonly string[], signal: AbortSignal): Promise<void> {
  if (args.length > 0) throw new Error(`release takes no arguments, not ${args.join(' ')}`);
  const forwards = [{ name: 'load', target: 'load.demo:80', preferredPort: 0 }];
  await onStage({ name: 'bench-release', forwards, signal }, async (stage) => {
    const view = await openView(stage);
    await initialise(stage, view);
    const port = String(stage.sandbox.ports['load']);
    await trafficAt(`http://127.0.0.1:${port}`).send(requestsPerSecond);
    await sleep(3_000, undefined, { signal });
    await promoteOne(stage, view);
    for (let round = 1; round <= rollbacks; round += 1) await rollBackOne(stage, view, round);
  });
}

interface CanaryObject extends KubeObject {
  readonly status?: CanaryStatus;
}

interface HttpProxy extends KubeObject {
  readonly spec?: {
    readonly routes?: readonly {
      readonly services?: readonly { readonly name: string; readonly weight?: number }[];
    }[];
  };
}

interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What happens to the canary, as watches tell it. */
interface View {
  readonly canaries: Sightings<CanaryObject>;
  readonly deployments: Sightings<Deployment>;
  readonly proxies: Sightings<HttpProxy>;
  readonly pods: Sightings<Pod>;
}

async function openView({ kube }: Stage): Promise<View> {
  const { namespace } = canary;
  return {
    canaries: await sight(kube, { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace }),
    deployments: await sight(kube, { apiVersion: 'apps/v1', kind: 'Deployment', namespace }),
    proxies: await sight(kube, {
      apiVersion: 'projectcontour.io/v1',
      kind: 'HTTPProxy',
      namespace,
    }),
    pods: await sight(kube, { apiVersion: 'v1', kind: 'Pod', namespace }),
  };
}

async function initialise({ kube }: Stage, { canaries }: View): Promise<void> {
  const file = new URL('../../sandbox/demo/canary.yaml', import.meta.url);
  await kube.create(load(readFileSync(file, 'utf8')) as KubeObject);
  await canaries.first(0, ({ status }) => status?.phase === 'Initialized');
}

async function promoteOne({ kube, temporal }: Stage, view: View): Promise<void> {
  const patched = await release({ kube }, '2.0.0');
  const scaled = await view.deployments.first(
    patched,
    isTargetWith((replicas) => replicas > 0),
  );
  const ended = await view.canaries.first(
    patched,
    ({ status }) => status?.phase === 'Succeeded',
    180_000,
  );
  await sleep(1_000);
  const account = await accountOf(temporal, releaseId({ cluster: 'default', ...canary }));
  printDeeds(account, patched);

  const checks = account.deeds.filter(({ name }) => name === 'check');
  const wall = ended.at - patched;
  const startUp = covered(startUps(view.pods, patched));
  const overhead = wall - account.ticks.length * intervalMs - startUp;
  const scaleUp = account.deeds.find(({ name }) => name === 'scaleUp');
  const lastStep = checks.at(-1)?.completed ?? NaN;
  console.log(`
a promoted release of five steps at 10 s (load average ${(loadavg()[0] ?? 0).toFixed(1)})     Flagger 1.44
  wall time                             ${seconds(wall).padStart(8)}    ${flagger.wall}
  checks × interval                     ${`${account.ticks.length} × 10 s`.padStart(8)}
  pods' own start-up                    ${seconds(startUp).padStart(8)}
  overhead                              ${seconds(overhead).padStart(8)}    ${flagger.overhead}
  detection: patch → scale-up scheduled ${seconds((scaleUp?.scheduled ?? NaN) - patched).padStart(8)}
             patch → replicas > 0       ${seconds(scaled.at - patched).padStart(8)}    ${flagger.detection}
  last check → Succeeded                ${seconds(ended.at - lastStep).padStart(8)}    ${flagger.toSucceeded}
`);
}

async function rollBackOne({ kube, sluice }: Stage, view: View, round: number): Promise<void> {
  const patched = await release({ kube }, `3.0.${String(round)}`);
  await view.proxies.first(patched, ({ spec }) => canaryWeight(spec) > 0, 30_000);
  await sleep(1_000);
  const sent = Date.now();
  await sluice.order(canary, 'rollback', { actor: 'bench' });
  const answered = Date.now();
  const routed = await view.proxies.first(sent, isAllOnPrimary);
  const stopped = await view.deployments.first(
    sent,
    isTargetWith((replicas) => replicas === 0),
  );
  await view.canaries.first(sent, ({ status }) => status?.phase === 'Failed');
  const after = (moment: number): string => seconds(moment - sent);
  console.log(
    `rollback ${String(round)}: message → answer ${after(answered)}, routes 100/0 ${after(routed.at)}, replicas 0 ${after(stopped.at)} (of which 0.50 s to settle)`,
  );
  await sleep(1_000);
}

/** Changes the image as anybody would; returns the moment it was sent. */
async function release({ kube }: Pick<Stage, 'kube'>, version: string): Promise<number> {
  const containers = [{ name: 'web', image: `sluice/demo:${version}` }];
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', ...canary };
  const live = await kube.find<Deployment>(ref);
  const [container] = live?.spec.template.spec?.containers ?? [];
  const sent = Date.now();
  await kube.patch(ref, {
    spec: { template: { spec: { containers: [{ ...container, ...containers[0] }] } } },
  });
  return sent;
}

/** From the appearance of each new pod to its readiness. */
function startUps({ all }: Sightings<Pod>, since: number): [number, number][] {
  const appeared = new Map<string, number>();
  const ready = new Map<string, number>();
  for (const { at, object } of all) {
    const { uid, labels } = object.metadata;
    if (!/^web(-primary)?$/.test(labels?.['app'] ?? '')) continue;
    if (!appeared.has(uid)) appeared.set(uid, at);
    if (isReady(object) && !ready.has(uid)) ready.set(uid, at);
  }
  return [...appeared].flatMap(([uid, from]) => {
    const to = ready.get(uid);
    return from < since || to === undefined ? [] : [[from, to]];
  });
}

function isReady({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === 'Ready' && value === 'True',
  );
}

function isTargetWith(is: (replicas: number) => boolean): (deployment: Deployment) => boolean {
  return ({ metadata, spec }) => metadata.name === canary.name && is(spec.replicas ?? 1);
}

function isAllOnPrimary({ metadata, spec }: HttpProxy): boolean {
  return metadata.name === canary.name && canaryWeight(spec) === 0;
}

function canaryWeight(spec: HttpProxy['spec']): number {
  const services = spec?.routes?.[0]?.services ?? [];
  return services.find(({ name }) => name === `${canary.name}-canary`)?.weight ?? 0;
}

function printDeeds({ deeds, started, closed }: Account, since: number): void {
  const at = (moment: number): string => seconds(moment - since).padStart(8);
  console.log(`\n${at(started)}  run started`);
  for (const { name, scheduled, started: begun, completed } of deeds) {
    const [delay, length] = [begun - scheduled, completed - begun];
    console.log(
      `${at(scheduled)}  ${name.padEnd(10)} started after ${seconds(delay)}, took ${seconds(length)}`,
    );
  }
  if (closed !== undefined) console.log(`${at(closed)}  run closed`);
}
