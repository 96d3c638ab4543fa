import type { Router } from '../../../activities/routers/router.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary, type Routes } from '../../../domain/routes.js';

/** A router and what it is tried with. */
export interface Case {
  readonly router: Router;
  readonly canary: Canary;
  /** What is in the cluster before the first render. */
  readonly seed?: readonly KubeObject[];
  /** Changes fields the router owns, other than the weights. */
  readonly disturb: (object: KubeObject) => KubeObject;
}

const weights = [0, 1, 37, 50, 100];

/** The laws every router keeps. */
export function testRouter({ router, canary, seed = [], disturb }: Case): void {
  const applied = (routes: Routes, live = seed): readonly KubeObject[] => {
    const rendered = router.render(canary, routes, live);
    const names = new Set(rendered.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
    const others = live.filter(({ kind, metadata }) => !names.has(`${kind}/${metadata.name}`));
    return [...others, ...rendered];
  };
  const disturbed = (live: readonly KubeObject[]) => live.map(disturb);

  it('expresses nothing before the first render', () => {
    expect(router.parse(canary, seed)).toBeUndefined();
  });

  it('renders only objects it reads', () => {
    const read = router.reads(canary).map(({ kind, name, namespace }) => [kind, name, namespace]);

    for (const { kind, metadata } of router.render(canary, toCanary(50), seed)) {
      expect(read).toContainEqual([kind, metadata.name, metadata.namespace]);
    }
  });

  it.each(weights)('reads back a canary weight of %i', (weight) => {
    expect(router.parse(canary, applied(toCanary(weight)))).toEqual(toCanary(weight));
  });

  it.each(weights)('changes nothing when rendered again at %i', (weight) => {
    const once = applied(toCanary(weight));

    expect(applied(toCanary(weight), once)).toEqual(once);
    expect(applied(toCanary(weight), JSON.parse(JSON.stringify(once)) as KubeObject[])).toEqual(
      once,
    );
  });

  it.each(weights)('comes from any weight to %i as if from none', (weight) => {
    const direct = applied(toCanary(weight));

    for (const other of weights) {
      expect(applied(toCanary(weight), applied(toCanary(other)))).toEqual(direct);
    }
  });

  it('does not change what it is given', () => {
    const live = applied(toCanary(10));
    const before = structuredClone(live);

    router.render(canary, toCanary(90), live);

    expect(live).toEqual(before);
  });

  it('keeps labels, annotations, owners and fields it does not own', () => {
    const foreign = applied(toCanary(40)).map(withForeignFields);

    const rendered = applied(toCanary(40), foreign);
    const moved = applied(toCanary(50), foreign);

    expect(rendered).toEqual(foreign);
    expect(moved.map(foreignFields)).toEqual(foreign.map(foreignFields));
  });

  it('puts back its own fields and leaves the weights alone', () => {
    const live = applied(toCanary(37));

    const repaired = applied(toCanary(37), disturbed(live));

    expect(disturbed(live)).not.toEqual(live);
    expect(repaired).toEqual(live);
  });

  it('owns what it creates and only that', () => {
    const [created] = router.render(canary, toCanary(0), seed);
    const adopted = applied(toCanary(0)).map((object) => ({
      ...object,
      metadata: { name: object.metadata.name, namespace: canary.namespace },
    }));

    expect(created?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        name: canary.name,
        uid: canary.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(applied(toCanary(0), adopted)[0]?.metadata.ownerReferences).toBeUndefined();
  });

  it('keeps Flux away from the object', () => {
    expect(applied(toCanary(0))[0]?.metadata.annotations).toMatchObject({
      'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
      'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
    });
  });
}

function withForeignFields(object: KubeObject): KubeObject {
  const { metadata, spec } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      resourceVersion: '42',
      labels: { ...metadata.labels, 'team/owner': 'a' },
      annotations: { ...metadata.annotations, 'team/note': 'b' },
      finalizers: ['team/keep'],
    },
    spec: { ...(spec as object), unknownToUs: { deep: [1] } },
    status: { seen: true },
  };
}

function foreignFields({ metadata, spec, status }: KubeObject): unknown {
  const { labels, annotations, resourceVersion, finalizers } = metadata;
  return [
    labels,
    annotations,
    resourceVersion,
    finalizers,
    (spec as { unknownToUs?: unknown }).unknownToUs,
    status,
  ];
}
