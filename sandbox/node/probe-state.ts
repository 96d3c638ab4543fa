import type { V1Probe } from '@kubernetes/client-node';

/** What a container is probed for. */
export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** A probe's verdict and the row of equal results that may turn it. */
export type ProbeState = {
  readonly verdict: 'unknown' | 'success' | 'failure';
  readonly lastResult: 'success' | 'failure' | undefined;
  readonly runLength: number;
  /** Whether the container has answered well at all. */
  readonly succeededOnce: boolean;
};

/** Before the first result a container counts as alive but neither as started nor as ready. */
export function initialProbeState(kind: ProbeKind): ProbeState {
  const verdict = { startup: 'unknown', readiness: 'failure', liveness: 'success' } as const;
  return { verdict: verdict[kind], lastResult: undefined, runLength: 0, succeededOnce: false };
}

/** The state after one more result: the verdict turns once a row is as long as its threshold. */
export function afterResult(
  state: ProbeState,
  result: 'success' | 'failure',
  probe: Pick<V1Probe, 'successThreshold' | 'failureThreshold'>,
): ProbeState {
  const runLength = state.lastResult === result ? state.runLength + 1 : 1;
  const threshold =
    result === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return {
    verdict: runLength >= threshold ? result : state.verdict,
    lastResult: result,
    runLength,
    succeededOnce: state.succeededOnce || result === 'success',
  };
}

/** Milliseconds between two looks at a container that is still starting. */
const eagerMs = { network: 100, exec: 500 } as const;
/** After this long a start counts as slow and is looked at four times a second only. */
const patienceMs = 10_000;
const patientMs = 250;

/** When a probe runs next, and whether a failure then counts. Times in ms since the container's start. */
export type NextProbe = { readonly atMs: number; readonly counts: boolean };

/**
 * Plans the next probe. Beside the regular ones (initialDelaySeconds, then every periodSeconds) a
 * container that has not succeeded yet is looked at eagerly, so that it is ready the moment it
 * answers; these extra looks can only succeed, their failures count for nothing.
 */
export function nextProbe(
  kind: ProbeKind,
  probe: V1Probe,
  state: ProbeState,
  times: { readonly nowMs: number; readonly lastRegularMs: number | undefined },
): NextProbe {
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const { nowMs, lastRegularMs } = times;
  const dueMs = lastRegularMs === undefined ? delayMs : lastRegularMs + periodMs;
  const regularMs = Math.max(dueMs, nowMs);
  if (kind === 'liveness' || state.succeededOnce || lastRegularMs === undefined) {
    return { atMs: regularMs, counts: true };
  }
  const usualMs = probe.exec === undefined ? eagerMs.network : eagerMs.exec;
  const pauseMs = nowMs > patienceMs ? Math.max(usualMs, patientMs) : usualMs;
  const eagerAtMs = nowMs + pauseMs;
  return eagerAtMs < regularMs
    ? { atMs: eagerAtMs, counts: false }
    : { atMs: regularMs, counts: true };
}
