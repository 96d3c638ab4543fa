import type { Status } from '../../api/client.js';
import { historyShape, runShape, statusShape } from '../../cli/shapes.js';
import {
  endingText,
  historyText,
  planText,
  progressText,
  releasesText,
  statusText,
  whyText,
} from '../../cli/text.js';
import type { ReleaseState } from '../../domain/release.js';

const now = Date.UTC(2026, 10, 21, 12, 0, 0);

const state: ReleaseState = {
  stage: 'analysing',
  phase: 'Progressing',
  revision: '6cbf',
  promotedRevision: '5abc',
  images: ['cart:2.1'],
  weight: 40,
  iterations: 0,
  mirrored: false,
  failedChecks: 1,
  undecided: 0,
  checks: 5,
  lastCheck: {
    verdict: 'failed',
    at: now - 3_000,
    check: 'request-success-rate',
    reason: 'Halt cart.shop advancement success rate 98.20% < 99%',
    repaired: false,
    readings: [
      { metric: 'request-success-rate', value: 98.2, threshold: '>= 99', passed: false },
      { metric: 'errors', threshold: '<= 5', passed: true },
    ],
  },
  startedAt: now - 60_000,
  since: now - 3_000,
  due: now + 7_000,
  deadline: now + 600_000,
  awaiting: 'canary',
  waitedForPeopleMs: 0,
  approvals: [{ gate: 'qa', actor: 'alice', at: now - 30_000 }],
  announced: false,
  confirmed: true,
  opened: true,
  cookies: {},
  reconciled: 1,
  reports: 7,
};

const open: Status = {
  canary: { namespace: 'shop', name: 'cart' },
  workflowId: 'release/default/shop/cart',
  runId: 'run-1',
  running: true,
  startedAt: now - 60_000,
  revision: '6cbf',
  state,
  why: {
    waitingFor: 'the next check at weight 40',
    since: now - 3_000,
    until: now + 7_000,
    endsWhen: 'the analysis interval is over',
  },
  troubles: [],
};

const rolledBack = {
  runId: 'run-1',
  revision: '6cbf',
  outcome: 'rolled-back',
  message: 'revision 6cbf was rolled back: failed checks threshold reached 5',
  startedAt: now - 90_000,
  endedAt: now - 30_000,
  cause: {
    type: 'AnalysisFailed',
    message: 'failed checks threshold reached 5',
    check: 'latency',
    value: 612.34567,
    threshold: '<= 500ms',
  },
} as const;

const { why: ignored, ...rest } = open;
const closed: Status = { ...rest, running: false, ending: rolledBack };

describe('status', () => {
  it('shows an open release: traffic, check, wait', () => {
    expect(statusText(open, now)).toBe(
      [
        'shop/cart  revision 6cbf (cart:2.1)  Progressing',
        '████████░░░░░░░░░░░░ 40% canary',
        'check 5 failed: Halt cart.shop advancement success rate 98.20% < 99%, 1 failed so far',
        '  ✗ request-success-rate 98.2 (allowed >= 99)',
        '  ✓ errors no data (allowed <= 5)',
        'waits for the next check at weight 40 (for 3s, 7s left); ends when the analysis interval is over',
      ].join('\n'),
    );
  });

  it('tells of a closed one how it ended', () => {
    expect(statusText(closed, now)).toContain(
      'failed checks threshold reached 5 (latency was 612.346, allowed <= 500ms) (30s ago)',
    );
    expect(whyText(closed, now)).toMatch(/^shop\/cart: nothing is running; revision 6cbf was/);
  });

  it('has every field in JSON, null where there is nothing to say', () => {
    expect(statusShape(open)).toMatchObject({
      canary: 'shop/cart',
      until: '2026-11-21T12:00:07.000Z',
      endedAt: null,
      outcome: null,
    });
    const { state: none, ...unknown } = open;
    expect(Object.keys(statusShape(unknown)).sort()).toEqual(Object.keys(statusShape(open)).sort());
  });
});

