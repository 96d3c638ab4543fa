import type { V1Pod } from '@kubernetes/client-node';

import type { Api } from './api.js';
import type { ClusterObjects } from './cluster-objects.js';
import type { ContainerViews } from './container-view.js';
import type { Image } from './images.js';
import type { PodNetwork } from './network.js';
import type { Gate } from './waiting.js';

/** What the node gives to each of its pods. */
export type NodeServices = {
  readonly api: Api;
  readonly objects: ClusterObjects;
  readonly network: PodNetwork;
  readonly views: ContainerViews;
  /** Starting many pods at once would only make each of them late. */
  readonly startGate: Gate;
  readonly findImage: (reference: string) => Image | undefined;
  readonly warn: (pod: V1Pod, reason: string, message: string) => void;
  readonly nodeIp: string;
  readonly dnsIp: string;
  readonly podsDir: string;
  readonly hostDir: string;
  readonly logsDir: string;
  /** PATH of programs whose image does not set one. */
  readonly path: string;
};
