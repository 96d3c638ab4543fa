import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { connect } from './api.js';
import { clusterObjects, startFollowing } from './cluster-objects.js';
import { buildContainerRoot } from './container-root.js';
import { ContainerViews, programPaths } from './container-view.js';
import { serveDns } from './dns.js';
import { EventRecorder } from './events.js';
import { parseFlags } from './flags.js';
import { findImage, readImageMaps } from './images.js';
import { serveKubeletApi } from './kubelet-api.js';
import { Layers } from './layers.js';
import { clearLeftovers } from './leftovers.js';
import { cutLongLogs } from './log-file.js';
import { PodNetwork } from './network.js';
import { registerNode } from './node-object.js';
import type { NodeServices } from './node-services.js';
import { Pods } from './pods.js';
import { ServiceIndex } from './service-index.js';
import { ServiceProxy } from './service-proxy.js';
import { Gate } from './waiting.js';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Pods whose namespaces and volumes are made at the same time. */
const concurrentStarts = 6;
const logCheckMs = 5000;

await main(process.argv.slice(2));

/** The node agent: registers the node, then runs its pods, names and service addresses until SIGTERM. */
async function main(args: readonly string[]): Promise<void> {
  const flags = parseFlags(args);
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  const folders = { repository, programs: flags.programsDir };
  const api = await connect(flags.kubeconfig);
  const objects = clusterObjects(api);
  const events = new EventRecorder(api, flags.nodeName);
  const network = new PodNetwork(flags.podCidr, flags.nodeIp);
  const stateDir = join(flags.stateDir, 'node');
  const directories = {
    podsDir: join(stateDir, 'pods'),
    hostDir: join(flags.stateDir, 'host'),
    logsDir: flags.logsDir,
  };
  clearLeftovers(directories.podsDir);
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });
  const [root] = await Promise.all([buildContainerRoot(stateDir), network.prepare()]);
  const node: NodeServices = {
    ...{ api, objects, network, path, ...directories },
    views: new ContainerViews(root, new Layers(stateDir), [
      ...Object.values(folders),
      ...programPaths(path),
    ]),
    startGate: new Gate(concurrentStarts),
    findImage: (reference) => findImage(readImageMaps(flags.images), reference, folders),
    warn: (pod, reason, message) => events.warn(pod, reason, message),
    nodeIp: flags.nodeIp,
    dnsIp: flags.dnsIp,
  };
  const pods = new Pods(node, flags.nodeName);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      pods.abort();
      process.exit(0);
    });
  }

  const index = new ServiceIndex(objects);
  new ServiceProxy(index).start();
  await startFollowing(objects);
  await serveDns(flags.dnsIp, index);
  await registerNode(api, { name: flags.nodeName, ip: flags.nodeIp });
  await pods.start();
  if (flags.tls !== undefined) await serveKubeletApi(flags.nodeIp, flags.tls, pods);
  setInterval(() => void cutLongLogs(flags.logsDir), logCheckMs);
  console.log(`node ${flags.nodeName} is ready`);
}
