import type { KubeObject } from '../../../domain/objects.js';

/** A path of an Ingress to port 80 of a service. */
export function pathTo(service: string, path: string): object {
  return {
    path,
    pathType: 'Prefix',
    backend: { service: { name: service, port: { number: 80 } } },
  };
}

/** An Ingress in `test` with these paths at one host. */
export function anIngress(
  name: string,
  {
    annotations = {},
    paths,
  }: { readonly annotations?: Record<string, string>; readonly paths: readonly object[] },
): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'test', labels: { app: 'shop' }, annotations },
    spec: { ingressClassName: 'nginx', rules: [{ host: 'shop.example.com', http: { paths } }] },
  };
}
