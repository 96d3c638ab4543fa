import type { Phase } from '../../domain/canary.js';
import type { CanaryObject } from '../../worker/canary-cache.js';
import { due, remembered, wanted, type Known, type Sent, type Wish } from '../../worker/wanted.js';

const now = 1_000_000;
const closed: Known = { open: false, listedAt: now - 1, now };
const open: Known = { ...closed, open: true };

interface Parts {
  readonly target?: string;
  readonly applied?: string;
  readonly promoted?: string;
  readonly generation?: number;
  readonly observed?: number;
  readonly suspend?: boolean;
  readonly revertOnDeletion?: boolean;
  readonly finalizers?: readonly string[];
  readonly deleted?: boolean;
  readonly disorder?: readonly string[];
}

/** A canary whose target is the revision `target` unless it is missing. */
function wish(phase: Phase, parts: Parts = {}): Wish {
  const { target = 'r2', applied = 'r1', promoted = 'r1', generation = 1, disorder = [] } = parts;
  const { observed = generation, finalizers = [], deleted = false, ...spec } = parts;
  const canary = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: {
      ...{ name: 'web', namespace: 'demo', uid: 'u1', generation, finalizers },
      ...(deleted ? { deletionTimestamp: '2030-01-01T00:00:00Z' } : {}),
    },
    spec: { targetRef: { kind: 'Deployment', name: 'web' }, ...spec },
    status:
      phase === ''
        ? undefined
        : {
            phase,
            lastAppliedSpec: applied,
            lastPromotedSpec: promoted,
            observedGeneration: observed,
          },
  } as CanaryObject;
  return wanted(canary, () =>
    target === 'missing'
      ? { revision: '', images: [], disorder: [] }
      : { revision: target, images: [`app=web:${target}`], disorder },
  );
}

const gone = wanted(undefined, () => {
  throw new Error('there is nothing to look at');
});
const ours = ['finalizer.flagger.app'];
const atRest: Parts = { target: 'r1' };
const drifted: Parts = { ...atRest, disorder: ['service web.demo was changed'] };

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
  ['gone', gone, 'tell', 'rest'],
  ['at rest with another manifest', wish('Succeeded', { ...atRest, observed: 0 }), 'start', 'rest'],
  ['midway with another manifest', wish('Waiting', { observed: 0 }), 'start', 'midway'],
  ['at rest with a service out of order', wish('Failed', drifted), 'start', 'rest'],
  [
    'at rest without the finalizer it wants',
    wish('Succeeded', { ...atRest, revertOnDeletion: true }),
    'start',
    'rest',
  ],
  [
    'with the finalizer it wants',
    wish('Succeeded', { ...atRest, revertOnDeletion: true, finalizers: ours }),
    'tell',
    'rest',
  ],
  [
    'with a finalizer it does not want any more',
    wish('Succeeded', { ...atRest, finalizers: ours }),
    'start',
    'rest',
  ],
  [
    'with a finalizer of somebody else',
    wish('Succeeded', { ...atRest, finalizers: ['other'] }),
    'tell',
    'rest',
  ],
  [
    'suspended with all that',
    wish('Succeeded', { ...drifted, observed: 0, finalizers: ours, suspend: true }),
    'tell',
    'rest',
  ],
  ['being deleted', wish('Succeeded', { deleted: true, finalizers: ours }), 'start', 'rest'],
  [
    'being deleted while suspended',
    wish('Progressing', { deleted: true, finalizers: ours, suspend: true }),
    'start',
    'midway',
  ],
  [
    'being deleted, and already reverting',
    wish('Terminating', { deleted: true, finalizers: ours }),
    'start',
    'rest',
  ],
  ['being deleted without our finalizer', wish('Succeeded', { deleted: true }), 'tell', 'rest'],
  [
    'being deleted for somebody else',
    wish('Terminated', { deleted: true, finalizers: ['other'] }),
    'tell',
    'rest',
  ],
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
    upkeep: '',
  });
});

it('tells what has to be put right', () => {
  const { upkeep } = wish('Succeeded', { ...drifted, observed: 0, finalizers: ours }).sight;

  expect(upkeep).toBe(
    'its manifest was changed, its finalizer is not as it has to be, service web.demo was changed',
  );
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
  ['tells an open run that its canary is gone', gone, sent(wish('Progressing')), open, 'tell'],
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
  [
    'starts a run to put something right',
    wish('Succeeded', drifted),
    sent(wish('Succeeded', atRest)),
    closed,
    'start',
  ],
  [
    'does not send that twice',
    wish('Succeeded', drifted),
    sent(wish('Succeeded', drifted)),
    open,
    'nothing',
  ],
  [
    'tries again when the run has put nothing right',
    wish('Succeeded', drifted),
    sent(wish('Succeeded', drifted)),
    closed,
    'restart',
  ],
  [
    'but waits longer each time',
    wish('Succeeded', drifted),
    sent(wish('Succeeded', drifted), { at: now - 59_000, restarts: 3 }),
    closed,
    'nothing',
  ],
  [
    'also when something else is out of order by then',
    wish('Succeeded', { ...atRest, disorder: ['service web-primary.demo is missing'] }),
    sent(wish('Succeeded', drifted), { at: now - 59_000, restarts: 3 }),
    closed,
    'nothing',
  ],
  [
    'has nothing to do when all is in order again',
    wish('Succeeded', atRest),
    sent(wish('Succeeded', drifted)),
    closed,
    'nothing',
  ],
])('%s', (_, wished, before, known, expected) => {
  expect(due(wished, before, known)).toBe(expected);
});

it.each<[string, Wish, number, string]>([
  ['forgets what has been in order for a while', wish('Succeeded', atRest), 10_000, ''],
  ['remembers what was put right just now', wish('Succeeded', atRest), 9_999, 'as sent'],
  ['remembers what still is out of order', wish('Succeeded', drifted), 60_000, 'as sent'],
])('%s', (_, wished, ago, expected) => {
  const before = sent(wish('Succeeded', drifted), { at: now - ago, restarts: 2 });
  const { sight, ...rest } = remembered(before, wished, now);

  expect(sight.upkeep).toBe(expected === 'as sent' ? before.sight.upkeep : expected);
  expect(rest).toEqual({ at: now - ago, restarts: 2 });
});
