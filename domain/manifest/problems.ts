import { parseDuration } from '../duration.js';
import {
  capabilitiesFor,
  isPlainTcp,
  isProvider,
  providers,
  providersThat,
  routedBy,
  type Capabilities,
} from '../providers.js';
import type { Draft } from './draft.js';
import { strategyKindOf } from './strategy.js';
import type { WireRoute, WireSpec } from './wire.js';

/** Everything that keeps a manifest from being carried out, each named by its field. */
export function problemsOf(draft: Draft): string[] {
  return rules.flatMap((rule) => rule(draft));
}

/**
 * The references to objects in other namespaces than the Canary's. An empty namespace is its own.
 * The sentences are Flagger's.
 */
export function foreignRefs({ analysis, field, spec }: Draft, namespace: string): string[] {
  const { metrics = [], alerts = [] } = analysis;
  const refs = [
    ...metrics.map(({ name, templateRef }) => ({
      ...{ at: `${field}.metrics.${name}.templateRef`, what: 'metric template', ref: templateRef },
    })),
    ...alerts.map(({ name, providerRef }) => ({
      ...{ at: `${field}.alerts.${name}.providerRef`, what: 'alert provider', ref: providerRef },
    })),
    ...placesIn(spec).map(({ at, refs }) => ({
      ...{ at: `${at}.upstreamRef`, what: 'gloo upstream', ref: refs.upstreamRef },
    })),
  ];
  return refs.flatMap(({ at, what, ref }) => {
    const of = ref?.namespace ?? '';
    const isForeign = ref !== undefined && of !== '' && of !== namespace;
    return when(
      isForeign,
      `${at}: can't access ${what} ${ref?.name ?? ''}.${of}, cross-namespace references are blocked`,
    );
  });
}

/** Some sentences if something is so. */
function when(condition: boolean, ...sentences: readonly string[]): readonly string[] {
  return condition ? sentences : [];
}

type Rule = (draft: Draft) => readonly string[];

/** Where a manifest names a provider, and what of the user's leads to its route. */
interface Place {
  readonly at: string;
  readonly provider: string;
  readonly refs: Omit<WireRoute, 'provider'>;
}

function placesIn(spec: WireSpec, provider = ''): readonly Place[] {
  const { additionalRoutes = [] } = spec;
  return [
    { at: 'spec', provider, refs: spec },
    ...additionalRoutes.map((route, index) => ({
      ...{ at: `spec.additionalRoutes[${String(index)}]`, provider: route.provider, refs: route },
    })),
  ];
}

/** A rule that holds wherever a manifest names a provider. */
function everywhere(rule: (place: Place, draft: Draft) => readonly string[]): Rule {
  return (draft) => placesIn(draft.spec, draft.provider).flatMap((place) => rule(place, draft));
}

const providerExists = everywhere(({ at, provider }) =>
  when(
    !isProvider(provider),
    `${at}.provider: ${provider} is not supported (supported: ${providers.join(', ')})`,
  ),
);

/** Some providers split the traffic of a route that somebody else keeps. */
const routeIsNamed = everywhere(({ at, provider, refs }) => {
  const ref = isProvider(provider) ? routedBy[provider] : undefined;
  if (ref === undefined) return [];
  return when((refs[ref]?.name ?? '') === '', `${at}.${ref}: is required by provider ${provider}`);
});

/** These have no routes beside which others could be kept. */
const withoutRoutes: readonly string[] = ['kubernetes', 'knative'];

const routesGoTogether: Rule = ({ spec: { additionalRoutes = [] }, provider }) => [
  ...when(
    additionalRoutes.length > 0 && withoutRoutes.includes(provider),
    `spec.additionalRoutes: provider ${provider} keeps no routes for others to follow`,
  ),
  ...additionalRoutes.flatMap((route, index) =>
    when(
      withoutRoutes.includes(route.provider),
      `spec.additionalRoutes[${String(index)}].provider: ${route.provider} keeps no routes`,
    ),
  ),
];

const targetExists: Rule = ({ spec: { targetRef }, targetKind }) =>
  when(
    targetKind === undefined,
    `spec.targetRef.kind: ${targetRef.kind} is not supported (supported: Deployment, DaemonSet, Service)`,
  );

