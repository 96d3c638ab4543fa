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
  const ref = from.configMapRef ?? from.secretRef;
  const name = ref?.name ?? '';
  const found =
    from.configMapRef === undefined
      ? readSecret(sources.secret(name))
      : readConfigMap(sources.configMap(name));
  if (found === undefined) {
    if (ref?.optional === true) return {};
    throw new Error(
      `${from.configMapRef === undefined ? 'secret' : 'configmap'} "${name}" not found`,
    );
  }
  return Object.fromEntries(Object.entries(found).map(([k, v]) => [`${from.prefix ?? ''}${k}`, v]));
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

function keyValue(variable: V1EnvVar, sources: EnvironmentSources): string | undefined {
  const { configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  const ref = configMapKeyRef ?? secretKeyRef;
  if (ref === undefined) throw new Error(`variable ${variable.name} has an unknown source`);
  const name = ref.name ?? '';
  const kind = configMapKeyRef === undefined ? 'secret' : 'configmap';
  const found =
    configMapKeyRef === undefined
      ? readSecret(sources.secret(name))
      : readConfigMap(sources.configMap(name));
  const value = found?.[ref.key];
  if (value !== undefined || ref.optional === true) return value;
  if (found === undefined) throw new Error(`${kind} "${name}" not found`);
  const title = kind === 'secret' ? 'Secret' : 'ConfigMap';
  const namespace = sources.pod.metadata?.namespace ?? '';
  throw new Error(`couldn't find key ${ref.key} in ${title} ${namespace}/${name}`);
}

function readConfigMap(configMap: V1ConfigMap | undefined): Record<string, string> | undefined {
  return configMap === undefined ? undefined : (configMap.data ?? {});
}

function readSecret(secret: V1Secret | undefined): Record<string, string> | undefined {
  if (secret === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([k, v]) => [k, Buffer.from(v, 'base64').toString()]),
  );
}
