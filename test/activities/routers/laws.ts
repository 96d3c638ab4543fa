import type { Router, Split } from '../../../activities/routers/router.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { capabilities, type Capabilities } from '../../../domain/providers.js';
import { allToPrimary, mirrored, toCanary, type Cookies } from '../../../domain/routes.js';

/** A router and what it is tried with. */
export interface Case {
  readonly router: Router;
  readonly canary: Canary;
  /** What is in the cluster before the first render, such as the target or an Ingress to copy. */
  readonly seed?: readonly KubeObject[];
  /** Objects of the same names that somebody made for another purpose; in the order of `render`. */
  readonly foreign: KubeObject | readonly KubeObject[];
  /** Changes fields the router owns, other than the weights; leaves alone what it only reads. */
  readonly disturb: (object: KubeObject) => KubeObject;
  /** The target itself holds the routes: nothing is created, and Flux is to go on with it. */
  readonly isTarget?: boolean;
  /** The objects have no namespace, so that no Canary can own them. */
  readonly isClusterWide?: boolean;
  /** A canary without a weight has no entry, because at rest it has no pods either. */
  readonly leavesOutZero?: boolean;
  /** What this manifest cannot have, though others of its provider can. */
  readonly can?: Partial<Capabilities>;
}

const weights = [0, 1, 37, 50, 100];
const cookies: Cookies = { canary: 'at=canary', primary: 'at=primary', expired: 'at=last' };

/** A split without cookies. */
export function at(weight: number): Split {
  return { routes: toCanary(weight), cookies: {} };
}

/** The laws every router keeps; what its provider is not capable of, it refuses. */
export function testRouter(of: Case): void {
  const { router, canary, seed = [], disturb, isTarget = false, isClusterWide = false } = of;
  const foreign = [of.foreign].flat();
  const can = { ...capabilities[canary.provider], ...of.can };
  const written = new Set(router.render(canary, at(0), seed).map(titleOf));
  /** Changes what the router writes, and leaves what it only reads. */
  const each = (live: readonly KubeObject[], change: (object: KubeObject) => KubeObject) =>
    live.map((object) => (written.has(titleOf(object)) ? change(object) : object));
  const applied = (split: Split, live = seed, manifest = canary): readonly KubeObject[] => {
    const rendered = router.render(manifest, split, live);
    const titles = new Set(rendered.map(titleOf));
    return [...live.filter((object) => !titles.has(titleOf(object))), ...rendered];
  };
  const disturbed = (live: readonly KubeObject[]) => live.map(disturb);

  it('expresses nothing before the first render', () => {
    expect(router.parse(canary, seed)).toBeUndefined();
  });

  it('renders only objects it reads', () => {
    const read = router.reads(canary).map(({ kind, name, namespace }) => [kind, name, namespace]);

    for (const { kind, metadata } of router.render(canary, at(50), seed)) {
      expect(read).toContainEqual([kind, metadata.name, metadata.namespace ?? '']);
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
    const live = each(applied(at(40)), (object) => withForeignFields(object));

    const rendered = applied(at(40), live);
    const moved = applied(at(50), live);

    expect(rendered).toEqual(live);
    expect(moved.map(foreignFields)).toEqual(live.map(foreignFields));
  });

  it('puts back its own fields and leaves the weights alone', () => {
    const live = applied(at(37));

    const repaired = applied(at(37), disturbed(live));

    expect(disturbed(live)).not.toEqual(live);
    expect(repaired).toEqual(live);
  });

  it('repairs at once what another writer changed at once: fields, labels and weights', () => {
    const wanted = applied(at(37));
    const theirs = each(disturbed(applied(at(80), wanted)), labelled);

    expect(router.parse(canary, theirs)).not.toEqual(toCanary(37));
    expect(applied(at(37), theirs)).toEqual(each(wanted, labelled));
  });

  it.each(of.leavesOutZero === true ? [100] : [0, 100])(
    'names every backend and writes every weight at %i',
    (weight) => {
      expect(shapeOf(applied(at(weight)))).toEqual(shapeOf(applied(at(37))));
    },
  );

  if (!isTarget) {
    it(`owns ${isClusterWide ? 'nothing, as nothing could be collected' : 'what it creates and only that'}`, () => {
      const created = router.render(canary, at(0), seed);
      const adopted = each(applied(at(0)), ({ metadata, ...object }) => {
        const { ownerReferences: _, ...others } = metadata;
        return { ...object, metadata: others };
      });
      const owner = {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        name: canary.name,
        uid: canary.uid,
        controller: true,
        blockOwnerDeletion: true,
      };

      expect(created.map(({ metadata }) => metadata.ownerReferences)).toEqual(
        created.map(() => (isClusterWide ? undefined : [owner])),
      );
      expect(router.render(canary, at(0), adopted).flatMap(ownersOf)).toEqual([]);
    });

    it('gives nothing back of what it created, and all of what it took over', () => {
      const taken = [0, 40, 100].reduce<readonly KubeObject[]>(
        (live, weight) => applied(at(weight), live),
        [...seed, ...foreign],
      );
      const withOthers = (object: KubeObject) => withForeignFields(object, object.spec);

      expect(router.finalize(canary, applied(at(40)))).toEqual([]);
      expect(router.finalize(canary, seed)).toEqual([]);
      expect(router.finalize(canary, taken).map(contentOf)).toEqual(foreign.map(contentOf));
      expect(router.finalize(canary, each(taken, withOthers)).map(contentOf)).toEqual(
        foreign.map(withOthers).map(contentOf),
      );
    });

    it('gives back what kubectl applied last', () => {
      const last = {
        'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"newer":true}}',
      };
      const taken = each(applied(at(40), [...seed, ...foreign]), (object) => {
        const annotations = { ...object.metadata.annotations, ...last };
        return { ...object, metadata: { ...object.metadata, annotations } };
      });

      expect(router.finalize(canary, taken).map(({ spec }) => spec)).toEqual(
        foreign.map(() => ({ newer: true })),
      );
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
      const live = applied(split, seed, withAffinity);

      expect(live).not.toEqual(applied(at(weight)));
      expect(router.parse(withAffinity, live)).toEqual(toCanary(weight));
      expect(applied(split, live, withAffinity)).toEqual(live);
      expect(applied(split, disturbed(live), withAffinity)).toEqual(live);
      expect(applied(at(weight), live, withAffinity)).toEqual(applied(at(weight)));
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
    it('keeps Flux away from the objects', () => {
      for (const { metadata } of router.render(canary, at(0), seed)) {
        expect(metadata.annotations).toMatchObject({
          'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
          'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
        });
      }
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

function titleOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

function ownersOf({ metadata: { ownerReferences = [] } }: KubeObject): readonly object[] {
  return ownerReferences;
}

function labelled({ metadata, ...object }: KubeObject): KubeObject {
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, theirs: 'yes' } } };
}

/** Which fields and entries a value has, and of which types. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]));
}

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
    labels?.['team/owner'],
    // Some products have their weights in annotations, which are not foreign.
    annotations?.['team/note'],
    resourceVersion,
    finalizers,
    (spec as { unknownToUs?: unknown }).unknownToUs,
    status,
  ];
}
