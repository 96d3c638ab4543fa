import type { KubeObject } from '../../domain/objects.js';
import type { AppProvider } from './manifests.js';

/** Where the app is and by what host it is reached. */
interface Place {
  readonly namespace: string;
  readonly host: string;
}

/** What leads a host to the app `web` where the Canary's own object does not. */
export function frontsOf(provider: AppProvider, place: Place): readonly KubeObject[] {
  switch (provider) {
    case 'contour':
      return [rootOf(place)];
    case 'skipper':
      return [ingressOf(place)];
    case 'traefik':
      return [ingressRouteOf(place)];
    case 'gatewayapi:v1':
    case 'gatewayapi:v1beta1':
    case 'istio':
    case 'kubernetes':
      return [];
  }
}

/** The virtual host that includes the HTTPProxy `web` of the Canary. */
export function rootOf({ namespace, host }: Place): KubeObject {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: 'web-root', namespace },
    spec: { virtualhost: { fqdn: host }, includes: [{ name: 'web', namespace }] },
  };
}

function ingressOf({ namespace, host }: Place): KubeObject {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const paths = [{ path: '/', pathType: 'Prefix', backend }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace },
    spec: { rules: [{ host, http: { paths } }] },
  };
}

function ingressRouteOf({ namespace, host }: Place): KubeObject {
  const services = [{ kind: 'TraefikService', name: 'web' }];
  return {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRoute',
    metadata: { name: 'web', namespace },
    spec: { routes: [{ kind: 'Rule', match: `Host(\`${host}\`)`, services }] },
  };
}
