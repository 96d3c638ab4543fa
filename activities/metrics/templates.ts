import type { Canary, Metric } from '../../domain/canary.js';
import { parseDuration } from '../../domain/duration.js';
import { templateTexts } from '../../domain/metric-texts.js';
import type { KubeObject } from '../../domain/objects.js';
import { renderTemplate, type Rendered } from '../../domain/template.js';
import { KubeError, type Kube } from '../kube.js';
import { buildMetricProvider } from './index.js';
import type { MetricProvider, ProviderConfig } from './provider.js';

/** A metric template ready to be asked. */
export interface OpenTemplate {
  /** `NAME.NAMESPACE`, as events print it. */
  readonly title: string;
  readonly type: string;
  readonly query: string;
  readonly provider: MetricProvider;
}

/** What is wrong with a template; the message is the end of a sentence about the metric. */
export class TemplateTrouble extends Error {
  override readonly name = 'TemplateTrouble';
}

/**
 * Reads a template and its Secret, which is looked for in the template's namespace, and builds its
 * provider for a metric of this interval. Throws {@link TemplateTrouble} for what only a manifest or a permission can mend, and
 * the API's own error when it could not be asked.
 */
export async function openTemplate(
  kube: Kube,
  { name, namespace }: NonNullable<Metric['template']>,
  interval: string,
  signal?: AbortSignal,
): Promise<OpenTemplate> {
  const title = `${name}.${namespace}`;
  const trouble = (why: string) => new TemplateTrouble(templateTexts.missing(title, why));
  const template = await refusalsAs(trouble, () =>
    kube.find<MetricTemplate>(
      { apiVersion: 'flagger.app/v1beta1', kind: 'MetricTemplate', namespace, name },
      signal,
    ),
  );
  if (template === undefined) throw trouble('not found');
  const { provider, query } = template.spec;
  const credentials = await readCredentials(kube, template, signal);
  const intervalMs = parseDuration(interval);
  const more = {
    kube,
    ...(credentials === undefined ? {} : { credentials }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
  };
  return { title, type: provider.type, query, provider: build(title, provider, more) };
}

/**
 * The text of a query for a Canary's metric.
 *
 * @param revision what Knative calls the revision under analysis, where the target is its
 */
export function renderQuery(
  text: string,
  canary: Canary,
  metric: Metric,
  revision?: string,
): Rendered {
  const { target, service, ingressName, routeName } = canary;
  return renderTemplate(text, {
    name: canary.name,
    namespace: canary.namespace,
    target: target.name,
    service: service.name,
    ingress: ingressName ?? target.name,
    route: revision ?? routeName ?? target.name,
    interval: metric.interval,
    variables: metric.variables,
  });
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a provider is told that is not in its template. */
type MoreConfig = Pick<ProviderConfig, 'credentials' | 'intervalMs' | 'kube' | 'timeoutMs'>;

interface MetricTemplate extends KubeObject {
  readonly spec: {
    readonly provider: Omit<ProviderConfig, keyof MoreConfig> & {
      readonly type: string;
      readonly secretRef?: { readonly name: string };
    };
    readonly query: string;
  };
}

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

async function readCredentials(
  kube: Kube,
  { metadata: { name, namespace = '' }, spec }: MetricTemplate,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string>> | undefined> {
  const { secretRef } = spec.provider;
  if (secretRef === undefined) return undefined;
  const trouble = (why: string) =>
    new TemplateTrouble(templateTexts.secret(`${name}.${namespace}`, secretRef.name, why));
  const secret = await refusalsAs(trouble, () =>
    kube.find<Secret>(
      { apiVersion: 'v1', kind: 'Secret', namespace, name: secretRef.name },
      signal,
    ),
  );
  if (secret === undefined) throw trouble('not found');
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, decoded(value)]),
  );
}

/** Files that Secrets are made from often end in a newline, which no credential does. */
function decoded(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8').trim();
}

function build(
  title: string,
  { type, ...config }: MetricTemplate['spec']['provider'],
  more: MoreConfig,
): MetricProvider {
  try {
    return buildMetricProvider(type, { ...config, ...more });
  } catch (error) {
    throw new TemplateTrouble(templateTexts.provider(title, type, messageOf(error)), {
      cause: error,
    });
  }
}

/** A refusal of the API server is told; that it could not be reached is for a later attempt. */
async function refusalsAs<T>(trouble: (why: string) => Error, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof KubeError && error.status < 500 ? trouble(error.message) : error;
  }
}
