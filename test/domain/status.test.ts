import type { CanaryStatus, Phase } from '../../domain/canary.js';
import { changedFields, mergeStatus } from '../../domain/status.js';

const then = '2030-01-01T00:00:00Z';
const now = '2030-01-01T00:01:00Z';
const at = (time: string) => Date.parse(time);

const progressing: CanaryStatus = {
  phase: 'Progressing',
  canaryWeight: 10,
  failedChecks: 2,
  iterations: 0,
  lastAppliedSpec: 'aaaaaaaaaa',
  lastPromotedSpec: 'bbbbbbbbbb',
  lastTransitionTime: then,
  conditions: [
    {
      type: 'Promoted',
      status: 'Unknown',
      reason: 'Progressing',
      message: 'New revision detected, progressing canary analysis.',
      lastUpdateTime: then,
      lastTransitionTime: then,
    },
  ],
};

describe('a status write', () => {
  it('changes the given fields and the time, and nothing else', () => {
    const patch = { phase: 'Progressing', canaryWeight: 20 } as const;

    expect(mergeStatus(progressing, patch, 'Deployment', at(now))).toEqual({
      ...progressing,
      canaryWeight: 20,
      lastTransitionTime: now,
    });
  });

  it('that changes nothing is none', () => {
    const patch = { phase: 'Progressing', canaryWeight: 10, failedChecks: 2 } as const;

    expect(mergeStatus(progressing, patch, 'Deployment', at(now))).toBe(progressing);
  });

  it('keeps what it does not know', () => {
    const live = { ...progressing, trackedConfigs: { 'secret/a': '0' } };

    expect(mergeStatus(live, { failedChecks: 3 }, 'Deployment', at(now))).toHaveProperty(
      'trackedConfigs',
      { 'secret/a': '0' },
    );
  });

  it('sends only what differs, the conditions as a whole', () => {
    const after = mergeStatus(progressing, { phase: 'Failed', canaryWeight: 10 }, 'Any', at(now));

    expect(changedFields(progressing, after)).toEqual({
      phase: 'Failed',
      conditions: [expect.objectContaining({ type: 'Promoted', reason: 'Failed' })],
      lastTransitionTime: now,
    });
  });

  it.each([
    ['says which checksums are gone', { b: '3' }, { a: null, b: '3' }],
    ['says that all are', {}, { a: null, b: null }],
    ['adds others', { a: '1', b: '2', c: '3' }, { a: '1', b: '2', c: '3' }],
  ])('%s', (_name, trackedConfigs, sent) => {
    const live = { ...progressing, trackedConfigs: { a: '1', b: '2' } };
    const after = mergeStatus(live, { trackedConfigs }, 'Any', at(now));

    expect(changedFields(live, after)).toEqual({ trackedConfigs: sent, lastTransitionTime: now });
  });

  it('writes times in whole seconds, as the API server does', () => {
    const { lastTransitionTime } = mergeStatus({}, { iterations: 1 }, 'Any', at(now) + 789);

    expect(lastTransitionTime).toBe(now);
  });

  it('repairs a condition that does not belong to the phase', () => {
    const live = { ...progressing, conditions: [] };

    expect(
      mergeStatus(live, { phase: 'Progressing' }, 'Deployment', at(now)).conditions,
    ).toHaveLength(1);
  });
});

describe('the condition Promoted', () => {
  it.each<[Phase, string, string]>([
    ['Initializing', 'Unknown', 'New Deployment detected, starting initialization.'],
    ['Initialized', 'True', 'Deployment initialization completed.'],
    ['Waiting', 'Unknown', 'Waiting for approval.'],
    ['Progressing', 'Unknown', 'New revision detected, progressing canary analysis.'],
    ['WaitingPromotion', 'Unknown', 'Waiting for approval.'],
    ['Promoting', 'Unknown', 'Canary analysis completed, starting primary rolling update.'],
    ['Finalising', 'Unknown', 'Canary analysis completed, routing all traffic to primary.'],
    ['Succeeded', 'True', 'Canary analysis completed successfully, promotion finished.'],
    ['Failed', 'False', 'Canary analysis failed, Deployment scaled to zero.'],
    ['Terminating', 'Unknown', 'New Deployment detected, starting initialization.'],
  ])('is for %s: %s, %s', (phase, status, message) => {
    expect(mergeStatus({}, { phase }, 'Deployment', at(now)).conditions).toEqual([
      {
        type: 'Promoted',
        status,
        reason: phase,
        message,
        lastUpdateTime: now,
        lastTransitionTime: now,
      },
    ]);
  });

  it.each<[string, Phase, string]>([
    ['keeps its transition time while its status stays', 'Promoting', then],
    ['has a new transition time when its status changes', 'Succeeded', now],
  ])('%s', (_name, phase, lastTransitionTime) => {
    const { conditions } = mergeStatus(progressing, { phase }, 'Deployment', at(now));

    expect(conditions).toEqual([
      expect.objectContaining({ reason: phase, lastUpdateTime: now, lastTransitionTime }),
    ]);
  });

  it('is not touched by writes that leave the phase alone', () => {
    const { conditions } = mergeStatus(progressing, { failedChecks: 3 }, 'Deployment', at(now));

    expect(conditions).toBe(progressing.conditions);
  });
});
