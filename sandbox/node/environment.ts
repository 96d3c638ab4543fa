import type {
  V1ConfigMap,
  V1Container,
  V1EnvFromSource,
  V1EnvVar,
  V1Pod,
  V1Secret,
} from '@kubernetes/client-node';

import { fieldValue, resourceValue } from './downward.js';
import type { PodAddresses } from './downward.js';
import { expand } from './expansion.js';
import { identity } from './identity.js';

/** Everything a container's environment is made of besides its own spec. */
export type EnvironmentSources = {
  readonly pod: V1Pod;
  readonly addresses: PodAddresses;
  readonly image: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, string>>;
  readonly configMap: (name: string) => V1ConfigMap | undefined;
  readonly secret: (name: string) => V1Secret | undefined;
};

/**
 * The environment of a container, weakest source first: image, services, envFrom, env. Throws with the
 * kubelet's words when a ConfigMap, a Secret or a key that is not optional is missing.
 */
export function containerEnvironment(
  container: V1Container,
  sources: EnvironmentSources,
): Record<string, string> {
  const environment: Record<string, string> = { ...sources.image, ...sources.services };
  for (const from of container.envFrom ?? []) {
    Object.assign(environment, valuesFrom(from, sources));
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, { container, sources, environment });
    if (value !== undefined) environment[variable.name] = value;
  }
  return environment;
}

function valuesFrom(from: V1EnvFromSource, sources: EnvironmentSources): Record<string, string> {
  const { kind, ref, values } = source(from.configMapRef, from.secretRef, sources);
  if (values === undefined) {
    if (ref.optional === true) return {};
    throw new Error(`${kind} "${ref.name ?? ''}" not found`);
  }
  const prefix = from.prefix ?? '';
  return Object.fromEntries(Object.entries(values).map(([k, v]) => [prefix + k, v]));
}

type Variable = {
  readonly container: V1Container;
  readonly sources: EnvironmentSources;
  readonly environment: Readonly<Record<string, string>>;
};

function valueOf(
  variable: V1EnvVar,
  { container, sources, environment }: Variable,
): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return expand(variable.value ?? '', environment);
  if (from.fieldRef !== undefined) return fieldValue(sources.pod, from.fieldRef, sources.addresses);
  if (from.resourceFieldRef !== undefined) {
    const all = [
      ...(sources.pod.spec?.initContainers ?? []),
      ...(sources.pod.spec?.containers ?? []),
    ];
    return resourceValue(all, from.resourceFieldRef, container.name);
  }
  return keyValue(variable, sources);
}

function keyValue({ valueFrom }: V1EnvVar, sources: EnvironmentSources): string | undefined {
  const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
  const { kind, ref, values } = source(configMapKeyRef, secretKeyRef, sources);
  const { key = '', name = '', optional } = ref;
  const value = values?.[key];
  if (value !== undefined || optional === true) return value;
  if (values === undefined) throw new Error(`${kind} "${name}" not found`);
  const title = kind === 'secret' ? 'Secret' : 'ConfigMap';
  throw new Error(
    `couldn't find key ${key} in ${title} ${identity(sources.pod).namespace}/${name}`,
  );
}

type Ref = { readonly name?: string; readonly key?: string; readonly optional?: boolean };

/** What one of two references leads to; the values are undefined when the object is missing. */
function source(
  configMapRef: Ref | undefined,
  secretRef: Ref | undefined,
  sources: EnvironmentSources,
): { kind: string; ref: Ref; values: Record<string, string> | undefined } {
  if (configMapRef !== undefined) {
    const configMap = sources.configMap(configMapRef.name ?? '');
    const values = configMap === undefined ? undefined : (configMap.data ?? {});
    return { kind: 'configmap', ref: configMapRef, values };
  }
  const secret = sources.secret(secretRef?.name ?? '');
  return { kind: 'secret', ref: secretRef ?? {}, values: decoded(secret) };
}

function decoded(secret: V1Secret | undefined): Record<string, string> | undefined {
  if (secret === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([k, v]) => [k, Buffer.from(v, 'base64').toString()]),
  );
}
