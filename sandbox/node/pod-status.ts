import type {
  V1ContainerState,
  V1ContainerStatus,
  V1Pod,
  V1PodCondition,
  V1PodStatus,
} from '@kubernetes/client-node';

/** A container as the node agent sees it: what its status is computed from. */
export type ContainerRecord = {
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  readonly lastTerminated?: TerminatedState;
  readonly restartCount: number;
  /** Past its startup probe and its postStart hook. */
  readonly started: boolean;
  readonly ready: boolean;
  readonly containerId?: string;
};

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: Date }
  | TerminatedState;

export type TerminatedState = {
  readonly kind: 'terminated';
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly containerId?: string;
};

/** Everything the status of a pod is computed from. */
export type PodFacts = {
  readonly pod: V1Pod;
  readonly initContainers: readonly ContainerRecord[];
  readonly containers: readonly ContainerRecord[];
  /** Known once the pod's network stands. */
  readonly podIp?: string;
  readonly hostIp: string;
  readonly startTime: Date;
  /** Deleted or evicted: containers that stopped do not come back. */
  readonly isEnding: boolean;
  /** Conditions as written last; their transition times are kept where nothing changed. */
  readonly previous: readonly V1PodCondition[];
  readonly now: Date;
};

/** A pod's phase by the kubelet's rules. */
export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The status a kubelet would write; conditions of others (PodScheduled, readiness gates) are left out. */
export function podStatus(facts: PodFacts): V1PodStatus {
  const phase = podPhase(facts);
  const { podIp, pod, hostIp } = facts;
  const generation = pod.metadata?.generation;
  return {
    phase,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: podConditions(facts, phase),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    startTime: facts.startTime,
    ...(facts.initContainers.length > 0
      ? { initContainerStatuses: facts.initContainers.map(containerStatus) }
      : {}),
    containerStatuses: facts.containers.map(containerStatus),
  };
}

/** The phase; a container waiting for its next restart counts as stopped, not as waiting. */
export function podPhase(facts: PodFacts): Phase {
  const policy = facts.pod.spec?.restartPolicy ?? 'Always';
  const initialized = isInitialized(facts);
  if (!initialized) {
    const isFinal = policy === 'Never' || facts.isEnding;
    return isFinal && facts.initContainers.some(hasFailed) ? 'Failed' : 'Pending';
  }

  return phaseOfContainers(facts, policy);
}

function phaseOfContainers({ containers, isEnding }: PodFacts, policy: string): Phase {
  if (containers.some(isYetToRun)) return 'Pending';
  if (containers.some(({ state }) => state.kind === 'running')) return 'Running';
  if (policy === 'Always' && !isEnding) return 'Running';
  if (containers.every((container) => lastExit(container)?.exitCode === 0)) return 'Succeeded';
  return policy === 'Never' || isEnding ? 'Failed' : 'Running';
}

function isYetToRun(container: ContainerRecord): boolean {
  return container.state.kind === 'waiting' && lastExit(container) === undefined;
}

function lastExit({ state, lastTerminated }: ContainerRecord): TerminatedState | undefined {
  return state.kind === 'terminated' ? state : lastTerminated;
}

function hasFailed({ state }: ContainerRecord): boolean {
  return state.kind === 'terminated' && state.exitCode !== 0;
}

function isInitialized({ pod, initContainers }: PodFacts): boolean {
  return initContainers.every((record) =>
    isSidecar(pod, record.name)
      ? record.started || record.state.kind === 'terminated'
      : record.state.kind === 'terminated' && record.state.exitCode === 0,
  );
}

/** Whether an init container is a sidecar: it keeps running beside the pod's containers. */
export function isSidecar(pod: V1Pod, name: string): boolean {
  const container = pod.spec?.initContainers?.find((candidate) => candidate.name === name);
  return container?.restartPolicy === 'Always';
}

function podConditions(facts: PodFacts, phase: Phase): V1PodCondition[] {
  const containersReady = containersReadyCondition(facts, phase);
  return [
    { type: 'PodReadyToStartContainers', status: truth(facts.podIp !== undefined) },
    initializedCondition(facts, phase),
    readyCondition(facts, containersReady),
    containersReady,
  ].map((condition) => withTransitionTime(condition, facts));
}

function initializedCondition(facts: PodFacts, phase: Phase): V1PodCondition {
  if (phase === 'Succeeded') return { type: 'Initialized', status: 'True', reason: 'PodCompleted' };
  if (isInitialized(facts)) return { type: 'Initialized', status: 'True' };
  const incomplete = facts.initContainers
    .filter(({ state }) => state.kind !== 'terminated' || state.exitCode !== 0)
    .map(({ name }) => name);
  return {
    type: 'Initialized',
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

function containersReadyCondition(facts: PodFacts, phase: Phase): V1PodCondition {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const sidecars = facts.initContainers.filter(({ name }) => isSidecar(facts.pod, name));
  const unready = [...sidecars, ...facts.containers].filter(({ ready }) => !ready);
  if (unready.length === 0) return { type, status: 'True' };
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`,
  };
}

function readyCondition(facts: PodFacts, containersReady: V1PodCondition): V1PodCondition {
  const { status, reason, message } = containersReady;
  if (status !== 'True') return { type: 'Ready', status, ...texts(reason, message) };
  const messages = (facts.pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = facts.pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (gate === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (gate.status === 'True') return [];
    return [
      `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`,
    ];
  });
  if (messages.length === 0) return { type: 'Ready', status: 'True' };
  return {
    type: 'Ready',
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: messages.join(', '),
  };
}

/** A patch merges conditions by type: texts that no longer hold are cleared by empty ones. */
function texts(reason = '', message = ''): { reason: string; message: string } {
  return { reason, message };
}

function withTransitionTime(condition: V1PodCondition, facts: PodFacts): V1PodCondition {
  const before = facts.previous.find(({ type }) => type === condition.type);
  const isSame = before?.status === condition.status;
  const time = isSame ? before.lastTransitionTime : facts.now;
  const { type, status, reason, message } = condition;
  return {
    ...{ type, status },
    ...(time === undefined ? {} : { lastTransitionTime: time }),
    ...texts(reason, message),
  };
}

function containerStatus(record: ContainerRecord): V1ContainerStatus {
  const { lastTerminated, containerId } = record;
  return {
    name: record.name,
    image: record.image,
    imageID: containerId === undefined ? '' : `sandbox://${record.image}`,
    ready: record.ready,
    started: record.started,
    restartCount: record.restartCount,
    state: wireState(record.state),
    lastState: lastTerminated === undefined ? {} : wireState(lastTerminated),
    ...(containerId === undefined ? {} : { containerID: containerId }),
  };
}

function wireState(state: ContainerState): V1ContainerState {
  if (state.kind === 'waiting') {
    const { reason, message } = state;
    return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
  }
  if (state.kind === 'running') return { running: { startedAt: state.startedAt } };
  const { exitCode, reason, message, startedAt, finishedAt, containerId } = state;
  return {
    terminated: {
      exitCode,
      reason,
      ...(message === undefined ? {} : { message }),
      startedAt: startedAt,
      finishedAt: finishedAt,
      ...(containerId === undefined ? {} : { containerID: containerId }),
    },
  };
}

function truth(value: boolean): 'True' | 'False' {
  return value ? 'True' : 'False';
}
