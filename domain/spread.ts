import type { PodTemplate } from './objects.js';

type PodSpec = NonNullable<PodTemplate['spec']>;

/**
 * Makes the rules that keep a workload's pods apart from each other speak of the primary's pods.
 * Left as they are they would keep the primary apart from the canary and leave its own pods
 * together. Rules about other workloads, and rules of attraction, mean what they say.
 *
 * @param own the values by which the rules may name the workload itself
 * @param labels the label keys such values are looked for under
 */
export function spreadApart(
  spec: PodSpec,
  own: readonly string[],
  labels: readonly string[],
): PodSpec {
  const { affinity, topologySpreadConstraints, ...rest } = spec as SpreadRules;
  const renamed: Rename = (selector) => renamedSelector(selector, own, labels);
  return {
    ...rest,
    ...(affinity === undefined ? {} : { affinity: renamedAffinity(affinity, renamed) }),
    ...(topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: topologySpreadConstraints.map((rule) =>
            renamedTerm(rule, renamed),
          ),
        }),
  };
}

function renamedAffinity(affinity: Affinity, renamed: Rename): Affinity {
  const { podAntiAffinity } = affinity;
  if (podAntiAffinity === undefined) return affinity;
  const {
    requiredDuringSchedulingIgnoredDuringExecution: required,
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
    ...rest
  } = podAntiAffinity;
  return {
    ...affinity,
    podAntiAffinity: {
      ...rest,
      ...(required === undefined
        ? {}
        : {
            requiredDuringSchedulingIgnoredDuringExecution: required.map((term) =>
              renamedTerm(term, renamed),
            ),
          }),
      ...(preferred === undefined
        ? {}
        : {
            preferredDuringSchedulingIgnoredDuringExecution: preferred.map(
              ({ podAffinityTerm, ...weight }) => ({
                ...weight,
                podAffinityTerm: renamedTerm(podAffinityTerm, renamed),
              }),
            ),
          }),
    },
  };
}

function renamedTerm<T extends Term>(term: T, renamed: Rename): T {
  const { labelSelector } = term;
  return labelSelector === undefined ? term : { ...term, labelSelector: renamed(labelSelector) };
}

function renamedSelector(
  selector: LabelSelector,
  own: readonly string[],
  labels: readonly string[],
): LabelSelector {
  const { matchLabels, matchExpressions } = selector;
  return {
    ...selector,
    ...(matchLabels === undefined
      ? {}
      : {
          matchLabels: Object.fromEntries(
            Object.entries(matchLabels).map(([key, value]) =>
              labels.includes(key) && own.includes(value)
                ? [key, `${value}-primary`]
                : [key, value],
            ),
          ),
        }),
    ...(matchExpressions === undefined
      ? {}
      : {
          matchExpressions: matchExpressions.map((expression) =>
            labels.includes(expression.key) ? renamedExpression(expression, own) : expression,
          ),
        }),
  };
}

function renamedExpression(expression: Expression, own: readonly string[]): Expression {
  const { values } = expression;
  if (values === undefined) return expression;
  return {
    ...expression,
    values: values.map((value) => (own.includes(value) ? `${value}-primary` : value)),
  };
}

type Rename = (selector: LabelSelector) => LabelSelector;

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Expression[];
}

interface Expression {
  readonly key: string;
  readonly values?: readonly string[];
}

interface Term {
  readonly labelSelector?: LabelSelector;
}

interface Affinity {
  readonly podAntiAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly Term[];
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly podAffinityTerm: Term;
    }[];
  };
}

interface SpreadRules {
  readonly affinity?: Affinity;
  readonly topologySpreadConstraints?: readonly Term[];
}
