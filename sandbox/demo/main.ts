/** `npm run demo`: a good release and a bad one, on a cluster of real parts. */
import { load } from 'js-yaml';
import { KubeConfig } from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';

import { connectKube, type Kube } from '../../activities/kube.js';
import { connectSluice, type Ending, type Sluice } from '../../api/client.js';
import { releaseId, type Outcome } from '../../domain/release.js';
import type { KubeObject } from '../../domain/objects.js';
import { startSandbox, type Sandbox } from '../sandbox.js';
import { shareOf, trafficAt, type Traffic } from './traffic.js';

const canary = { namespace: 'demo', name: 'web' };
const requestsPerSecond = 100;

/** What the demo works with. */
interface Stage {
  readonly sandbox: Sandbox;
  readonly kube: Kube;
  readonly sluice: Sluice;
  readonly traffic: Traffic;
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interruption.abort(new Error('interrupted'));
  });
}

const exitCode = await main().catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
process.exit(exitCode);

async function main(): Promise<number> {
  say(
    'Starting a Kubernetes cluster of real parts. The first start builds them, which takes a while.',
  );
  const sandbox = await startSandbox({
    name: 'demo',
    forwards: [{ name: 'load', target: 'load.demo:80', preferredPort: 0 }],
    report: (line) => console.error(line),
    signal: interruption.signal,
  });
  try {
    const stage = await setStage(sandbox);
    await initialise(stage);
    await stage.traffic.send(requestsPerSecond);
    say('\nA good version: sluice release demo/web --image web=sluice/demo:1.1.0\n');
    await release(stage, '1.1.0', 'promoted');
    say(
      '\nA bad version, which answers HTTP 500: sluice release demo/web --image web=sluice/demo:1.2.0-errors\n',
    );
    await release(stage, '1.2.0-errors', 'rolled-back');
    await stage.sluice.close();
    if (process.stdout.isTTY) await stayUp(sandbox);
    return 0;
  } finally {
    await sandbox.stop();
  }
}

async function setStage(sandbox: Sandbox): Promise<Stage> {
  const config = new KubeConfig();
  config.loadFromFile(sandbox.kubeconfig);
  return {
    sandbox,
    kube: connectKube(config),
    sluice: await connectSluice({
      temporal: { connectionOptions: { address: sandbox.urls.temporal } },
    }),
    traffic: trafficAt(`http://127.0.0.1:${String(sandbox.ports['load'])}`),
  };
}

/** Hands the demo app over to a Canary, and waits until it has a primary. */
async function initialise({ kube }: Stage): Promise<void> {
  say('\nHanding the Deployment demo/web over to a Canary (sandbox/demo/canary.yaml) ...');
  const manifest = load(
    readFileSync(new URL('./canary.yaml', import.meta.url), 'utf8'),
  ) as KubeObject;
  await kube.create(manifest);
  for (;;) {
    const live = await kube.find({ ...manifest, ...canary });
    const { phase = '' } = (live?.status ?? {}) as { phase?: string };
    if (phase === 'Initialized') break;
    await pause(200);
  }
  say('Initialized: demo/web-primary serves http://web.example.com through Envoy.');
}

/** Releases a version as CI would, shows its progress, and insists on how it ends. */
async function release(stage: Stage, version: string, expected: Outcome): Promise<void> {
  const { sluice } = stage;
  const { revision, runId } = await sluice.release(canary, {
    actor: 'demo',
    images: { web: `sluice/demo:${version}` },
  });
  say(`  ${temporalLink(stage, runId)}`);
  const ended = sluice.wait(canary, { revision, runId });
  const ending = await showProgress(stage, version, ended);
  say(`\n  ${ending.outcome}: ${ending.message}`);
  if (ending.outcome !== expected) {
    throw new Error(`version ${version} was to be ${expected}, but it was ${ending.outcome}`);
  }
}

/** Prints the weight that was set beside the share that was measured, once per second. */
async function showProgress(
  { sluice, traffic }: Stage,
  version: string,
  ended: Promise<Ending>,
): Promise<Ending> {
  let ending: Ending | undefined;
  const over = ended.then((it) => {
    ending = it;
  });
  let routedAt = Date.now();
  let shown = -1;
  while (ending === undefined) {
    await Promise.race([over, pause(1_000)]);
    const state = await sluice.state(canary);
    if (state === undefined) continue;
    if (state.weight !== shown) routedAt = Date.now() + 1_000;
    shown = state.weight;
    const counted = await traffic.counted(routedAt);
    const share = shareOf(counted, version);
    const bar = '█'.repeat(Math.round(share / 2.5)).padEnd(40, '░');
    console.log(
      `  ${state.phase.padEnd(12)} weight ${String(state.weight).padStart(3)}%   measured ${share.toFixed(1).padStart(5)}% of ${String(counted.requests).padStart(5)} answers  ${bar}  failed checks ${String(state.failedChecks)}`,
    );
  }
  return ending;
}

function temporalLink({ sandbox }: Stage, runId: string): string {
  const id = encodeURIComponent(releaseId({ cluster: 'default', ...canary }));
  return `${sandbox.urls.temporalUi}/namespaces/default/workflows/${id}/${runId}`;
}

/** Leaves the cluster to be explored until Ctrl-C. */
async function stayUp(sandbox: Sandbox): Promise<void> {
  say(`
The cluster stays up for you to explore; Ctrl-C ends it and leaves nothing behind.

  Temporal UI   ${sandbox.urls.temporalUi}
  Prometheus    ${sandbox.urls.prometheus}
  the app       curl -H 'Host: web.example.com' ${sandbox.urls.gateway}
  kubectl       export KUBECONFIG=${sandbox.kubeconfig}
  a shell       npm run sandbox -- --join --name demo --exec bash
  try           sluice release demo/web --image web=sluice/demo:1.3.0   (in that shell)
`);
  await new Promise<void>((resolve) => {
    interruption.signal.addEventListener('abort', () => {
      resolve();
    });
    void sandbox.ended.then(() => {
      resolve();
    });
  });
}

function say(line: string): void {
  console.log(line);
}

function pause(ms: number): Promise<void> {
  interruption.signal.throwIfAborted();
  return new Promise((resolve) => setTimeout(resolve, ms));
}