describe('why', () => {
  it('adds what fails', () => {
    const troubles = [
      {
        kind: 'activity',
        activity: 'route',
        failures: 3,
        message: 'forbidden',
        nextAttempt: now + 2_000,
      },
      { kind: 'workflow-task', failures: 1 },
      { kind: 'no-worker', taskQueue: 'sluice/default' },
    ] as const;

    const lines = whyText({ ...open, troubles }, now).split('\n');

    expect(lines.slice(2)).toEqual([
      '! route failed 3 times: forbidden; next attempt in 2s',
      "! the workflow's own code fails (once); see the worker's log",
      '! no worker answers on task queue sluice/default: nothing moves until one does',
    ]);
  });
});

describe('an ending', () => {
  it.each([
    [{ message: 'revision a was promoted' }, 'revision a was promoted'],
    [
      {
        message: 'revision a was rolled back: as bob asked: errors',
        cause: { type: 'RolledBack', message: '', actor: 'bob', reason: 'errors' },
      },
      'revision a was rolled back: as bob asked: errors',
    ],
    [
      {
        message: 'revision a was rolled back: failed checks threshold reached 2',
        cause: { type: 'AnalysisFailed', message: '', check: 'latency', reason: 'no values found' },
      },
      'revision a was rolled back: failed checks threshold reached 2 (no values found)',
    ],
  ] as const)('%j', (ending, text) => {
    expect(endingText(ending)).toBe(text);
  });
});

it('shows progress in one line', () => {
  expect(progressText(open)).toBe(
    'analysing at 40%, check 5 failed: Halt cart.shop advancement success rate 98.20% < 99%;' +
      ' waits for the next check at weight 40',
  );
});

it('marks the steps of a plan', () => {
  expect(
    planText([
      { step: 'scale up', state: 'done' },
      { step: '10%', state: 'now' },
      { step: 'promote', state: 'to do' },
    ]),
  ).toBe('✓ scale up\n▶ 10%\n○ promote');
});

describe('lists', () => {
  const run = {
    canary: { namespace: 'shop', name: 'cart' },
    runId: 'run-1',
    running: false,
    revision: '6cbf',
    phase: 'Failed',
    startedAt: now - 3_900_000,
    endedAt: now,
    outcome: 'rolled-back',
  } as const;

  it('show what runs by its phase and what ended by its outcome', () => {
    const { endedAt, outcome, ...openRun } = { ...run, running: true, phase: 'Progressing' };

    expect(releasesText([runShape(openRun, now), runShape(run, now)])).toBe(
      [
        'CANARY     OUTCOME      REVISION  STARTED               DURATION',
        'shop/cart  Progressing  6cbf      2026-11-21T10:55:00Z  1h5m',
        'shop/cart  rolled-back  6cbf      2026-11-21T10:55:00Z  1h5m',
      ].join('\n'),
    );
  });

  it('of the past say how each run ended', () => {
    expect(historyText([historyShape(runShape(run, now, rolledBack), [])])).toContain(
      'run-1  revision 6cbf was rolled back: failed checks threshold reached 5 (latency was',
    );
  });

  it('of the past say what was delivered of each run, and what was not', () => {
    const told = { hook: 'chat', event: 'Canary failed!', attempts: 1, at: now };
    const records = [
      { ...told, key: 'run-1/3/before/0/0', outcome: 'delivered' },
      { ...told, key: 'run-1/3/before/1/0', outcome: 'given-up', attempts: 10, fault: 'HTTP 500' },
      { ...told, key: 'run-2/3/before/0/0', outcome: 'delivered' },
    ] as const;
    const shapes = [run, { ...run, runId: 'run-2' }].map((one) =>
      historyShape(runShape(one, now, rolledBack), records),
    );

    expect(shapes[0]?.deliveries[1]).toEqual({
      hook: 'chat',
      event: 'Canary failed!',
      outcome: 'given-up',
      attempts: 10,
      at: '2026-11-21T12:00:00.000Z',
      fault: 'HTTP 500',
    });
    const [head, first, second, ...rest] = historyText(shapes).split('\n');
    expect(head).toContain('RUN    DELIVERED  HOW IT ENDED');
    expect(first).toContain('run-1  1/2        revision 6cbf');
    expect(second).toContain('run-2  1/1        revision 6cbf');
    expect(rest).toEqual([
      '! 2026-11-21T12:00:00Z given-up to chat after 10 attempts: HTTP 500 (Canary failed!)',
    ]);
  });
});
