import { parseDuration } from '../duration.js';
import {
  capabilities,
  isProvider,
  providers,
  providersThat,
  type Capabilities,
} from '../providers.js';
import type { Draft } from './draft.js';
import { strategyKindOf } from './strategy.js';

/** Everything that keeps a manifest from being carried out, each named by its field. */
export function problemsOf(draft: Draft): string[] {
  return rules.flatMap((rule) => rule(draft));
}

/** Some sentences if something is so. */
function when(condition: boolean, ...sentences: readonly string[]): readonly string[] {
  return condition ? sentences : [];
}

type Rule = (draft: Draft) => readonly string[];

const providerExists: Rule = ({ provider }) =>
  when(
    !isProvider(provider),
    `spec.provider: ${provider} is not supported (supported: ${providers.join(', ')})`,
  );

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

const providerIsAble: Rule = (draft) => {
  const { provider, analysis, field } = draft;
  if (!isProvider(provider)) return [];
  const can = capabilities[provider];
  const unable = (name: string, what: keyof Capabilities, asks: boolean): readonly string[] =>
    when(
      asks && !can[what],
      `${name}: provider ${provider} cannot ${abilities[what]} (${providersThat(what)} can)`,
    );
  // With kubernetes these two are left out with a warning: Flagger's users rely on it.
  const isRouted = provider !== 'kubernetes';
  return [
    ...unable('spec.provider', 'weigh', strategyKindOf(draft) === 'weighted'),
    ...unable(`${field}.mirror`, 'mirror', isRouted && analysis.mirror === true),
    ...unable(`${field}.match`, 'matchRequests', isRouted && (analysis.match ?? []).length > 0),
    ...unable(`${field}.sessionAffinity`, 'affinity', analysis.sessionAffinity !== undefined),
  ];
};

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
  targetExists,
  knativeIsWhole,
  scalerIsSound,
  serviceIsSound,
  countsAreWhole,
  stepsAscend,
  podsCanMove,
  providerIsAble,
  cookiesDiffer,
  gatesAreSound,
];

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