/** Knative shifts its own traffic: the target and the provider are one choice, and it scales itself. */
const knativeIsWhole: Rule = ({ spec, provider, targetKind }) => {
  const { apiVersion, kind } = spec.targetRef;
  if (targetKind !== 'KnativeService') {
    return when(
      provider === 'knative',
      `spec.targetRef: can't use ${apiVersion}/${kind} as target if provider is set to knative`,
    );
  }
  return [
    ...when(
      provider !== 'knative',
      `spec.provider: can't use ${provider} provider with Knative Service as target (allowed: knative)`,
    ),
    ...when(
      spec.autoscalerRef !== undefined,
      "spec.autoscalerRef: can't use autoscaler with Knative Service",
    ),
  ];
};

const scalerKinds: readonly string[] = ['HorizontalPodAutoscaler', 'ScaledObject'];

const scalerIsSound: Rule = ({ spec: { autoscalerRef } }) => {
  if (autoscalerRef === undefined) return [];
  const { kind, primaryScalerReplicas: { minReplicas = 1, maxReplicas = Infinity } = {} } =
    autoscalerRef;
  return [
    ...when(
      !scalerKinds.includes(kind),
      `spec.autoscalerRef.kind: ${kind} is not supported (supported: ${scalerKinds.join(', ')})`,
    ),
    ...when(
      minReplicas > maxReplicas,
      `spec.autoscalerRef.primaryScalerReplicas: minReplicas ${String(minReplicas)} is above maxReplicas ${String(maxReplicas)}`,
    ),
  ];
};

const serviceIsSound: Rule = (draft) => {
  const { targetKind, spec } = draft;
  const { port, name = '' } = spec.service ?? {};
  const makesServices = targetKind === 'Deployment' || targetKind === 'DaemonSet';
  // Workers of a queue need no service.
  const needsPort = makesServices && strategyKindOf(draft) !== 'replicas';
  return [
    ...when(port === undefined && needsPort, 'spec.service.port: is required'),
    ...when(
      port !== undefined && !isWhole(port, 1, 65_535),
      `spec.service.port: ${String(port)} is not a port (1 to 65535)`,
    ),
    // The services of the canary are named after the target, the routes to them after the service.
    ...when(
      targetKind === 'Service' && name !== '' && name !== spec.targetRef.name,
      `spec.service.name: ${name} must be ${spec.targetRef.name}, the target, or be left out`,
    ),
  ];
};

const countsAreWhole: Rule = ({ analysis, field }) =>
  (['iterations', 'stepWeight', 'stepWeightPromotion'] as const)
    .filter((name) => !isWhole(analysis[name] ?? 0, 0, Infinity))
    .map((name) => `${field}.${name}: ${String(analysis[name])} must be a whole number from 0`);

const stepsAscend: Rule = (draft) => {
  const { spec, analysis, field } = draft;
  const { stepWeight = 0, stepWeights = [] } = analysis;
  const kind = strategyKindOf(draft);
  if ((kind !== 'weighted' && kind !== 'replicas') || stepWeight > 0) return [];
  const ascend = stepWeights.every(
    (weight, index) => isWhole(weight, 1, Infinity) && weight > (stepWeights[index - 1] ?? 0),
  );
  const others = kind === 'weighted' ? ', or count iterations' : '';
  return [
    ...when(
      stepWeights.length === 0 && spec.skipAnalysis !== true,
      `${field}.stepWeight: must be above 0 (or list stepWeights${others})`,
    ),
    ...when(
      !ascend,
      `${field}.stepWeights: [${stepWeights.join(', ')}] must be ascending whole numbers above 0`,
    ),
  ];
};

