import type { Deployment, PodWorkload } from '../../domain/objects.js';
import {
  copiedRevisionOf,
  missingSelectorLabel,
  newPrimary,
  promotedPrimary,
  selectorLabelOf,
  stateBefore,
  type PrimarySource,
} from '../../domain/primary.js';
import { scaledToZero } from '../../domain/scale-to-zero.js';
import { aCanary } from '../activities/a-canary.js';
import { aDaemonSet } from '../activities/a-daemon-set.js';
import { aDeployment, type DeploymentParts } from '../activities/a-deployment.js';

const selectorLabels = ['app', 'name', 'app.kubernetes.io/name'];
const number = 'deployment.kubernetes.io/revision';
const generation = 'deprecated.daemonset.template.generation';
const before = 'sluice.dev/previous-deployment-revision';
const stamps = { 'flagger-id': 'an-id', 'sluice.dev/revision': 'aaaaaaaaaa' };

function sourceOf<T extends PodWorkload>(
  target: T,
  includeLabelPrefixes: string[] = [],
): PrimarySource<T> {
  return {
    target,
    selector: selectorLabelOf(target, selectorLabels)!,
    rules: { selectorLabels, includeLabelPrefixes },
    revision: 'aaaaaaaaaa',
    id: 'an-id',
  };
}

function created(parts: DeploymentParts, prefixes: string[] = []): Deployment {
  return newPrimary(aCanary(), sourceOf(aDeployment(parts), prefixes)) as Deployment;
}

function promoted(
  primary: Deployment,
  parts: DeploymentParts,
  prefixes?: string[],
  autoscaled = false,
): Deployment {
  const state = primary.metadata.annotations?.[number];
  return promotedPrimary(primary, sourceOf(aDeployment(parts), prefixes), { state, autoscaled });
}

describe('the selector label', () => {
  it.each([
    ['is the first of the allowed ones the target has', { name: 'x', app: 'y' }, 'app', 'y'],
    ['may be a later one', { tier: 'web', name: 'x' }, 'name', 'x'],
  ])('%s', (_name, matchLabels, label, value) => {
    const target = aDeployment({ spec: { selector: { matchLabels } } });

    expect(selectorLabelOf(target, selectorLabels)).toEqual({ label, value });
  });

  it('that is missing is explained', () => {
    const target = aDeployment({ spec: { selector: { matchLabels: { tier: 'web' } } } });

    expect(selectorLabelOf(target, selectorLabels)).toBeUndefined();
    expect(missingSelectorLabel(target, selectorLabels)).toBe(
      'getSelectorLabel failed: deployment podinfo.test spec.selector.matchLabels must contain one of [app name app.kubernetes.io/name]',
    );
  });
});

