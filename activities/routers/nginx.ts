import type { Canary, RequestMatch } from '../../domain/canary.js';
import { withoutKeys } from '../../domain/entries.js';
import { namesOf } from '../../domain/names.js';
import { toCanary, type Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { copiedIn, copyOf } from './copies.js';
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
import { comparison, refuseOtherParts, requireText } from './matches.js';
import { givenBack, type OwnMetadata } from './ownership.js';
import { Unroutable, type Router } from './router.js';

const provider = 'nginx';

/** The controller's settings for a canary, by their names without the prefix of the annotations. */
type Settings = Readonly<Record<string, string>>;

/**
 * Ingress NGINX: a copy of the user's Ingress that is marked as its canary, and says which requests
 * take its backends instead. What is no setting for a canary follows the user's.
 * Annotations: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary
 */
export function nginx({ annotationsPrefix }: { readonly annotationsPrefix: string }): Router {
  const prefix = `${annotationsPrefix}/`;
  const governs = (key: string) => key.startsWith(`${prefix}canary`);

  const ownOf = (
    canary: Canary,
    source: Ingress | undefined,
    settings: Settings = {},
  ): OwnMetadata => ({
    name: ingressRefs(canary).copy.name,
    labels: {},
    annotations: {
      ...withoutKeys(source?.metadata.annotations, (key) => !key.startsWith(prefix), governs),
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [prefix + key, value])),
    },
    governs,
  });

  const settingsIn = ({ metadata: { annotations = {} } }: Ingress): Settings =>
    Object.fromEntries(
      Object.entries(annotations)
        .filter(([key]) => governs(key))
        .map(([key, value]) => [key.slice(prefix.length), value]),
    );

  return {
    reads: (canary) => {
      const { source, copy } = ingressRefs(canary);
      return [source, copy];
    },

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const settings = settingsOf(canary, split.routes);
      const found = copiedIn<Ingress>(canary, live, ingressRefs(canary));
      requireService(canary, found.source);
      return [
        copyOf(canary, found, {
          own: ownOf(canary, found.source, settings),
          fields: ingressFields,
          spec: withCanary(canary, found.source.spec ?? {}),
          isOurs: found.copy !== undefined && leadsTo(found.copy, namesOf(canary).canaryService),
        }),
      ];
    },

    parse(canary, live) {
      const copy = ingressIn(live, ingressRefs(canary).copy);
      if (copy === undefined || !leadsTo(copy, namesOf(canary).canaryService)) return undefined;
      return routesIn(settingsIn(copy), isOfSome(canary));
    },

    finalize(canary, live) {
      const { source, copy } = ingressRefs(canary);
      return givenBack(canary, ingressIn(live, copy), ownOf(canary, ingressIn(live, source)));
    },

    acceptance: () => ({ kind: 'unreported' }),
  };
}

function isOfSome({ analysis }: Canary): boolean {
  return analysis.match.length > 0;
}

/** Other services keep their places: a backend that both have is nobody's canary. */
function withCanary(canary: Canary, spec: IngressSpec): IngressSpec {
  const { apexService, canaryService } = namesOf(canary);
  return withPaths(spec, (paths) =>
    paths.map((path) => (isTo(path, apexService) ? toService(path, canaryService) : path)),
  );
}

/** A test of some requests has all of them at the canary or none; the others have no weight then. */
function settingsOf(canary: Canary, routes: Routes): Settings {
  if (!isOfSome(canary)) return { canary: 'true', 'canary-weight': String(routes.canary) };
  const selection = selectionOf(canary);
  return {
    canary: 'true',
    'canary-weight': '0',
    ...(routes.canary === 0 ? {} : selection),
  };
}

/** The requests of a test; the controller takes those that have the header, or the cookie. */
function selectionOf({ analysis: { match, strategy, stepWeightPromotion } }: Canary): Settings {
  if (strategy.kind === 'weighted') {
    throw new Unroutable(
      'spec.analysis.match: nginx gives all matching requests to the canary or none, so it needs iterations, not stepWeight',
    );
  }
  if (stepWeightPromotion > 0 && stepWeightPromotion < 100) {
    throw new Unroutable(
      `spec.analysis.stepWeightPromotion: nginx gives all matching requests back at once, not ${String(stepWeightPromotion)} % of them (allowed with match: 0 or 100)`,
    );
  }
  const conditions = match.map(conditionOf);
  const kinds = new Set(conditions.map(({ kind }) => kind));
  if (kinds.size < conditions.length) {
    throw new Unroutable(
      'spec.analysis.match: nginx looks at one header and one cookie, not at several of a kind',
    );
  }
  return Object.assign({}, ...conditions.map(({ settings }) => settings)) as Settings;
}

interface Condition {
  readonly kind: 'header' | 'cookie';
  readonly settings: Settings;
}

function conditionOf(match: RequestMatch): Condition {
  refuseOtherParts(provider, match, ['headers']);
  const [header, ...others] = Object.entries(match.headers ?? {});
  if (header === undefined || others.length > 0) {
    throw new Unroutable(
      'spec.analysis.match: nginx takes requests with any of its headers, so each entry must have one header',
    );
  }
  const [name, value] = header;
  const what = `spec.analysis.match: header ${name}`;
  if (name.toLowerCase() === 'cookie') {
    // As in Flagger what is written is the name of a cookie; clients set it to "always".
    const { text } = requireText(what, comparison(provider, what, value, ['exact']));
    return { kind: 'cookie', settings: { 'canary-by-cookie': text } };
  }
  const { how, text } = requireText(what, comparison(provider, what, value, ['exact', 'regex']));
  const key = { exact: 'canary-by-header-value', regex: 'canary-by-header-pattern' }[how];
  return { kind: 'header', settings: { 'canary-by-header': name, [key]: text } };
}

/** What the controller makes of its settings, where they can be ours. */
function routesIn(settings: Settings, isOfSome: boolean): Routes | undefined {
  const { canary, 'canary-weight': weight = '0', 'canary-weight-total': total } = settings;
  if (canary !== 'true' || total !== undefined || !/^\d{1,3}$/.test(weight)) return undefined;
  const selects = ['canary-by-header', 'canary-by-cookie'].some((key) => key in settings);
  const share = selects ? 100 : Number(weight);
  const isOurs = isOfSome ? Number(weight) === 0 : !selects && share <= 100;
  return isOurs ? toCanary(share) : undefined;
}
