import type { Kube } from '../../activities/kube.js';
import type { CanaryStatus } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';

/** Everything the API server stored of some kinds of objects, version by version. */
export interface History {
  /** All versions of an object, oldest first. */
  of(kind: string, name: string): readonly KubeObject[];
  stop(): void;
}

/** Something that happened, at a version of the cluster. Versions of all kinds are one sequence. */
export interface Happening {
  readonly version: number;
  readonly text: string;
}

const kinds = [
  { apiVersion: 'flagger.app/v1beta1', kind: 'Canary' },
  { apiVersion: 'projectcontour.io/v1', kind: 'HTTPProxy' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
] as const;

/** Begins to record the Canaries and routes of a namespace. A watch leaves no version out. */
export async function recordHistory(kube: Kube, namespace: string): Promise<History> {
  const versions = new Map<string, KubeObject[]>();
  const watches = new Map<string, AbortController>();
  let broken: unknown;
  let stopped = false;
  const open = async (of: (typeof kinds)[number]): Promise<void> => {
    const { apiVersion, kind } = of;
    const watch = await kube.watch(
      { apiVersion, kind, namespace },
      {
        seen: (type, object) => {
          if (type !== 'ADDED' && type !== 'MODIFIED') return;
          const key = `${kind} ${object.metadata.name}`;
          versions.set(key, [...(versions.get(key) ?? []), object]);
        },
        ended: (error) => {
          if (stopped) return;
          if (isTooEarly(error)) setTimeout(() => void open(of), 200);
          else broken = error ?? new Error(`the watch on ${kind} ended`);
        },
      },
    );
    watches.set(kind, watch);
  };
  await Promise.all(kinds.map(open));
  return {
    of(kind, name) {
      if (broken !== undefined) throw new Error('the history has gaps', { cause: broken });
      return versions.get(`${kind} ${name}`) ?? [];
    },
    stop() {
      stopped = true;
      watches.forEach((watch) => watch.abort());
    },
  };
}

/** A kind that nobody has watched before is refused until the API server has read it. */
function isTooEarly(error: unknown): boolean {
  return error instanceof Error && error.message === 'Too Many Requests';
}

/** The version an object was stored as. */
export function versionOf({ metadata }: KubeObject): number {
  return Number(metadata.resourceVersion);
}

/** `Progressing w50 i0 f1`: phase, weight, iterations and failed checks; the last two if not 0. */
export function statusText({
  phase = '',
  canaryWeight = 0,
  iterations = 0,
  failedChecks = 0,
}: CanaryStatus): string {
  return [
    `status ${phase} w${canaryWeight}`,
    ...(iterations === 0 ? [] : [`i${iterations}`]),
    ...(failedChecks === 0 ? [] : [`f${failedChecks}`]),
  ].join(' ');
}

/** `routes 90/10`: what the primary and the canary get; `mirrored` if the canary gets copies. */
export function routesText(object: KubeObject): string {
  const { primary, canary } = weightsOf(object);
  const isMirrored = JSON.stringify(object.spec).includes('RequestMirror');
  return `routes ${primary}/${canary}${isMirrored ? ' mirrored' : ''}`;
}

/** The weights of an HTTPProxy or HTTPRoute: those of its first rule, which with A/B testing is the one for matching requests. */
export function weightsOf({ spec }: KubeObject): Routes {
  const { routes = [], rules = [] } = spec as {
    readonly routes?: readonly { readonly services?: readonly Backend[] }[];
    readonly rules?: readonly { readonly backendRefs?: readonly Backend[] }[];
  };
  const backends = routes.at(0)?.services ?? rules.at(0)?.backendRefs ?? [];
  const weight = (suffix: string): number =>
    backends.find(({ name }) => name.endsWith(suffix))?.weight ?? 0;
  return { primary: weight('-primary'), canary: weight('-canary') };
}

interface Backend {
  readonly name: string;
  readonly weight?: number;
}

/** Happenings of one kind, without those that repeat the one before. */
export function changesOf(
  objects: readonly KubeObject[],
  textOf: (object: KubeObject) => string,
): Happening[] {
  return objects
    .map((object) => ({ version: versionOf(object), text: textOf(object) }))
    .filter(({ text }, index, all) => text !== all[index - 1]?.text);
}
