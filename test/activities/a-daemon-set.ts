import type { DaemonSet } from '../../domain/objects.js';

/** Parts of a DaemonSet laid over the usual one. */
export interface DaemonSetParts {
  readonly metadata?: Partial<DaemonSet['metadata']>;
  readonly spec?: Partial<DaemonSet['spec']>;
  readonly pods?: DaemonSet['spec']['template'];
  readonly status?: NonNullable<DaemonSet['status']>;
}

/** The DaemonSet `podinfo` in `test`: pods labelled `app: podinfo`, one container. */
export function aDaemonSet({ metadata, spec, pods = {}, status }: DaemonSetParts = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'podinfo', namespace: 'test', generation: 1, ...metadata },
    spec: {
      selector: { matchLabels: { app: 'podinfo' } },
      template: {
        metadata: { labels: { app: 'podinfo' }, ...pods.metadata },
        spec: { containers: [{ name: 'podinfo', image: 'podinfo:1' }], ...pods.spec },
      },
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}
