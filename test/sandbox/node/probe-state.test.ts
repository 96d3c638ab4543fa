import { afterResult, initialProbeState, nextProbe } from '../../../sandbox/node/probe-state.js';
import type { ProbeKind, ProbeState } from '../../../sandbox/node/probe-state.js';

function after(
  kind: ProbeKind,
  results: readonly ('success' | 'failure')[],
  probe = {},
): ProbeState {
  return results.reduce(
    (state, result) => afterResult(state, result, probe),
    initialProbeState(kind),
  );
}

describe('afterResult', () => {
  it.each([
    ['readiness', ['success'], 'success'],
    ['readiness', ['success', 'failure', 'failure'], 'success'],
    ['readiness', ['success', 'failure', 'failure', 'failure'], 'failure'],
    ['liveness', [], 'success'],
    ['liveness', ['failure', 'failure', 'success', 'failure'], 'success'],
    ['startup', [], 'unknown'],
    ['startup', ['failure', 'failure', 'failure'], 'failure'],
  ] as const)('judges %s after %j as %s', (kind, results, verdict) => {
    expect(after(kind, results).verdict).toBe(verdict);
  });

  it('waits for the success threshold', () => {
    const probe = { successThreshold: 2 };
    expect(after('readiness', ['success'], probe).verdict).toBe('failure');
    expect(after('readiness', ['success', 'success'], probe).verdict).toBe('success');
  });
});

describe('nextProbe', () => {
  const probe = { httpGet: { port: 80 }, periodSeconds: 5 };
  const plan = (
    kind: ProbeKind,
    state: ProbeState,
    nowMs: number,
    lastRegularMs: number | undefined,
  ): ReturnType<typeof nextProbe> => nextProbe(kind, probe, state, { nowMs, lastRegularMs });

  it('looks at once after the start', () => {
    expect(plan('readiness', initialProbeState('readiness'), 0, undefined)).toEqual({
      atMs: 0,
      counts: true,
    });
  });

  it('honours the initial delay', () => {
    const delayed = { ...probe, initialDelaySeconds: 3 };
    const times = { nowMs: 0, lastRegularMs: undefined };
    const state = initialProbeState('readiness');
    expect(nextProbe('readiness', delayed, state, times)).toEqual({ atMs: 3000, counts: true });
  });

  it('looks eagerly until the first success, without counting failures', () => {
    const failed = after('readiness', ['failure']);
    expect(plan('readiness', failed, 10, 0)).toEqual({ atMs: 110, counts: false });
    expect(plan('readiness', failed, 4950, 0)).toEqual({ atMs: 5000, counts: true });
    expect(plan('readiness', failed, 12_000, 10_000)).toEqual({ atMs: 12_250, counts: false });
  });

  it('keeps to the period once the container has answered', () => {
    expect(plan('readiness', after('readiness', ['success']), 10, 0).atMs).toBe(5000);
    const failing = after('readiness', ['success', 'failure', 'failure', 'failure']);
    expect(plan('readiness', failing, 20_010, 20_000)).toEqual({ atMs: 25_000, counts: true });
  });

  it('never looks eagerly for liveness', () => {
    expect(plan('liveness', after('liveness', ['failure']), 10, 0).atMs).toBe(5000);
  });

  it('does not catch up on periods a slow probe has used up', () => {
    const state = after('readiness', ['success']);
    expect(plan('readiness', state, 12_000, 0)).toEqual({ atMs: 12_000, counts: true });
    expect(plan('readiness', state, 12_001, 12_000).atMs).toBe(17_000);
  });
});
