import {
  claimedBy,
  pinned,
  previousRevisionOf,
  primaryRevisionOf,
  promoted,
  restored,
  revisionReadiness,
} from '../../domain/knative.js';
import type { KnativeService } from '../../domain/objects.js';

const service: KnativeService = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'test', annotations: { note: 'x' } },
  spec: { template: {} },
};
const first = pinned(service, 'canary', 'hello-00001');

it('a primary is pinned by an annotation and gets all the traffic', () => {
  expect(primaryRevisionOf(first)).toBe('hello-00001');
  expect(claimedBy(first)).toBe('canary');
  expect(first.metadata.annotations).toMatchObject({ note: 'x' });
  expect(first.spec).toEqual({
    template: {},
    traffic: [
      { latestRevision: true, percent: 0 },
      { latestRevision: false, revisionName: 'hello-00001', percent: 100 },
    ],
  });
});

it('a promotion moves the annotation, remembers where it was, and leaves the traffic alone', () => {
  const second = promoted(first, 'hello-00002');

  expect(primaryRevisionOf(second)).toBe('hello-00002');
  expect(previousRevisionOf(second)).toBe('hello-00001');
  expect(second.spec).toBe(first.spec);
  expect(promoted(second, 'hello-00002')).toBe(second);
  expect(primaryRevisionOf(restored(second, 'hello-00001'))).toBe('hello-00001');
});

it.each([
  ['is ready when it says so', [{ type: 'Ready', status: 'True' }], undefined],
  [
    'is waited for while it does not know',
    [{ type: 'Ready', status: 'Unknown', reason: 'Deploying' }],
    'revision r1 is not ready (Deploying)',
  ],
  [
    'is waited for when it failed: the deadline is the release’s own',
    [{ type: 'Ready', status: 'False', reason: 'ContainerMissing', message: 'no image' }],
    'revision r1 is not ready (ContainerMissing: no image)',
  ],
  ['is waited for before it says anything', undefined, 'revision r1 is not ready'],
])('a revision %s', (_name, conditions, waiting) => {
  const revision = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: 'r1' },
    status: conditions === undefined ? {} : { conditions },
  };

  expect(revisionReadiness('r1', revision)).toEqual(
    waiting === undefined
      ? { ready: true }
      : { ready: false, hopeless: false, reason: `waiting for rollout to finish: ${waiting}` },
  );
});

it('a revision that is gone is waited for too', () => {
  expect(revisionReadiness('r1', undefined)).toMatchObject({
    reason: 'waiting for rollout to finish: revision r1 not found',
  });
});
