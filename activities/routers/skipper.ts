import type { Canary } from '../../domain/canary.js';
import { withoutKeys } from '../../domain/entries.js';
import { namesOf } from '../../domain/names.js';
import type { Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { copiedIn, copyOf, titleOf } from './copies.js';
import {
  ingressFields,
  ingressIn,
  ingressRefs,
  isTo,
  leadsTo,
  requireService,
  toService,
  withPaths,
  type Ingress,
  type IngressSpec,
} from './ingress.js';
import { givenBack, type OwnMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Router } from './router.js';

const prefix = 'zalando.org/';
const weightsAnnotation = `${prefix}backend-weights`;
const predicateAnnotation = `${prefix}skipper-predicate`;

/** Makes the routes of the copy outrank those of the user's Ingress. */
const outranking = 'Weight(100)';
/** Makes them match nothing, so that the user's Ingress serves everybody, at the primary. */
const matchingNothing = 'False()';

/**
 * Skipper: a copy of the user's Ingress that has both services at the service's paths, and their
 * weights in an annotation. All that Skipper reads follows the user's.
 * Annotations: https://opensource.zalando.com/skipper/kubernetes/ingress-usage/
 */
export function skipper(): Router {
  return {
    reads: (canary) => {
      const { source, copy } = ingressRefs(canary);
      return [source, copy];
    },

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const found = copiedIn<Ingress>(canary, live, ingressRefs(canary));
      requireService(canary, found.source);
      return [
        copyOf(canary, found, {
          own: ownOf(canary, found.source, settingsOf(canary, found.source, split.routes)),
          fields: ingressFields,
          spec: withBoth(canary, found.source.spec ?? {}),
          isOurs: found.copy !== undefined && hasBoth(canary, found.copy),
        }),
      ];
    },

    parse(canary, live) {
      const copy = ingressIn(live, ingressRefs(canary).copy);
      return copy !== undefined && hasBoth(canary, copy) ? routesIn(canary, copy) : undefined;
    },

    finalize(canary, live) {
      const { source, copy } = ingressRefs(canary);
      return givenBack(canary, ingressIn(live, copy), ownOf(canary, ingressIn(live, source)));
    },

    acceptance: () => ({ kind: 'unreported' }),
  };
}

type Entries = Readonly<Record<string, string>>;

function ownOf(canary: Canary, source: Ingress | undefined, settings: Entries = {}): OwnMetadata {
  const governs = (key: string) => key.startsWith(prefix);
  const theirs = withoutKeys(source?.metadata.annotations, (key) => !governs(key));
  return {
    name: ingressRefs(canary).copy.name,
    labels: {},
    annotations: { ...theirs, ...settings },
    governs,
  };
}

/** Other services keep their places, and the weights they have. */
function settingsOf(canary: Canary, { metadata }: Ingress, routes: Routes): Entries {
  const { apexService, primaryService, canaryService } = namesOf(canary);
  const theirs = weightsIn(metadata.annotations);
  if (apexService in theirs) {
    const { source, field } = ingressRefs(canary);
    throw new Unroutable(
      `${field}: ${titleOf(source)} has a weight for ${apexService} in its ${weightsAnnotation}, which the release would lose (supported: weights of other services)`,
    );
  }
  const { [predicateAnnotation]: predicate = '' } = metadata.annotations ?? {};
  const rank = routes.canary === 0 ? matchingNothing : outranking;
  return {
    [weightsAnnotation]: JSON.stringify({
      ...theirs,
      [canaryService]: routes.canary,
      [primaryService]: routes.primary,
    }),
    [predicateAnnotation]: predicate.trim() === '' ? rank : `${rank} && ${predicate}`,
  };
}

function withBoth(canary: Canary, spec: IngressSpec): IngressSpec {
  const { apexService, primaryService, canaryService } = namesOf(canary);
  return withPaths(spec, (paths) => [
    ...paths.map((path) => (isTo(path, apexService) ? toService(path, primaryService) : path)),
    ...paths
      .filter((path) => isTo(path, apexService))
      .map((path) => toService(path, canaryService)),
  ]);
}

function hasBoth(canary: Canary, copy: Ingress): boolean {
  const { primaryService, canaryService } = namesOf(canary);
  return leadsTo(copy, primaryService) && leadsTo(copy, canaryService);
}

function routesIn(canary: Canary, { metadata: { annotations = {} } }: Ingress): Routes | undefined {
  const { primaryService, canaryService } = namesOf(canary);
  const { [primaryService]: primary, [canaryService]: share } = weightsIn(annotations);
  const predicate = annotations[predicateAnnotation] ?? '';
  const isOurs =
    predicate.startsWith(outranking) || (predicate.startsWith(matchingNothing) && share === 0);
  if (!isOurs || primary === undefined || share === undefined) return undefined;
  return agreedRoutes([{ primary, canary: share }]);
}

/** A text that cannot be read has no weights, which is what Skipper makes of it. */
function weightsIn(annotations: Entries = {}): Readonly<Record<string, number>> {
  try {
    const weights: unknown = JSON.parse(annotations[weightsAnnotation] ?? '{}');
    return typeof weights === 'object' && weights !== null
      ? (weights as Readonly<Record<string, number>>)
      : {};
  } catch {
    return {};
  }
}
