import { comparable, isFlaggers, revisionsLeft } from '../../domain/adoption.js';
import { begin } from '../../domain/begin.js';
import type { CanaryStatus, Phase } from '../../domain/canary.js';
import type { Deployment, PodTemplate } from '../../domain/objects.js';
import type { Revisions } from '../../domain/adoption.js';
import { aPlan } from '../workflows/fake-cluster.js';
import { goodWorld, simulate } from './simulate.js';

/** Names as Flagger writes them, and as we do. */
const flaggers = { lastAppliedSpec: '6c9dbdd48d', lastPromotedSpec: 'bf4c5d6789' };
const ours = { lastAppliedSpec: '0a1e23e4f5', lastPromotedSpec: 'a0a1e23e4f' };

describe('a status', () => {
  it.each<[string, CanaryStatus, boolean]>([
    ['with hashes of Flagger', { phase: 'Succeeded', ...flaggers }, true],
    ['with shorter ones', { phase: 'Succeeded', lastAppliedSpec: '9bcdf' }, true],
    ['of which we wrote one', { ...ours, lastPromotedSpec: flaggers.lastPromotedSpec }, true],
    ['of ours', { phase: 'Succeeded', ...ours, observedGeneration: 1 }, false],
    ['of ours that looks like one of them', { ...flaggers, observedGeneration: 1 }, false],
    ['without a generation', ours, false],
    ['of something new', {}, false],
    ['with the name of a Knative revision', { lastAppliedSpec: 'web-00001' }, false],
  ])('%s', (_name, status, expected) => {
    expect(isFlaggers(status)).toBe(expected);
  });
});

describe('what a status of Flagger speaks of', () => {
  const both = (revision: string): Revisions => ({
    lastAppliedSpec: revision,
    lastPromotedSpec: revision,
  });
  const failed = { lastAppliedSpec: 'new', lastPromotedSpec: 'old' };

  it.each<[Phase, Revisions]>([
    ['Initialized', both('old')],
    ['Succeeded', both('old')],
    ['Waiting', both('old')],
    ['Progressing', failed],
    ['WaitingPromotion', failed],
    ['Failed', failed],
    ['Promoting', { lastAppliedSpec: 'old' }],
    ['Finalising', { lastAppliedSpec: 'old' }],
    ['Terminating', { lastPromotedSpec: 'old' }],
  ])('in phase %s', (phase, expected) => {
    const left = { target: 'new', primary: 'old' };
    expect(revisionsLeft({ phase, ...flaggers }, left)).toEqual(expected);
  });

  it('is not known of a primary that is like nothing the cluster remembers', () => {
    const left = { target: 'new', primary: undefined };
    expect(revisionsLeft({ phase: 'Succeeded', ...flaggers }, left)).toEqual({});
    expect(revisionsLeft({ phase: 'Failed', ...flaggers }, left)).toEqual({
      lastAppliedSpec: 'new',
    });
  });

  it('is not what a failed promotion copied', () => {
    const left = { target: 'new', primary: 'new' };
    const status = { phase: 'Failed', canaryWeight: 100, ...flaggers } as const;
    expect(revisionsLeft(status, left)).toEqual({ lastAppliedSpec: 'new' });
  });

  it('is not asked where we wrote a name ourselves', () => {
    const status = { phase: 'Failed', ...ours, lastPromotedSpec: 'bf4c5d6789' } as const;
    expect(revisionsLeft(status, { target: 'newer', primary: 'old' })).toEqual({
      lastPromotedSpec: 'old',
    });
  });
});

