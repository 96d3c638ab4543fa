import type { Router, Split } from '../../../activities/routers/router.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { capabilities } from '../../../domain/providers.js';
import { allToPrimary, mirrored, toCanary, type Cookies } from '../../../domain/routes.js';

/** A router and what it is tried with. */
export interface Case {
  readonly router: Router;
  readonly canary: Canary;
  /** What is in the cluster before the first render. */
  readonly seed?: readonly KubeObject[];
  /** An object of the same name that somebody made for another purpose. */
  readonly foreign: KubeObject;
  /** Changes fields the router owns, other than the weights. */
  readonly disturb: (object: KubeObject) => KubeObject;
  /** The target itself holds the routes: nothing is created, and Flux is to go on with it. */
  readonly isTarget?: boolean;
}

const weights = [0, 1, 37, 50, 100];
const cookies: Cookies = { canary: 'at=canary', primary: 'at=primary', expired: 'at=last' };

/** A split without cookies. */
export function at(weight: number): Split {
  return { routes: toCanary(weight), cookies: {} };
}

/** The laws every router keeps; what its provider is not capable of, it refuses. */
export function testRouter(of: Case): void {
  const { router, canary, seed = [], foreign, disturb, isTarget = false } = of;
  const can = capabilities[canary.provider];
  const applied = (split: Split, live = seed): readonly KubeObject[] => {
    const rendered = router.render(canary, split, live);
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

    for (const { kind, metadata } of router.render(canary, at(50), seed)) {
      expect(read).toContainEqual([kind, metadata.name, metadata.namespace]);
    }
  });

  it.each(weights)('reads back a canary weight of %i', (weight) => {
    expect(router.parse(canary, applied(at(weight)))).toEqual(toCanary(weight));
  });

  it.each(weights)('changes nothing when rendered again at %i', (weight) => {
    const once = applied(at(weight));

    expect(applied(at(weight), once)).toEqual(once);
    expect(applied(at(weight), JSON.parse(JSON.stringify(once)) as KubeObject[])).toEqual(once);
  });

  it.each(weights)('comes from any weight to %i as if from none', (weight) => {
    const direct = applied(at(weight));

    for (const other of weights) {
      expect(applied(at(weight), applied(at(other)))).toEqual(direct);
    }
  });

  it('does not change what it is given', () => {
    const live = applied(at(10));
    const before = structuredClone(live);

    router.render(canary, at(90), live);

    expect(live).toEqual(before);
  });

  it('keeps labels, annotations, owners and fields it does not own', () => {
    const foreign = applied(at(40)).map((object) => withForeignFields(object));

    const rendered = applied(at(40), foreign);
    const moved = applied(at(50), foreign);

    expect(rendered).toEqual(foreign);
    expect(moved.map(foreignFields)).toEqual(foreign.map(foreignFields));
  });

  it('puts back its own fields and leaves the weights alone', () => {
    const live = applied(at(37));

    const repaired = applied(at(37), disturbed(live));

    expect(disturbed(live)).not.toEqual(live);
    expect(repaired).toEqual(live);
  });

  if (!isTarget) {
    it('owns what it creates and only that', () => {
      const [created] = router.render(canary, at(0), seed);
      const adopted = applied(at(0)).map((object) => ({
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
      expect(applied(at(0), adopted)[0]?.metadata.ownerReferences).toBeUndefined();
    });

    it('gives nothing back of what it created, and all of what it took over', () => {
      const taken = [0, 40, 100].reduce<readonly KubeObject[]>(
        (live, weight) => applied(at(weight), live),
        [...seed, foreign],
      );
      const others = taken.map((object) => withForeignFields(object, object.spec));

      expect(router.finalize(canary, applied(at(40)))).toEqual([]);
      expect(router.finalize(canary, seed)).toEqual([]);
      expect(router.finalize(canary, taken).map(contentOf)).toEqual([contentOf(foreign)]);
      expect(router.finalize(canary, others).map(contentOf)).toEqual([
        contentOf(withForeignFields(foreign, foreign.spec)),
      ]);
    });

    it('gives back what kubectl applied last', () => {
      const last = {
        'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"newer":true}}',
      };
      const taken = applied(at(40), [...seed, foreign]).map((object) => {
        const annotations = { ...object.metadata.annotations, ...last };
        return { ...object, metadata: { ...object.metadata, annotations } };
      });

      expect(router.finalize(canary, taken).map(({ spec }) => spec)).toEqual([{ newer: true }]);
    });
  }

  if (can.mirror) {
    it('mirrors, and stops it', () => {
      const split = { routes: mirrored, cookies: {} };
      const live = applied(split);

      expect(router.parse(canary, live)).toEqual(mirrored);
      expect(applied(split, live)).toEqual(live);
      expect(applied(at(37), live)).toEqual(applied(at(37)));
      expect(applied(split, applied(at(37)))).toEqual(live);
    });
  } else {
    it('refuses to mirror', () => {
      expect(() => applied({ routes: mirrored, cookies: {} })).toThrow(
        /^spec.analysis.mirror: is not supported by /,
      );
    });
  }

  if (can.affinity) {
    it.each(weights)('reads the weight %i beside cookies, and forgets them', (weight) => {
      const withAffinity = { ...canary, analysis: { ...canary.analysis, sessionAffinity } };
      const split = { routes: toCanary(weight), cookies };
      const live = router.render(withAffinity, split, seed);

      expect(live).not.toEqual(applied(at(weight)));
      expect(router.parse(withAffinity, live)).toEqual(toCanary(weight));
      expect(router.render(withAffinity, split, live)).toEqual(live);
      expect(router.render(withAffinity, split, live.map(disturb))).toEqual(live);
      expect(router.render(withAffinity, at(weight), live)).toEqual(applied(at(weight)));
      expect(applied(at(weight), live)).toEqual(applied(at(weight)));
    });
  } else {
    it('refuses to set cookies, and needs to expire none', () => {
      const { expired } = cookies;

      expect(() => applied({ ...at(10), cookies })).toThrow(
        /^spec.analysis.sessionAffinity: is not supported by /,
      );
      expect(applied({ routes: allToPrimary, cookies: { expired: expired! } })).toEqual(
        applied(at(0)),
      );
    });
  }

  if (!isTarget) {
    it('keeps Flux away from the object', () => {
      expect(applied(at(0))[0]?.metadata.annotations).toMatchObject({
        'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
        'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
      });
    });
  }
}

const sessionAffinity = {
  cookieName: 'at',
  primaryCookieName: 'at',
  maxAge: 60,
  httpOnly: false,
  partitioned: false,
  secure: false,
};

function contentOf({ apiVersion, kind, metadata, spec }: KubeObject): unknown {
  const { labels = {}, annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { ...metadata, labels, annotations }, spec };
}

function withForeignFields(
  object: KubeObject,
  spec: unknown = { ...(object.spec as object), unknownToUs: { deep: [1] } },
): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      resourceVersion: '42',
      labels: { ...metadata.labels, 'team/owner': 'a' },
      annotations: { ...metadata.annotations, 'team/note': 'b' },
      finalizers: ['team/keep'],
    },
    spec,
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
