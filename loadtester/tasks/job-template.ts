import { load } from 'js-yaml';

import type { Kube } from '../../activities/kube.js';
import type { Container, KubeObject, ObjectMeta } from '../../domain/objects.js';
import { textOfConfigMap, type Cluster, type NamespacedName } from '../cluster.js';

/** Where the template of a Job can be. */
export const templateKinds = ['job', 'cronjob', 'configmap'] as const;

export interface TemplateRef {
  readonly kind: (typeof templateKinds)[number];
  readonly name: string;
  /** In a ConfigMap. */
  readonly key: string;
}

/** The part of a Job that is looked at; everything else is carried along unread. */
export interface Job extends KubeObject {
  readonly spec: JobSpec;
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

interface JobSpec {
  readonly activeDeadlineSeconds?: number;
  readonly template: {
    readonly metadata?: Pick<ObjectMeta, 'labels' | 'annotations'>;
    readonly spec?: {
      readonly containers?: readonly EnvContainer[];
      readonly [field: string]: unknown;
    };
  };
  readonly [field: string]: unknown;
}

interface EnvContainer extends Container {
  readonly env?: readonly { readonly name: string }[];
}

interface CronJob extends KubeObject {
  readonly spec: { readonly jobTemplate: { readonly spec: JobSpec } };
}

/** How long the outcome stays for another attempt to find, when the caller has hung up. */
const keptSeconds = 300;
const canaryAnnotation = 'sluice.dev/canary';

/** The spec a template has; throws an error that says what is wrong with the template. */
export async function templateOf(
  { kube }: Cluster,
  { kind, name, key }: TemplateRef,
  namespace: string,
): Promise<JobSpec> {
  switch (kind) {
    case 'job':
      return (await inCluster<Job>(kube, 'Job', { namespace, name })).spec;
    case 'cronjob':
      return (await inCluster<CronJob>(kube, 'CronJob', { namespace, name })).spec.jobTemplate.spec;
    case 'configmap': {
      const text = await textOfConfigMap(kube, { namespace, name }, key);
      const spec = specOf(text);
      if (spec !== undefined) return spec;
      throw new Error(`configmap ${name}.${namespace}: ${key} is no Job in YAML`);
    }
  }
}

async function inCluster<T extends KubeObject>(
  kube: Kube,
  kind: 'Job' | 'CronJob',
  { namespace, name }: NamespacedName,
): Promise<T> {
  const found = await kube.find<T>({ apiVersion: 'batch/v1', kind, namespace, name });
  if (found !== undefined) return found;
  throw new Error(`${kind.toLowerCase()} ${name}.${namespace} not found`);
}

function specOf(yaml: string): JobSpec | undefined {
  try {
    const job = load(yaml) as Partial<Job> | undefined;
    return job?.kind === 'Job' && typeof job.spec?.template === 'object' ? job.spec : undefined;
  } catch {
    return undefined;
  }
}

/** What a Job is made from, besides its template. */
export interface JobOptions {
  readonly job: NamespacedName;
  readonly canary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** A Job that starts at once and ends by itself, though the one it was copied from may be suspended. */
export function jobFrom(template: JobSpec, { job, canary, env, timeoutMs }: JobOptions): Job {
  // The API server has filled these in, for the Job the template was.
  const { selector, manualSelector, ...spec } = template;
  const { metadata = {}, spec: pod = {} } = template.template;
  const seconds = Math.ceil(timeoutMs / 1_000);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...job,
      labels: { 'app.kubernetes.io/managed-by': 'sluice-loadtester' },
      annotations: { [canaryAnnotation]: canary },
    },
    spec: {
      ...spec,
      suspend: false,
      activeDeadlineSeconds: Math.min(spec.activeDeadlineSeconds ?? seconds, seconds),
      ttlSecondsAfterFinished: keptSeconds,
      template: {
        metadata: { ...metadata, labels: ownLabels(metadata.labels ?? {}) },
        spec: { ...pod, containers: (pod.containers ?? []).map((one) => withEnv(one, env)) },
      },
    },
  };
}

function ownLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !/^(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/.test(key),
    ),
  );
}

function withEnv(container: EnvContainer, env: Readonly<Record<string, string>>): EnvContainer {
  const kept = (container.env ?? []).filter(({ name }) => !Object.hasOwn(env, name));
  const added = Object.entries(env).map(([name, value]) => ({ name, value }));
  return { ...container, env: [...kept, ...added] };
}
