import {
  daemonSetReadiness,
  daemonSetServesThroughRollout,
  deploymentReadiness,
  deploymentServesThroughRollout,
  notReady,
} from '../../domain/readiness.js';
import { aDaemonSet } from '../activities/a-daemon-set.js';
import { aDeployment, rolledOut } from '../activities/a-deployment.js';

const waiting = (reason: string) => ({
  ready: false,
  hopeless: false,
  reason: `waiting for rollout to finish: ${reason}`,
});

describe('a Deployment', () => {
  it('is ready when all its pods are up to date and available', () => {
    expect(deploymentReadiness(aDeployment({ status: rolledOut(2) }), 100)).toEqual({
      ready: true,
    });
  });

  it.each([
    [
      'is not ready before its controller has seen the last change',
      { metadata: { generation: 2 }, status: rolledOut(2) },
      100,
      waiting('observed deployment generation less than desired generation'),
    ],
    [
      'is not ready before its controller has seen it at all',
      {},
      100,
      waiting('observed deployment generation less than desired generation'),
    ],
    [
      'is not ready while pods are of an old revision',
      { status: { ...rolledOut(2), updatedReplicas: 0 } },
      100,
      waiting('0 out of 2 new replicas have been updated'),
    ],
    [
      'is not ready while old pods are left',
      { status: { ...rolledOut(2), replicas: 3 } },
      100,
      waiting('1 old replicas are pending termination'),
    ],
    [
      'is not ready while pods are not available',
      { status: { ...rolledOut(2), availableReplicas: 1 } },
      100,
      waiting('1 of 2 (readyThreshold 100%) updated replicas are available'),
    ],
    [
      'is ready with the share of pods that is asked for',
      { status: { ...rolledOut(2), availableReplicas: 1 } },
      50,
      { ready: true },
    ],
    [
      'wants whole pods only: 75% of two are one',
      { status: { ...rolledOut(2), availableReplicas: 1 } },
      75,
      { ready: true },
    ],
    [
      'is never ready without any pod, however small the share',
      { spec: { replicas: 1 }, status: { ...rolledOut(1), availableReplicas: 0 } },
      50,
      waiting('0 of 1 (readyThreshold 50%) updated replicas are available'),
    ],
    [
      'is ready without pods when scaled to zero',
      { spec: { replicas: 0 }, status: rolledOut(0) },
      100,
      { ready: true },
    ],
    [
      'has one pod when it names no number',
      { spec: { replicas: undefined as never }, status: rolledOut(0) },
      100,
      waiting('0 out of 1 new replicas have been updated'),
    ],
  ])('%s', (_name, parts, threshold, expected) => {
    expect(deploymentReadiness(aDeployment(parts), threshold)).toEqual(expected);
  });
});

describe('giving up on a Deployment', () => {
  const longAgo = '2020-01-01T00:00:00Z';
  const given = {
    type: 'Progressing',
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    lastUpdateTime: longAgo,
  };
  const unavailable = {
    type: 'Available',
    status: 'False',
    reason: 'MinimumReplicasUnavailable',
    lastUpdateTime: longAgo,
  };
  const failing = { observedGeneration: 1, replicas: 2, updatedReplicas: 1 };

  it('is for its own controller to say', () => {
    const status = { ...failing, conditions: [given, unavailable] };

    expect(deploymentReadiness(aDeployment({ status }), 100)).toEqual({
      ready: false,
      hopeless: true,
      reason: 'deployment "podinfo" exceeded its progress deadline',
    });
  });

  it('does not hold for a revision its controller has not seen yet (R4)', () => {
    const status = { ...failing, conditions: [given, unavailable] };

    expect(deploymentReadiness(aDeployment({ metadata: { generation: 2 }, status }), 100)).toEqual(
      waiting('observed deployment generation less than desired generation'),
    );
  });

  it('does not follow from how long the last revision was unavailable (R4)', () => {
    const progressing = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' };
    const status = { ...failing, conditions: [progressing, unavailable] };

    expect(deploymentReadiness(aDeployment({ status }), 100)).toEqual(
      waiting('1 out of 2 new replicas have been updated'),
    );
  });
});

