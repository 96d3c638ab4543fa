import { knative } from '../../../activities/routers/knative.js';
import type { CanaryStatus } from '../../../domain/canary.js';
import { pinned, promoted } from '../../../domain/knative.js';
import type { KnativeService, KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = knative();
const canary = aCanary({
  spec: {
    provider: 'knative',
    targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' },
  },
});
const unmarked: KnativeService = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'test', annotations: { note: 'theirs' } },
  spec: {
    template: {},
    traffic: [
      { latestRevision: true, percent: 60 },
      { latestRevision: false, revisionName: 'hello-00000', percent: 40, tag: 'old' },
    ],
  },
};
const service = pinned(unmarked, canary.name, 'hello-00001');
type Entry = NonNullable<KnativeService['spec']['traffic']>[number];
const withTraffic = (...traffic: Entry[]): KnativeService => ({
  ...service,
  spec: { ...service.spec, traffic },
});
const latest = (percent: number) => ({ latestRevision: true, percent });
const revision = (revisionName: string, percent: number) => ({
  latestRevision: false,
  revisionName,
  percent,
});
const tagged = { ...revision('hello-00000', 0), tag: 'old' };
const rendered = (weight: number, live: KubeObject, of = canary) =>
  router.render(of, at(weight), [live])[0] as KnativeService;

describe('with a tag of somebody else', () =>
  testRouter({
    router,
    canary,
    seed: [withTraffic(tagged)],
    foreign: unmarked,
    isTarget: true,
    disturb: (object) => {
      const { spec } = object as KnativeService;
      return {
        ...object,
        spec: { ...spec, traffic: [...(spec.traffic ?? []), revision('hello-00000', 0)] },
      };
    },
  }));

it('splits the traffic of the target, and keeps the addresses others have by tags', () => {
  expect(rendered(30, service)).toEqual(
    withTraffic(latest(30), revision('hello-00001', 70), tagged),
  );
});

it('takes what others gave their entries of the traffic', () => {
  const live = withTraffic(latest(0), revision('hello-00000', 80), { ...tagged, percent: 20 });

  expect(rendered(0, live).spec.traffic).toEqual([latest(0), revision('hello-00001', 100), tagged]);
});

it('goes to the new primary behind a promotion, and reads nothing in between', () => {
  const live = promoted(rendered(100, service), 'hello-00002');

  expect(router.parse(canary, [live])).toBeUndefined();
  expect(rendered(0, live).spec.traffic).toEqual([latest(0), revision('hello-00002', 100), tagged]);
});

it.each<[string, Entry[]]>([
  ['is nothing', []],
  ['leaves out the primary', [latest(100)]],
  ['leaves out the canary', [revision('hello-00001', 100)]],
  ['names another primary', [latest(50), revision('hello-00009', 50)]],
  ['does not add up', [latest(50), revision('hello-00001', 20)]],
  ['has a share for a tag', [latest(50), revision('hello-00001', 50), { ...tagged, percent: 10 }]],
])('reads no routes from traffic that %s', (_, traffic) => {
  expect(router.parse(canary, [withTraffic(...traffic)])).toBeUndefined();
});

it('reads entries as Flagger writes them', () => {
  const live = withTraffic(latest(30), { revisionName: 'hello-00001', percent: 70 });

  expect(router.parse(canary, [live])).toEqual(toCanary(30));
});

describe('without its annotation', () => {
  it('goes by what was promoted last, and writes that down again', () => {
    const status = { lastPromotedSpec: 'hello-00001', observedGeneration: 1 };

    expect(rendered(30, unmarked, { ...canary, status })).toEqual(rendered(30, service));
  });

  it.each<[string, CanaryStatus]>([
    ['nothing was promoted', {}],
    ['one is promoted', { lastPromotedSpec: 'hello-00001', phase: 'Promoting' }],
    ['only Flagger knows what was', { lastPromotedSpec: '6c9dbdd48d' }],
  ])('writes nothing while %s', (_, status) => {
    expect(() => rendered(30, unmarked, { ...canary, status })).toThrow(
      'service hello.test has no annotation flagger.app/primary-revision',
    );
  });
});

it('refuses a target that is gone', () => {
  expect(() => router.render(canary, at(0), [])).toThrow('service hello.test not found');
});

it('gives the traffic to whatever is the latest revision, once', () => {
  const [given] = router.finalize(canary, [rendered(30, service)]);

  expect(given).toEqual({ ...unmarked, spec: { template: {}, traffic: [latest(100), tagged] } });
  expect(router.finalize(canary, [given!])).toEqual([]);
  expect(router.finalize(canary, [])).toEqual([]);
  expect(router.finalize({ ...canary, name: 'other' }, [service])).toEqual([]);
});

it('leaves the target to Flux', () => {
  expect(rendered(0, service).metadata).toEqual(service.metadata);
});

describe('acceptance', () => {
  const reported = (status: string, observedGeneration = 3, fields: object = {}): KubeObject => ({
    ...service,
    metadata: { ...service.metadata, generation: 3 },
    status: { observedGeneration, conditions: [{ type: 'RoutesReady', status, ...fields }] },
  });

  it.each<[string, KubeObject[], object]>([
    ['unreported without a Service', [], { kind: 'unreported' }],
    ['unreported without a condition', [service], { kind: 'unreported' }],
    ['given when the routes are ready', [reported('True')], { kind: 'accepted' }],
    ['pending for an older generation', [reported('True', 2)], { kind: 'pending' }],
    ['pending while they are not known to be', [reported('Unknown')], { kind: 'pending' }],
    [
      'refused with the reason',
      [reported('False', 3, { reason: 'RevisionMissing', message: 'no such revision' })],
      { kind: 'refused', reason: 'RevisionMissing: no such revision' },
    ],
    ['refused without one', [reported('False')], { kind: 'refused', reason: 'no reason given' }],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(canary, live)).toEqual(expected);
  });
});