/** Pods move only where nothing else leads traffic or sets their number. */
const podsCanMove: Rule = (draft) => {
  const { spec, provider, targetKind, analysis, field } = draft;
  const { kind } = spec.targetRef;
  if (strategyKindOf(draft) !== 'replicas') return [];
  return [
    ...when(
      provider !== 'kubernetes',
      `${field}.shift: replicas needs provider kubernetes, not ${provider}`,
    ),
    ...when(
      targetKind !== 'Deployment',
      `${field}.shift: replicas needs a target of kind Deployment, not ${kind}`,
    ),
    ...when(
      spec.autoscalerRef !== undefined,
      `${field}.shift: replicas does not go with spec.autoscalerRef, which sets their number too`,
    ),
    ...when((analysis.iterations ?? 0) > 0, `${field}.iterations: ${notWithReplicas}`),
    ...when((analysis.match ?? []).length > 0, `${field}.match: ${notWithReplicas}`),
    ...when(analysis.mirror === true, `${field}.mirror: ${notWithReplicas}`),
  ];
};

const notWithReplicas = 'does not go with shift: replicas, which knows stepWeight and stepWeights';

const providerIsAble = everywhere(({ at, provider }, draft) => {
  const { analysis, field, spec } = draft;
  if (!isProvider(provider)) return [];
  const { service = {} } = spec;
  const can = capabilitiesFor(provider, service);
  const speaker = isPlainTcp(service) ? `${provider} (appProtocol tcp)` : provider;
  const unable = (name: string, what: keyof Capabilities, asks: boolean): readonly string[] =>
    when(
      asks && !can[what],
      `${name}: provider ${speaker} cannot ${abilities[what]} (${providersThat(what)} can)`,
    );
  // With kubernetes these two are left out with a warning: Flagger's users rely on it.
  const isRouted = provider !== 'kubernetes';
  return [
    ...unable(`${at}.provider`, 'weigh', strategyKindOf(draft) === 'weighted'),
    ...unable(`${field}.mirror`, 'mirror', isRouted && analysis.mirror === true),
    ...unable(`${field}.match`, 'matchRequests', isRouted && (analysis.match ?? []).length > 0),
    ...unable(`${field}.sessionAffinity`, 'affinity', analysis.sessionAffinity !== undefined),
  ];
});

const abilities = {
  weigh: 'split traffic by weight',
  mirror: 'copy requests to the canary',
  matchRequests: 'tell requests apart',
  affinity: 'keep clients on a version',
} as const satisfies Record<keyof Capabilities, string>;

/** What RFC 6265 allows as the name of a cookie; it becomes part of regular expressions too. */
const cookieName = /^[\w!#$%&'*+\-.^`|~]+$/;

const cookiesDiffer: Rule = ({ analysis, field }) => {
  if (analysis.sessionAffinity === undefined) return [];
  const { cookieName: canary = '', primaryCookieName: primary = '' } = analysis.sessionAffinity;
  return [
    ...when(
      canary === primary,
      `${field}.sessionAffinity: can't use the same cookie name for both primary and cookie name; please update them to be different`,
    ),
    ...[canary, primary]
      .filter((name) => name !== '' && !cookieName.test(name))
      .map((name) => `${field}.sessionAffinity: "${name}" is not the name of a cookie`),
    ...when(canary === '' && primary !== '', `${field}.sessionAffinity.cookieName: is required`),
  ];
};

const mirrorIsShare: Rule = ({ analysis: { mirrorWeight = 0 }, field }) =>
  when(
    !isWhole(mirrorWeight, 0, 100),
    `${field}.mirrorWeight: ${String(mirrorWeight)} must be a whole number from 0 to 100`,
  );

const gatesAreSound: Rule = ({ analysis: { gates = [] }, field }) => {
  const names = gates.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  return [
    ...[...new Set(twice)].map((name) => `${field}.gates: two gates have the name ${name}`),
    ...gates.flatMap(({ name, timeout }) =>
      when(
        timeout !== undefined && !((parseDuration(timeout) ?? 0) > 0),
        `${field}.gates.${name}.timeout: "${timeout ?? ''}" is not a duration above 0, such as 30m or 8h`,
      ),
    ),
  ];
};

const rules: readonly Rule[] = [
  providerExists,
  routeIsNamed,
  routesGoTogether,
  targetExists,
  knativeIsWhole,
  scalerIsSound,
  serviceIsSound,
  countsAreWhole,
  stepsAscend,
  podsCanMove,
  providerIsAble,
  cookiesDiffer,
  mirrorIsShare,
  gatesAreSound,
];

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