describe('a DaemonSet', () => {
  const status = {
    observedGeneration: 1,
    desiredNumberScheduled: 4,
    updatedNumberScheduled: 4,
    numberAvailable: 4,
  };

  it.each([
    ['is ready with a new pod on each of its nodes', {}, 100, { ready: true }],
    [
      'is not ready before its controller has seen the last change',
      { observedGeneration: 0 },
      100,
      waiting('observed daemonset generation less than desired generation'),
    ],
    [
      'is not ready while pods are of an old revision',
      { updatedNumberScheduled: 1 },
      50,
      waiting('1 out of 4 new pods have been updated'),
    ],
    [
      'is not ready while pods are not available',
      { numberAvailable: 3 },
      100,
      waiting('3 of 4 (readyThreshold 100%) updated pods are available'),
    ],
    [
      'is ready with the share of pods that is asked for',
      { numberAvailable: 2 },
      50,
      { ready: true },
    ],
    [
      'is never ready without any pod, however small the share (B26)',
      { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 0 },
      50,
      waiting('0 of 1 (readyThreshold 50%) updated pods are available'),
    ],
    [
      'is ready without pods when it is to have none',
      { desiredNumberScheduled: 0, updatedNumberScheduled: 0, numberAvailable: 0 },
      100,
      { ready: true },
    ],
  ])('%s', (_name, parts, threshold, expected) => {
    expect(daemonSetReadiness(aDaemonSet({ status: { ...status, ...parts } }), threshold)).toEqual(
      expected,
    );
  });

  it.each<[string, object | undefined, number, number, boolean]>([
    ['keeps serving on several nodes by default', undefined, 3, 3, true],
    ['does not keep serving on its only node', undefined, 1, 1, false],
    ['keeps serving there if new pods come first', { maxSurge: 1, maxUnavailable: 0 }, 1, 1, true],
    ['does not keep serving when all pods may go', { maxUnavailable: '100%' }, 3, 3, false],
    ['does not keep serving without pods', { maxUnavailable: 1 }, 3, 0, false],
  ])('%s', (_name, rollingUpdate, desiredNumberScheduled, numberAvailable, expected) => {
    const spec = rollingUpdate && { updateStrategy: { type: 'RollingUpdate', rollingUpdate } };
    const live = { ...status, desiredNumberScheduled, numberAvailable };

    expect(
      daemonSetServesThroughRollout(aDaemonSet({ status: live, ...(spec ? { spec } : {}) })),
    ).toBe(expected);
  });
});

it.each([
  ['Deployment', 'primary', 'podinfo.test not ready: why'],
  ['Deployment', 'canary', 'canary deployment podinfo.test not ready: why'],
  ['DaemonSet', 'primary', 'primary daemonset podinfo.test not ready: why'],
  ['DaemonSet', 'canary', 'canary damonset podinfo.test not ready with retryable true: why'],
] as const)(
  'the sentence about a %s that is the %s says whose pods are missing',
  (kind, role, sentence) => {
    const ref = { kind, name: 'podinfo', namespace: 'test' };

    expect(notReady(role, ref, { hopeless: false, reason: 'why' })).toBe(sentence);
  },
);

describe('a rolling update', () => {
  it.each([
    ['keeps serving by default', 1, undefined, true],
    ['does not keep serving when all pods are recreated', 2, { type: 'Recreate' }, false],
    ['keeps serving with 25% of one pod', 1, allowing('25%'), true],
    ['does not keep serving when its only pod may go', 1, allowing(1), false],
    ['keeps serving when one of two may go', 2, allowing(1), true],
    ['does not keep serving when all may go', 3, allowing('100%'), false],
    ['does not keep serving without pods', 0, undefined, false],
  ])('%s', (_name, replicas, strategy, expected) => {
    const spec = { replicas, ...(strategy === undefined ? {} : { strategy }) };

    const live = aDeployment({ spec, status: rolledOut(replicas) });

    expect(deploymentServesThroughRollout(live)).toBe(expected);
  });

  function allowing(maxUnavailable: number | string) {
    return { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } };
  }
});
