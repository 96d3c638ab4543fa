import { alerted, closedGateText, failingAlert, type Alert } from '../../domain/alerts.js';
import { afterTell } from '../../domain/after.js';
import { begin } from '../../domain/begin.js';
import type { Move, Report } from '../../domain/moves.js';
import { making, nextMove } from '../../domain/next-move.js';
import type { Cause, Plan, ReleaseState } from '../../domain/release.js';
import { unblocked } from '../../domain/turn.js';
import { aCanary } from '../activities/a-canary.js';
import { aGate, aPlan } from '../workflows/fake-cluster.js';

const now = Date.UTC(2030, 0, 2, 3, 4, 5);
const plan = aPlan();
const begun = begin(
  {
    kind: 'ready',
    plan,
    status: {
      phase: 'Succeeded',
      lastAppliedSpec: 'v1',
      lastPromotedSpec: 'v1',
      observedGeneration: 1,
    },
    revision: 'v2',
    images: ['shop:2'],
  },
  { kind: 'change' },
  undefined,
  now,
);

const release = [
  { name: 'Revision', value: 'v2' },
  { name: 'Images', value: 'shop:2' },
];

/** The alert of the next move, and whether it goes with the first event of the move. */
function alertOf(change: Partial<ReleaseState>, of: Plan = plan): Alert | undefined {
  const state = { ...begun, ...change };
  const alerts = alertsOf(alerted(of, state, nextMove(of, state, now)));
  expect(alerts.slice(1).every((alert) => alert === undefined)).toBe(true);
  return alerts[0];
}

function alertsOf(move: Move): (Alert | undefined)[] {
  const { before = [], after = [] }: Partial<Report> = 'report' in move ? move.report : {};
  return [...before, ...after].map(({ alert }) => alert);
}

const reason = 'Halt podinfo.test advancement success rate 42.12% < 99%';
const failedChecks: Cause = {
  type: 'AnalysisFailed',
  message: 'failed checks threshold reached 2',
  check: 'request-success-rate',
  reason,
  value: 42.1234,
  threshold: '>= 99',
};

const decided = [
  { name: 'Check', value: 'request-success-rate' },
  { name: 'Value', value: '42.123' },
  { name: 'Threshold', value: '>= 99' },
  { name: 'Reason', value: reason },
];

const withHooks: Partial<Plan> = { hooks: { 'post-rollout': ['tell'] } };
const aClosedGate = {
  stage: 'gating',
  gate: { name: 'qa', before: 'rollout', since: now },
} as const;

