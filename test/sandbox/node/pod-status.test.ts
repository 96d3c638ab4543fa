import type { V1PodCondition } from '@kubernetes/client-node';

import { podPhase, podStatus } from '../../../sandbox/node/pod-status.js';
import type {
  ContainerRecord,
  PodFacts,
  TerminatedState,
} from '../../../sandbox/node/pod-status.js';

const start = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-01T00:01:00Z');
const running = { kind: 'running', startedAt: start } as const;
const waiting = { kind: 'waiting', reason: 'ContainerCreating' } as const;

function exited(exitCode: number): TerminatedState {
  return { kind: 'terminated', exitCode, reason: 'x', startedAt: start, finishedAt: later };
}

function aContainer(overrides: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    name: 'main',
    image: 'web:1',
    state: running,
    restartCount: 0,
    started: true,
    ready: true,
    ...overrides,
  };
}

function facts(overrides: Partial<PodFacts> = {}, restartPolicy = 'Always'): PodFacts {
  return {
    pod: { metadata: { name: 'p' }, spec: { restartPolicy, containers: [] } },
    initContainers: [],
    containers: [aContainer()],
    podIp: '10.244.0.2',
    hostIp: '10.244.0.1',
    startTime: start,
    isEnding: false,
    previous: [],
    now: later,
    ...overrides,
  };
}

function condition(given: PodFacts, type: string): V1PodCondition | undefined {
  return podStatus(given).conditions?.find((candidate) => candidate.type === type);
}

describe('podPhase', () => {
  it.each([
    ['Pending', 'Always', [{ state: waiting }]],
    ['Pending', 'Always', [{ state: running }, { state: waiting }]],
    ['Running', 'Always', [{ state: running }, { state: exited(1) }]],
    ['Running', 'Always', [{ state: exited(0) }]],
    ['Running', 'Always', [{ state: waiting, lastTerminated: exited(1) }]],
    ['Succeeded', 'Never', [{ state: exited(0) }, { state: exited(0) }]],
    ['Failed', 'Never', [{ state: exited(0) }, { state: exited(1) }]],
    ['Running', 'OnFailure', [{ state: exited(1) }]],
    ['Succeeded', 'OnFailure', [{ state: exited(0) }]],
  ] as const)('is %s with restart policy %s and %j', (phase, policy, containers) => {
    expect(podPhase(facts({ containers: containers.map(aContainer) }, policy))).toBe(phase);
  });

  it('waits for init containers, and fails with them where they do not come back', () => {
    const failed = [aContainer({ name: 'init', state: exited(1) })];
    const given = { initContainers: failed, containers: [aContainer({ state: waiting })] };
    expect(podPhase(facts(given, 'Always'))).toBe('Pending');
    expect(podPhase(facts(given, 'Never'))).toBe('Failed');
  });

  it('ends a deleted pod as its containers ended', () => {
    const ended = (code: number): PodFacts =>
      facts({ isEnding: true, containers: [aContainer({ state: exited(code) })] });
    expect(podPhase(ended(0))).toBe('Succeeded');
    expect(podPhase(ended(143))).toBe('Failed');
  });
});

describe('podStatus', () => {
  it('is ready when all containers are', () => {
    expect(condition(facts(), 'Ready')?.status).toBe('True');
    const given = facts({ containers: [aContainer(), aContainer({ name: 'b', ready: false })] });
    expect(condition(given, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [b]',
    });
  });

  it('waits for readiness gates after its containers', () => {
    const pod = {
      metadata: { name: 'p' },
      spec: { containers: [], readinessGates: [{ conditionType: 'x/ok' }] },
    };
    expect(condition(facts({ pod }), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    });
    expect(condition(facts({ pod }), 'ContainersReady')?.status).toBe('True');
    const open = { ...pod, status: { conditions: [{ type: 'x/ok', status: 'True' }] } };
    expect(condition(facts({ pod: open }), 'Ready')?.status).toBe('True');
  });

  it('keeps the time of a condition that has not turned', () => {
    const previous = [
      { type: 'Ready', status: 'True', lastTransitionTime: start },
      { type: 'ContainersReady', status: 'False', lastTransitionTime: start },
    ];
    expect(condition(facts({ previous }), 'Ready')?.lastTransitionTime).toBe(start);
    expect(condition(facts({ previous }), 'ContainersReady')?.lastTransitionTime).toBe(later);
  });

  it('shows the state before the last restart', () => {
    const crashing = aContainer({
      state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: 'back-off 10s' },
      lastTerminated: exited(1),
      restartCount: 2,
      ready: false,
    });
    expect(podStatus(facts({ containers: [crashing] })).containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 1 } },
    });
  });
});
