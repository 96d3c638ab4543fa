import type { Phase } from '../../domain/canary.js';
import type { Deployment } from '../../domain/objects.js';
import type { CanaryObject } from '../../worker/canary-cache.js';
import { due, wanted, type Known, type Sent, type Wish } from '../../worker/wanted.js';

const now = 1_000_000;
const closed: Known = { open: false, listedAt: now - 1, now };
const open: Known = { ...closed, open: true };

/** A canary whose target is the revision `target` unless it is missing. */
function wish(
  phase: Phase,
  {
    target = 'r2',
    applied = 'r1',
    promoted = 'r1',
    generation = 1,
    suspend = false,
  }: Readonly<Record<string, string | number | boolean | undefined>> & { target?: string } = {},
): Wish {
  const canary = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'web', namespace: 'demo', uid: 'u1', generation },
    spec: { targetRef: { kind: 'Deployment', name: 'web' }, suspend },
    status:
      phase === '' ? undefined : { phase, lastAppliedSpec: applied, lastPromotedSpec: promoted },
  } as CanaryObject;
  return wanted(canary, target === 'missing' ? undefined : aDeployment(target), ({ metadata }) =>
    String(metadata?.labels?.['revision']),
  );
}

function aDeployment(revision: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'demo' },
    spec: {
      selector: {},
      template: {
        metadata: { labels: { revision } },
        spec: { containers: [{ name: 'app', image: `web:${revision}` }] },
      },
    },
  };
}

function sent({ sight }: Wish, more: Partial<Sent> = {}): Sent {
  return { sight, at: now - 60_000, restarts: 0, ...more };
}

it.each<[string, Wish, Wish['kind'], Wish['stage']]>([
  ['a new canary needs a run', wish(''), 'start', 'new'],
  ['also without its target', wish('', { target: 'missing' }), 'start', 'new'],
  ['one being set up needs one', wish('Initializing'), 'start', 'new'],
  ['at rest with a new revision', wish('Initialized'), 'start', 'rest'],
  ['at rest after a release', wish('Succeeded'), 'start', 'rest'],
  ['at rest after a rollback', wish('Failed', { applied: 'r0' }), 'start', 'rest'],
  ['no change', wish('Succeeded', { target: 'r1' }), 'tell', 'rest'],
  [
    'back to the promoted revision',
    wish('Failed', { target: 'r1', applied: 'r2' }),
    'tell',
    'rest',
  ],
  ['the revision that failed', wish('Failed', { applied: 'r2' }), 'tell', 'rest'],
  ['at rest without target', wish('Succeeded', { target: 'missing' }), 'tell', 'rest'],
  ['midway', wish('Progressing', { applied: 'r2' }), 'start', 'midway'],
  ['midway without target', wish('Finalising', { target: 'missing' }), 'start', 'midway'],
  ['suspended with a new revision', wish('Succeeded', { suspend: true }), 'tell', 'rest'],
  ['suspended midway', wish('Progressing', { suspend: true }), 'tell', 'midway'],
  ['deleted', wanted(undefined, undefined, String), 'tell', 'rest'],
])('%s', (_, { kind, stage }, expectedKind, expectedStage) => {
  expect({ kind, stage }).toEqual({ kind: expectedKind, stage: expectedStage });
});

it('tells revision, generation and images', () => {
  expect(wish('Succeeded', { generation: 3 }).sight).toEqual({
    uid: 'u1',
    revision: 'r2',
    generation: 3,
    phase: 'Succeeded',
    lastApplied: 'r1',
    images: ['app=web:r2'],
  });
});

it.each<[string, Wish, Sent | undefined, Known, ReturnType<typeof due>]>([
  ['starts a run', wish('Succeeded'), undefined, closed, 'start'],
  ['sends the same sight once', wish('Succeeded'), sent(wish('Succeeded')), open, 'nothing'],
  [
    'says nothing of phases an open run goes through',
    wish('Promoting', { applied: 'r2' }),
    sent(wish('Succeeded')),
    open,
    'nothing',
  ],
  [
    'tells an open run of a newer revision',
    wish('Progressing', { target: 'r3', applied: 'r2' }),
    sent(wish('Succeeded')),
    open,
    'start',
  ],
  [
    'tells an open run of an edited spec',
    wish('Progressing', { applied: 'r2', generation: 2 }),
    sent(wish('Succeeded')),
    open,
    'start',
  ],
  [
    'starts the revision that the last run was told of and did not release',
    wish('Failed', { target: 'r3', applied: 'r2' }),
    sent(wish('Progressing', { target: 'r3', applied: 'r2' })),
    open,
    'start',
  ],
  [
    'tells an open run that its canary was suspended, and starts none',
    wish('Progressing', { applied: 'r2', generation: 2, suspend: true }),
    sent(wish('Succeeded')),
    open,
    'tell',
  ],
  [
    'tells no run that is not open',
    wish('Progressing', { suspend: true }),
    undefined,
    closed,
    'nothing',
  ],
  [
    'tells an open run that its canary is gone',
    wanted(undefined, undefined, String),
    sent(wish('Progressing')),
    open,
    'tell',
  ],
  ['starts a missing run again', wish('Progressing'), sent(wish('Succeeded')), closed, 'restart'],
  ['also before it began', wish('Succeeded'), sent(wish('Succeeded')), closed, 'restart'],
  [
    'does not trust a list as old as the run',
    wish('Progressing'),
    sent(wish('Succeeded'), { at: now - 500 }),
    closed,
    'nothing',
  ],
  [
    'waits longer before each further restart',
    wish('Progressing'),
    sent(wish('Succeeded'), { at: now - 59_000, restarts: 3 }),
    closed,
    'nothing',
  ],
  [
    'but not forever',
    wish('Progressing'),
    sent(wish('Succeeded'), { at: now - 600_000, restarts: 30 }),
    closed,
    'restart',
  ],
])('%s', (_, wished, before, known, expected) => {
  expect(due(wished, before, known)).toBe(expected);
});
