import { severities, type Alert, type Fact, type Severity } from './alerts.js';
import type { WireAlert, WireAnalysis, WireSpec } from './manifest/wire.js';
import type { KubeObject } from './objects.js';

/** An AlertProvider, by name. */
export interface ProviderName {
  readonly namespace: string;
  readonly name: string;
}

/** One entry of `spec.analysis.alerts`: which alerts go to which AlertProvider. */
export interface AlertEntry {
  /** The least severity that is sent. */
  readonly severity: Severity;
  readonly provider: ProviderName;
}

/**
 * The alerts of a manifest. Read leniently and apart from the rest of the manifest, because alerts
 * also tell of what is wrong with it.
 */
export function alertEntriesOf({ spec, metadata }: KubeObject): readonly AlertEntry[] {
  const { namespace = 'default' } = metadata;
  return (analysisOf(spec).alerts ?? []).map(({ severity = '', providerRef }) => ({
    severity: severity === '' ? 'info' : severity,
    provider: {
      namespace: isNamed(providerRef.namespace) ? providerRef.namespace : namespace,
      name: providerRef.name,
    },
  }));
}

/** Whether an alert is bad enough for an entry. */
export function isWanted({ severity: least }: AlertEntry, { severity }: Alert): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least);
}

/** The settings of an analysis as alerts show them. */
export function settingFacts({ spec, metadata }: KubeObject): readonly Fact[] {
  const { targetRef, progressDeadlineSeconds = 600 } = (spec ?? {}) as Partial<WireSpec>;
  const { kind = '', name = '' } = targetRef ?? {};
  const analysis = analysisOf(spec);
  const routing = routingOf(analysis);
  return [
    { name: 'Target', value: `${kind}/${name}.${metadata.namespace ?? 'default'}` },
    { name: 'Failed checks threshold', value: String(Math.max(1, analysis.threshold ?? 1)) },
    { name: 'Progress deadline', value: `${String(progressDeadlineSeconds)}s` },
    ...(routing === undefined ? [] : [{ name: 'Traffic routing', value: routing }]),
  ];
}

/** The words are Flagger's, as is that a maxWeight which is left out is shown as 0. */
function routingOf(analysis: WireAnalysis): string | undefined {
  const { iterations = 0, match = [], stepWeight = 0, stepWeights = [], maxWeight = 0 } = analysis;
  if (iterations > 0) return match.length > 0 ? 'A/B Testing' : 'Blue/Green';
  if (stepWeight > 0) return `Weight step: ${String(stepWeight)} max: ${String(maxWeight)}`;
  return stepWeights.length > 0
    ? `Weight steps: ${stepWeights.join(',')} max: ${String(maxWeight)}`
    : undefined;
}

function analysisOf(spec: KubeObject['spec']): WireAnalysis {
  const { analysis, canaryAnalysis } = (spec ?? {}) as Partial<WireSpec>;
  return analysis ?? canaryAnalysis ?? {};
}

function isNamed(namespace: WireAlert['providerRef']['namespace']): namespace is string {
  return namespace !== undefined && namespace !== '';
}