describe('a new primary', () => {
  it('is the target under another name and label, owned by the Canary', () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } };
    const settings = { strategy, minReadySeconds: 5, progressDeadlineSeconds: 60 };

    expect(created({ spec: { ...settings, paused: true } })).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'podinfo-primary',
        namespace: 'test',
        labels: { app: 'podinfo-primary' },
        annotations: {},
        ownerReferences: [
          {
            apiVersion: 'flagger.app/v1beta1',
            kind: 'Canary',
            name: 'podinfo',
            uid: 'a-uid',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        ...settings,
        replicas: 2,
        selector: { matchLabels: { app: 'podinfo-primary' } },
        template: {
          metadata: { labels: { app: 'podinfo-primary' }, annotations: stamps },
          spec: aDeployment().spec.template.spec,
        },
      },
    });
  });

  it('is named after the workload and selected by the label value (B4)', () => {
    const target = aDeployment({
      name: 'podinfo',
      spec: { selector: { matchLabels: { app: 'podinfo-service' } } },
    });
    const { metadata, spec } = newPrimary(aCanary(), sourceOf(target));

    expect(metadata.name).toBe('podinfo-primary');
    expect(spec.selector).toEqual({ matchLabels: { app: 'podinfo-service-primary' } });
    expect(spec.template.metadata?.labels).toEqual({ app: 'podinfo-service-primary' });
  });

  it('selects by one label, but its pods keep the others (B5)', () => {
    const labels = { app: 'podinfo', tier: 'web' };
    const { spec } = created({
      spec: { selector: { matchLabels: labels } },
      pods: { metadata: { labels } },
    });

    expect(spec.selector).toEqual({ matchLabels: { app: 'podinfo-primary' } });
    expect(spec.template.metadata?.labels).toEqual({ app: 'podinfo-primary', tier: 'web' });
  });

  it('has none of the marks of Flux (B6)', () => {
    const marks = { 'kustomize.toolkit.fluxcd.io/checksum': 'x', kept: 'y' };
    const { metadata, spec } = created(
      {
        metadata: { labels: marks, annotations: marks },
        pods: { metadata: { labels: marks, annotations: marks } },
      },
      ['*'],
    );

    expect([metadata.labels, metadata.annotations]).toEqual([
      { app: 'podinfo-primary', kept: 'y' },
      { kept: 'y' },
    ]);
    expect(spec.template.metadata).toEqual({
      labels: { app: 'podinfo-primary', kept: 'y' },
      annotations: { ...stamps, kept: 'y' },
    });
  });

  it('has the annotations of the target, but not its revision number', () => {
    const { metadata } = created({ metadata: { annotations: { [number]: '7', note: 'x' } } });

    expect(metadata.annotations).toEqual({ note: 'x' });
  });

  it.each<[string, string[], Record<string, string>]>([
    ['none without a prefix', [], {}],
    ['those with one of the prefixes', ['foo', 'lor'], { 'foo.bar/a': '1', 'lorem.ipsum/b': '2' }],
    ['all with the prefix *', ['*'], { 'foo.bar/a': '1', 'lorem.ipsum/b': '2', other: '3' }],
  ])('has of the labels of the target %s (B7)', (_name, prefixes, expected) => {
    const labels = { 'foo.bar/a': '1', 'lorem.ipsum/b': '2', other: '3' };

    expect(created({ metadata: { labels } }, prefixes).metadata.labels).toEqual({
      ...expected,
      app: 'podinfo-primary',
    });
  });

  it.each([
    ['as many pods as the target', 3, 3],
    ['one pod if the target has none', 0, 1],
  ])('has %s', (_name, replicas, expected) => {
    expect(created({ spec: { replicas } }).spec.replicas).toBe(expected);
  });

  it('is spread over nodes by its own pods (B9)', () => {
    const rule = (value: string, key = 'app') => ({
      topologyKey: 'zone',
      labelSelector: {
        matchLabels: { [key]: value },
        matchExpressions: [{ key, operator: 'In', values: ['other', value] }],
      },
    });
    const rules = (own: string) => ({
      affinity: {
        nodeAffinity: { kept: true },
        podAffinity: { required: [rule('podinfo')] },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [rule(own), rule('podinfo', 'tier')],
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: rule(own) },
          ],
        },
      },
      topologySpreadConstraints: [{ maxSkew: 1, ...rule(own) }, rule('somebody-else')],
    });

    expect(created({ pods: { spec: rules('podinfo') } }).spec.template.spec).toMatchObject(
      rules('podinfo-primary'),
    );
  });
});