describe('a run on what Flagger left', () => {
  const left = { target: 'new', primary: 'old' };

  /** What a run does, as kinds of moves, and the names of revisions it leaves in the status. */
  function released(
    status: CanaryStatus,
    now: { readonly target: string; readonly primary: string | undefined },
  ): { readonly moves: readonly string[]; readonly status: CanaryStatus } {
    const plan = aPlan();
    const adopted = revisionsLeft(status, now);
    const survey = { kind: 'ready', plan, revision: now.target, images: [] } as const;
    const state = begin(
      { ...survey, status: { ...status, ...adopted }, adopted },
      { kind: 'change' },
      undefined,
      0,
    );
    const { moves } = simulate(plan, state, goodWorld);
    const written = moves.map((move) => ('report' in move ? move.report.status : {}));
    return {
      moves: moves.map(({ kind }) => kind).filter((kind) => kind !== 'wait'),
      status: Object.assign({}, status, ...written) as CanaryStatus,
    };
  }

  it.each<[Phase, typeof left, Revisions]>([
    [
      'Initialized',
      { target: 'old', primary: 'old' },
      { lastAppliedSpec: 'old', lastPromotedSpec: 'old' },
    ],
    [
      'Succeeded',
      { target: 'old', primary: 'old' },
      { lastAppliedSpec: 'old', lastPromotedSpec: 'old' },
    ],
    ['Failed', left, { lastAppliedSpec: 'new', lastPromotedSpec: 'old' }],
  ])('at rest in phase %s writes its names and nothing else', (phase, now, expected) => {
    const { moves, status } = released({ phase, ...flaggers }, now);
    expect(moves).toEqual(['reconcile', 'end']);
    expect(status).toMatchObject({ phase, ...expected, observedGeneration: aPlan().generation });
    expect(isFlaggers(status)).toBe(false);
  });

  it('releases what is new, and what nobody can compare', () => {
    for (const now of [left, { target: 'new', primary: undefined }]) {
      const { moves, status } = released({ phase: 'Succeeded', ...flaggers }, now);
      expect(moves.slice(0, 2)).toEqual(['reconcile', 'scaleUp']);
      expect(status).toMatchObject({ lastAppliedSpec: 'new', lastPromotedSpec: 'new' });
    }
  });

  it('takes back an analysis, and counts its revision as tried', () => {
    const { moves, status } = released({ phase: 'Progressing', ...flaggers }, left);
    expect(moves).toEqual(['rollBack', 'end']);
    expect(status).toMatchObject({ phase: 'Failed', lastAppliedSpec: 'new' });
    // The next run, which the missing generation asks for, knows what is promoted.
    expect(isFlaggers(status)).toBe(true);
    expect(revisionsLeft(status, left)).toEqual({ lastPromotedSpec: 'old' });
  });

  it('goes on with a promotion', () => {
    const { moves, status } = released(
      { phase: 'Promoting', ...flaggers },
      { target: 'new', primary: 'new' },
    );
    expect(moves).toEqual(['promote', 'awaitPods', 'route', 'finish', 'end']);
    expect(status).toMatchObject({ lastPromotedSpec: 'new', phase: 'Succeeded' });
  });
});

describe('a primary', () => {
  const selector = { label: 'app', value: 'web' };
  const rules = { selectorLabels: ['app'], includeLabelPrefixes: [] };
  const apart = (name: string): object => ({
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'host', labelSelector: { matchLabels: { app: name } } },
      ],
    },
  });
  const target = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'test' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: {
          labels: { app: 'web', 'kustomize.toolkit.fluxcd.io/name': 'x' },
          annotations: { note: 'a' },
        },
        spec: {
          containers: [{ name: 'app', image: 'web:1', envFrom: [configMap('settings')] }],
          affinity: apart('web'),
        },
      },
    },
  } as unknown as Deployment;

  function configMap(name: string): object {
    return { configMapRef: { name } };
  }

  /** As Flagger makes it. */
  function primary(changes: { metadata?: object; spec?: object } = {}): PodTemplate {
    return {
      metadata: {
        labels: { app: 'web-primary' },
        annotations: { note: 'a', 'flagger-id': 'd2b5e2a4' },
        ...changes.metadata,
      },
      spec: {
        containers: [{ name: 'app', image: 'web:1', envFrom: [configMap('settings-primary')] }],
        affinity: apart('web-primary'),
        ...changes.spec,
      },
    } as unknown as PodTemplate;
  }

  it.each<[string, PodTemplate, boolean]>([
    ['is a copy under another label', primary(), true],
    [
      'also with configs that have no copies',
      primary({ spec: { containers: target.spec.template.spec?.containers } }),
      true,
    ],
    [
      'also where rules of placement were not rewritten',
      primary({ spec: { affinity: apart('web') } }),
      true,
    ],
    [
      'also if we made it',
      primary({
        metadata: { annotations: { note: 'a', 'flagger-id': 'x', 'sluice.dev/revision': 'r' } },
      }),
      true,
    ],
    [
      'is none with another image',
      primary({ spec: { containers: [{ name: 'app', image: 'web:2' }] } }),
      false,
    ],
    [
      'is none with another annotation',
      primary({ metadata: { annotations: { note: 'b' } } }),
      false,
    ],
    [
      'is none with another label',
      primary({ metadata: { labels: { app: 'web-primary', tier: 'x' } } }),
      false,
    ],
    ['is none with other rules', primary({ spec: { affinity: apart('other') } }), false],
    [
      'is none with another config',
      primary({
        spec: {
          containers: [{ name: 'app', image: 'web:1', envFrom: [configMap('other-primary')] }],
        },
      }),
      false,
    ],
  ])('%s', (_name, template, expected) => {
    const { wanted, found } = comparable({ target, selector, rules }, template);
    if (expected) expect(found).toEqual(wanted);
    else expect(found).not.toEqual(wanted);
  });
});
