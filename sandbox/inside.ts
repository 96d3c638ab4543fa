import { Socket } from 'node:net';
import { join } from 'node:path';

import { DNS_IP, NODE_IP, NODE_NAME, POD_CIDR, SERVICE_CIDR } from './addresses.js';
import { CONTROL_DESCRIPTOR, messages, send } from './control.js';
import type { Plan, Report } from './control.js';
import { environmentInside } from './description.js';
import { needsDefinitions, partManifests } from './parts.js';
import type { Part } from './parts.js';
import { KUBECONFIG, STATE, stateFolders } from './state.js';
import { keepRunning } from './supervisor/component.js';
import type { Component } from './supervisor/component.js';
import {
  apiServer,
  controllerManager,
  etcd,
  makeCredentials,
  scheduler,
} from './supervisor/control-plane.js';
import { linkPrograms, prepareFileSystem } from './supervisor/file-system.js';
import { KubeApi } from './supervisor/kube-api.js';
import type { KubeObject } from './supervisor/kube-api.js';
import { serveHost } from './supervisor/listeners.js';
import { Applier, readManifests, withoutDescriptions } from './supervisor/manifests.js';
import { prepareNetwork } from './supervisor/network.js';
import { apiReady, nodeReady, workloadsReady } from './supervisor/readiness.js';

/**
 * The supervisor, the first program inside the namespaces. It starts the cluster as the host's plan says
 * and exits when the host's end of the control socket is gone; the kernel then ends everything else.
 */
const control = new Socket({ fd: CONTROL_DESCRIPTOR });
const begun = Date.now();
let isStarting = true;

for await (const plan of messages<Plan>(control)) {
  start(plan).then(
    () => {
      isStarting = false;
      send(control, { kind: 'ready' });
    },
    (error: unknown) => fail(error instanceof Error ? error.message : String(error)),
  );
}
process.exit();

async function start(plan: Plan): Promise<void> {
  prepareFileSystem();
  linkPrograms(plan);
  prepareNetwork();
  Object.assign(process.env, environmentInside, { TMPDIR: stateFolders.tmp });
  serveHost(plan.targets);

  run(etcd());
  await makeCredentials(plan.apiPort);
  run(apiServer(plan.apiPort));
  const api = new KubeApi(plan.apiPort);
  const manifests = readAll(plan);
  await apiReady(api);
  done('API server');
  for (const component of [controllerManager(), scheduler(), nodeAgent(plan)]) run(component);
  await Promise.all([install(manifests, api), nodeReady(api).then(() => done('node'))]);
}

type Manifests = {
  readonly definitions: readonly KubeObject[];
  readonly parts: readonly { readonly part: Part; readonly objects: readonly KubeObject[] }[];
};

function readAll({ parts, tools, repository }: Plan): Manifests {
  const sources = [
    ...[tools['gateway-api-crds'], tools['contour-crds']],
    ...[tools['traefik-crds'], tools['istio-crds']],
  ];
  const routing = sources.flatMap((source) => readManifests(source));
  const own = readManifests(join(repository, 'deploy', 'crds'));
  return {
    definitions: [...withoutDescriptions(routing), ...own],
    parts: parts.map((part) => ({
      part,
      objects: partManifests[part].flatMap((file) => readManifests(join(repository, file))),
    })),
  };
}

/** Applies everything and waits until it runs. */
async function install({ definitions, parts }: Manifests, api: KubeApi): Promise<void> {
  const applier = new Applier(api);
  const defined = applier.define(definitions).then(() => done('custom resource definitions'));
  const installed = parts.map(async ({ part, objects }) => {
    if (needsDefinitions(part)) await defined;
    await applier.apply(objects);
    await workloadsReady(api, objects);
    done(part);
  });
  await Promise.all([defined, ...installed]);
}

function nodeAgent({ repository, programs, images }: Plan): Component {
  const maps = [join(repository, 'sandbox', 'images.json'), ...images];
  const flags = {
    kubeconfig: KUBECONFIG,
    'programs-dir': programs.folder,
    'state-dir': STATE,
    'logs-dir': join(stateFolders.logs, 'pods'),
    'node-name': NODE_NAME,
    'node-ip': NODE_IP,
    'pod-cidr': POD_CIDR,
    'service-cidr': SERVICE_CIDR,
    'dns-ip': DNS_IP,
    'tls-cert': join(stateFolders.certificates, 'kubelet.crt'),
    'tls-key': join(stateFolders.certificates, 'kubelet.key'),
  };
  return {
    name: 'node-agent',
    argv: [
      ...([process.execPath, programs.nodeAgent] as const),
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      ...maps.flatMap((file) => ['--images', file]),
    ],
  };
}

function run(component: Component): void {
  keepRunning(component, (name, tail) => {
    if (isStarting) fail(`${name} ended while the sandbox started:\n${tail}`);
    else send(control, { kind: 'progress', text: `${name} ended and is started again` });
  });
}

function done(what: string): void {
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  send(control, { kind: 'progress', text: `${what} ready after ${seconds} s` });
}

function fail(text: string): void {
  control.end(`${JSON.stringify({ kind: 'failed', text } satisfies Report)}\n`, () =>
    process.exit(1),
  );
}