describe('a promotion', () => {
  const primary: Deployment = {
    ...created({}),
    metadata: {
      ...created({}).metadata,
      annotations: { [number]: '4', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
  };
  const old: Deployment = {
    ...primary,
    spec: {
      ...primary.spec,
      minReadySeconds: 9,
      template: { metadata: { annotations: { 'sluice.dev/revision': 'oooooooooo' } } },
    },
  };

  it('copies the content and keeps the identity', () => {
    const next = promoted(old, { pods: { spec: { containers: [{ name: 'a', image: 'b' }] } } });

    expect(next.metadata.ownerReferences).toBe(primary.metadata.ownerReferences);
    expect(next.metadata.labels).toEqual({ app: 'podinfo-primary' });
    expect(next.spec.selector).toBe(primary.spec.selector);
    expect(next.spec.template).toEqual({
      metadata: { labels: { app: 'podinfo-primary' }, annotations: stamps },
      spec: { containers: [{ name: 'a', image: 'b' }] },
    });
    expect(copiedRevisionOf(next)).toBe('aaaaaaaaaa');
  });

  it('takes away what the target does not have', () => {
    expect(promoted(old, {}).spec).not.toHaveProperty('minReadySeconds');
  });

  it.each<[string, string[], Record<string, string>]>([
    ['none of the annotations of the target', [], {}],
    ['the annotations with an included prefix', ['foo'], { 'foo/a': '1' }],
  ])('leaves %s', (_name, prefixes, expected) => {
    const annotations = { 'foo/a': '1', other: '2', [number]: '9' };

    expect(promoted(old, { metadata: { annotations } }, prefixes).metadata.annotations).toEqual({
      ...expected,
      [number]: '4',
      [before]: '4',
    });
  });

  it('writes down the number to go back to once, and is the same when repeated', () => {
    const once = promoted(old, {});
    const rolledOut = {
      ...once,
      metadata: { ...once.metadata, annotations: { [number]: '5', [before]: '4' } },
    };

    expect(stateBefore(once)).toBe('4');
    expect(promoted(rolledOut, {})).toEqual(rolledOut);
  });

  it.each([
    ['has as many pods as the target', 5, 5],
    ['keeps its pods when the target has none', 0, 2],
  ])('%s', (_name, replicas, expected) => {
    expect(promoted(old, { spec: { replicas } }).spec.replicas).toBe(expected);
  });

  it('leaves the number of its pods to its autoscaler', () => {
    expect(promoted(old, { spec: { replicas: 5 } }, [], true).spec.replicas).toBe(2);
  });
});

describe('the primary of a DaemonSet', () => {
  const state = 'bbbbbbbbbb';
  const target = aDaemonSet({
    metadata: { annotations: { [generation]: '7', note: 'x' } },
    spec: { updateStrategy: { type: 'RollingUpdate' }, minReadySeconds: 3 },
  });
  const atRest = {
    ...target,
    spec: { ...target.spec, template: scaledToZero(target.spec.template) },
  };

  it('is the target under another name and label, without a number of pods', () => {
    const { metadata, spec } = newPrimary(aCanary(), sourceOf(target));

    expect(metadata).toMatchObject({ name: 'podinfo-primary', annotations: { note: 'x' } });
    expect(metadata.annotations).not.toHaveProperty([generation]);
    expect(spec).toEqual({
      updateStrategy: { type: 'RollingUpdate' },
      minReadySeconds: 3,
      selector: { matchLabels: { app: 'podinfo-primary' } },
      template: {
        metadata: { labels: { app: 'podinfo-primary' }, annotations: stamps },
        spec: target.spec.template.spec,
      },
    });
  });

  it('has pods also when it is made anew while the target is at rest (B25)', () => {
    expect(newPrimary(aCanary(), sourceOf(atRest)).spec.template.spec).not.toHaveProperty(
      'nodeSelector',
    );
  });

  it('writes down the state to go back to once, and is the same when repeated', () => {
    const old = aDaemonSet({
      metadata: { annotations: { [generation]: '2' } },
      pods: { spec: { containers: [{ name: 'podinfo', image: 'podinfo:0' }] } },
    });
    const once = promotedPrimary(old, sourceOf(atRest), { state, autoscaled: false });
    const again = { state: 'cccccccccc', autoscaled: false };

    expect(stateBefore(once)).toBe(state);
    expect(once.metadata.annotations).toEqual({
      [generation]: '2',
      'sluice.dev/previous-daemonset-revision': state,
    });
    expect(once.spec).not.toHaveProperty('replicas');
    expect(once.spec.template.spec).toEqual(target.spec.template.spec);
    expect(promotedPrimary(once, sourceOf(atRest), again)).toEqual(once);
  });
});