describe('what people are told by message', () => {
  it.each<[string, Partial<ReleaseState>, Partial<Plan>, Alert]>([
    [
      'the end of the initialisation',
      { stage: 'initialising', phase: 'Initializing' },
      {},
      {
        severity: 'info',
        message: 'New Deployment detected, initialization completed.',
        facts: release,
        withSettings: true,
      },
    ],
    [
      'the beginning of a release',
      { stage: 'scaling-up' },
      {},
      {
        severity: 'info',
        message: 'New revision detected, progressing canary analysis.',
        facts: release,
        withSettings: true,
      },
    ],
    [
      'a promotion',
      { stage: 'finishing' },
      {},
      {
        severity: 'info',
        message: 'Canary analysis completed successfully, promotion finished.',
        facts: release,
      },
    ],
    [
      'a promotion without analysis',
      { stage: 'finishing' },
      { skipAnalysis: true },
      {
        severity: 'info',
        message: 'Canary analysis was skipped, promotion finished.',
        facts: release,
      },
    ],
    [
      'a promotion, behind the hooks that follow it',
      { stage: 'concluding', ended: 'promoted' },
      { hooks: { 'post-rollout': ['tell'] } },
      {
        severity: 'info',
        message: 'Canary analysis completed successfully, promotion finished.',
        facts: release,
      },
    ],
    [
      'a rollback by failed checks',
      { stage: 'rolling-back', cause: failedChecks },
      {},
      {
        severity: 'error',
        message: 'Failed checks threshold reached 2',
        facts: [...release, ...decided],
      },
    ],
    [
      'a rollback by a deadline',
      {
        stage: 'rolling-back',
        cause: {
          type: 'DeadlineExceeded',
          message: 'progress deadline exceeded 0 of 1 pods are ready',
          reason: '0 of 1 pods are ready',
        },
      },
      {},
      {
        severity: 'error',
        message: 'Progress deadline exceeded 0 of 1 pods are ready',
        facts: release,
      },
    ],
    [
      'a rollback by a webhook',
      {
        stage: 'rolling-back',
        cause: { type: 'RolledBack', message: 'manual webhook invoked', actor: 'webhook back' },
      },
      {},
      {
        severity: 'warn',
        message: 'Rolling back manual webhook invoked',
        facts: [...release, { name: 'By', value: 'webhook back' }],
      },
    ],
    [
      'a rollback by a person',
      {
        stage: 'rolling-back',
        cause: { type: 'RolledBack', message: 'as ann asked: slow', actor: 'ann', reason: 'slow' },
      },
      {},
      {
        severity: 'warn',
        message: 'Rolling back as ann asked: slow',
        facts: [...release, { name: 'By', value: 'ann' }],
      },
    ],
    [
      'a release that was lost',
      { stage: 'rolling-back', cause: { type: 'Abandoned', message: 'the release was cut off' } },
      {},
      { severity: 'error', message: 'Rolling back the release was cut off', facts: release },
    ],
    [
      'a promotion that failed',
      {
        stage: 'failing-promotion',
        cause: { type: 'DeadlineExceeded', message: 'crashing', reason: 'crashing' },
      },
      {},
      {
        severity: 'error',
        message: 'Promotion failed, primary not ready: crashing',
        facts: release,
      },
    ],
    [
      'a release that is held',
      { stage: 'holding', cause: failedChecks },
      { onFailure: 'hold' },
      {
        severity: 'error',
        message:
          'Failed checks threshold reached 2, waiting for a person to promote, retry or roll back.',
        facts: [...release, ...decided],
      },
    ],
    [
      'a gate before the rollout',
      { stage: 'gating', gate: { name: 'qa', before: 'rollout', since: now } },
      {},
      {
        severity: 'warn',
        message: 'Canary is waiting for approval.',
        facts: [...release, { name: 'Gate', value: 'qa' }],
      },
    ],
    [
      'a gate before more traffic',
      { stage: 'analysing', gate: { name: 'more', before: 'traffic-increase', since: now } },
      {},
      {
        severity: 'warn',
        message: 'Canary traffic increase is waiting for approval.',
        facts: [...release, { name: 'Gate', value: 'more' }],
      },
    ],
    [
      'a gate before the promotion, for somebody and not for ever',
      {
        stage: 'analysing',
        gate: { name: 'before-promotion', before: 'promotion', since: now, deadline: now + 1_500 },
      },
      { gates: [aGate('promotion', { approvers: ['ann', 'bob'] })] },
      {
        severity: 'warn',
        message: 'Canary promotion is waiting for approval.',
        facts: [
          ...release,
          { name: 'Gate', value: 'before-promotion' },
          { name: 'Approvers', value: 'ann, bob' },
          { name: 'Until', value: '2030-01-02T03:04:06Z' },
        ],
      },
    ],
    [
      'a revision that is refused',
      { stage: 'putting-back', next: 'v3' },
      { onNewRevision: 'refuse' },
      {
        severity: 'warn',
        message: 'Revision v3 of podinfo.test refused while revision v2 is being released',
        facts: release,
      },
    ],
    [
      'a release that is stuck',
      { stage: 'awaiting-primary', blocked: 'spec.service.port: is required' },
      {},
      {
        severity: 'error',
        message: 'Canary is stuck until a manifest is changed: spec.service.port: is required',
        facts: release,
      },
    ],
  ])('is %s', (_, state, change, alert) => {
    expect(alertOf(state, aPlan(change))).toEqual(alert);
  });

  it.each<[string, Partial<ReleaseState>, Partial<Plan>]>([
    ['the promotion before the hooks that follow it', { stage: 'finishing' }, withHooks],
    ['a rollback once more, behind it', { stage: 'concluding', ended: 'rolled-back' }, withHooks],
    ['a step', { stage: 'stepping', weight: 20 }, {}],
    ['a restart', { stage: 'restarting', next: 'v3' }, {}],
    ['a revision that waits', { stage: 'putting-back', next: 'v3' }, { onNewRevision: 'queue' }],
    ['a gate that was told of', { ...aClosedGate, announced: true }, {}],
    ['a hold that was told of', { stage: 'holding', cause: failedChecks, announced: true }, {}],
    ['what was told to be stuck', { stage: 'finishing', blocked: 'so', announced: true }, {}],
  ])('is not %s', (_, state, change) => {
    expect(alertOf(state, aPlan(change))).toBeUndefined();
  });

  it('has a level for each reason of a rollback', () => {
    const types: Record<Cause['type'], Alert['severity']> = {
      AnalysisFailed: 'error',
      DeadlineExceeded: 'error',
      RolledBack: 'warn',
      Rejected: 'warn',
      Reverted: 'warn',
      Abandoned: 'error',
      Cancelled: 'warn',
      InvalidSpec: 'error',
    };
    const found = Object.keys(types).map((type) => {
      const cause = { type: type as Cause['type'], message: '' };
      return [type, alertOf({ stage: 'rolling-back', cause })?.severity];
    });
    expect(Object.fromEntries(found)).toEqual(types);
  });

  it('is told again when a release is stuck again', () => {
    const state: ReleaseState = { ...begun, stage: 'finishing', blocked: 'so' };
    const told = afterTell({ plan, state, now });
    expect(alertOf(told)).toBeUndefined();
    expect(alertOf({ ...unblocked(told), blocked: 'still' })?.message).toContain('still');
  });

  it('keeps the key of the move that is stuck, under another one', () => {
    const cause: Cause = { type: 'Cancelled', message: 'as asked' };
    const undoing: ReleaseState = { ...begun, stage: 'rolling-back', cause };
    const blocked = { ...undoing, blocked: 'so' };
    const failed = nextMove(plan, undoing, now);
    const stuck = alerted(plan, blocked, nextMove(plan, blocked, now));
    const next = nextMove(plan, unblocked(making(blocked, stuck)), now);
    expect([failed, stuck, next].map((move) => 'report' in move && move.report.key)).toEqual([
      '0',
      '0/stuck/1',
      '0',
    ]);
  });

  it('leaves a gate of webhooks to the activity that asks them, and tells it of interruptions', () => {
    const asking = aPlan({ hooks: { 'confirm-rollout': ['may'] } });
    const state: ReleaseState = { ...begun, stage: 'gating' };
    const first = alerted(asking, state, nextMove(asking, state, now));
    const second = alerted(asking, making(state, first), nextMove(asking, state, now));
    expect(first).toMatchObject({ kind: 'awaitGate', revision: 'v2' });
    expect(first).not.toHaveProperty('again');
    expect(second).toMatchObject({ kind: 'awaitGate', again: true });
  });
});

