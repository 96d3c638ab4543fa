import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { objectIn, titleOf, type CopyRefs } from './copies.js';
import { Unroutable } from './router.js';

const field = 'spec.ingressRef';

/** Fields: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/ */
export interface Ingress extends KubeObject {
  readonly spec?: IngressSpec;
}

export interface IngressSpec {
  readonly rules?: readonly { readonly http?: { readonly paths?: readonly Path[] } }[];
}

export interface Path {
  readonly backend: { readonly service?: { readonly name?: string } };
}

/** All that a spec of an Ingress consists of. */
export const ingressFields = ['ingressClassName', 'defaultBackend', 'rules', 'tls'] as const;

/** The user's Ingress that `spec.ingressRef` names, and the copy of it. */
export function ingressRefs({ namespace, ingressName, provider }: Canary): CopyRefs {
  if (ingressName === undefined) {
    throw new Unroutable(`${field}: is required by provider ${provider}`);
  }
  const refOf = (name: string): ObjectRef => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    namespace,
    name,
  });
  return { source: refOf(ingressName), copy: refOf(`${ingressName}-canary`), field };
}

/** The Ingress a reference names, as far as it exists. */
export function ingressIn(live: readonly KubeObject[], ref: ObjectRef): Ingress | undefined {
  return objectIn(live, ref) as Ingress | undefined;
}

/** Throws while the user's Ingress leads nobody to the service. */
export function requireService(canary: Canary, source: Ingress): void {
  const { apexService } = namesOf(canary);
  if (leadsTo(source, apexService)) return;
  const title = titleOf(ingressRefs(canary).source);
  throw new Error(`${field}: ${title} has no path with service ${apexService}`);
}

/** Whether any path of an Ingress leads to a service. */
export function leadsTo({ spec }: Ingress, service: string): boolean {
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  return paths.some((path) => isTo(path, service));
}

/** Whether a path leads to a service. */
export function isTo({ backend }: Path, service: string): boolean {
  return backend.service?.name === service;
}

/** The same path to another service. */
export function toService(path: Path, name: string): Path {
  const { backend } = path;
  return { ...path, backend: { ...backend, service: { ...backend.service, name } } };
}

/** The same spec with the paths of each of its rules changed. */
export function withPaths(
  spec: IngressSpec,
  change: (paths: readonly Path[]) => readonly Path[],
): IngressSpec {
  if (spec.rules === undefined) return spec;
  const rules = spec.rules.map((rule) =>
    rule.http?.paths === undefined
      ? rule
      : { ...rule, http: { ...rule.http, paths: change(rule.http.paths) } },
  );
  return { ...spec, rules };
}
