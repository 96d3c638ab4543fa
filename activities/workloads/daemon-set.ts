import type { Canary } from '../../domain/canary.js';
import type { DaemonSet } from '../../domain/objects.js';
import { withTemplate } from '../../domain/primary.js';
import {
  daemonSetReadiness,
  daemonSetServesThroughRollout,
  deadlineExceeded,
} from '../../domain/readiness.js';
import { isScaledToZero, scaledToZero, scaledUp } from '../../domain/scale-to-zero.js';
import type { Deps } from '../deps.js';
import { revisionOf } from '../revision.js';
import { controllerRevisions } from './history.js';
import { podWorkload, type PodKind } from './pod-workload.js';
import type { Workload } from './workload.js';

/** DaemonSets as targets. One at rest asks for a node there is not, and so has no pods. */
export function daemonSetWorkload(deps: Deps, canary: Canary): Workload {
  return podWorkload(deps, canary, daemonSets);
}

const daemonSets: PodKind<DaemonSet> = {
  problemOf({ metadata: { name, namespace = 'default' }, spec }) {
    const { type = '' } = (spec['updateStrategy'] ?? {}) as { readonly type?: string };
    return type === '' || type === 'RollingUpdate'
      ? undefined
      : `daemonset ${name}.${namespace} must have RollingUpdate strategy but have ${type}`;
  },
  isAtZero: ({ spec }) => isScaledToZero(spec.template),
  toZero: (live) => withTemplate(live, scaledToZero(live.spec.template)),
  toPods: (live) => withTemplate(live, scaledUp(live.spec.template)),
  readinessOf: daemonSetReadiness,
  overdue: ({ progressDeadlineMs }) => deadlineExceeded(progressDeadlineMs),
  servesThroughRollout: daemonSetServesThroughRollout,
  stateOf: ({ spec }) => revisionOf(spec.template),
  history: controllerRevisions,
};