describe('a closed gate of webhooks', () => {
  const hook = (type: string, more: object = {}): object => ({
    ...{ name: 'ask', type, url: 'http://a.test', ...more },
  });

  it.each([
    ['confirm-rollout', 'Canary is waiting for approval.'],
    ['confirm-traffic-increase', 'Canary traffic increase is waiting for approval.'],
    ['confirm-promotion', 'Canary promotion is waiting for approval.'],
  ] as const)('of type %s has its sentence', (type, message) => {
    const canary = aCanary({ analysis: { webhooks: [hook(type)] } });
    expect(closedGateText(canary, { type, hook: 'ask' }, 'v2')).toMatchObject({
      type: 'Warning',
      alert: {
        severity: 'warn',
        message,
        facts: [
          { name: 'Revision', value: 'v2' },
          { name: 'Gate', value: 'webhook ask' },
        ],
      },
    });
  });

  it('is an event only, when it is muted', () => {
    const webhooks = [hook('confirm-rollout', { muteAlert: true }), hook('confirm-promotion')];
    const canary = aCanary({ analysis: { webhooks } });
    const textOf = (type: 'confirm-rollout' | 'confirm-promotion') =>
      closedGateText(canary, { type, hook: 'ask' }, 'v2');
    expect(textOf('confirm-rollout')).not.toHaveProperty('alert');
    expect(textOf('confirm-promotion')).toHaveProperty('alert');
  });
});

it('tells of a failing activity once, when it has failed for about a minute', () => {
  const attempts = Array.from({ length: 40 }, (_, index) => index + 1);
  const told = attempts.filter((attempt) => failingAlert('route', attempt, 'no') !== undefined);
  expect(told).toEqual([12]);
  expect(failingAlert('route', 12, 'the API server is away')).toEqual({
    severity: 'warn',
    message: 'Canary makes no progress: the API server is away',
    facts: [
      { name: 'Activity', value: 'route' },
      { name: 'Attempts', value: '12' },
    ],
  });
});
