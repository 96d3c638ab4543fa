import { KubeError, type Kube } from '../../activities/kube.js';
import { until } from '../e2e/until.js';

/** What can be frozen: a kind, or its status. */
const frozen = {
  Canary: ['flagger.app/v1beta1', 'Canary', 'canaries'],
  'Canary/status': ['flagger.app/v1beta1', 'Canary', 'canaries/status'],
  HTTPProxy: ['projectcontour.io/v1', 'HTTPProxy', 'httpproxies'],
  HTTPRoute: ['gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes'],
  Deployment: ['apps/v1', 'Deployment', 'deployments'],
  Service: ['v1', 'Service', 'services'],
} as const;

export type FreezableKind = keyof typeof frozen;

/**
 * Makes the API server refuse every update of one object with 403, by an admission policy of its
 * own; gives the function that lifts it. Both resolve when the API server has taken notice.
 */
export async function freeze(
  kube: Kube,
  what: FreezableKind,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<() => Promise<void>> {
  const [apiVersion, kind, resource] = frozen[what];
  const policy = `${namespace}.${name}.${what.toLowerCase().replace('/', '-')}`;
  const subresource = what.endsWith('/status') ? 'status' : undefined;
  const isRefused = async (): Promise<boolean> => {
    try {
      await kube.patch({ apiVersion, kind, namespace, name }, { metadata: {} }, subresource);
      return false;
    } catch (error) {
      if (error instanceof KubeError && error.status === 403) return true;
      // What is being deleted may go the moment it is thawed.
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
  };
  await kube.create({
    ...object('ValidatingAdmissionPolicy', policy),
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          {
            apiGroups: [apiVersion.includes('/') ? apiVersion.split('/')[0] : ''],
            apiVersions: ['*'],
            operations: ['UPDATE'],
            resources: [resource],
            resourceNames: [name],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'frozen by a test', reason: 'Forbidden' }],
    },
  });
  await kube.create({
    ...object('ValidatingAdmissionPolicyBinding', policy),
    spec: { policyName: policy, validationActions: ['Deny'] },
  });
  await until(`the freezing of ${name}`, isRefused);
  return async () => {
    for (const kindOf of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy']) {
      await kube.remove({ apiVersion: admission, kind: kindOf, namespace: '', name: policy });
    }
    await until(`the thawing of ${name}`, async () => !(await isRefused()));
  };
}

const admission = 'admissionregistration.k8s.io/v1';

function object(
  kind: string,
  name: string,
): { apiVersion: string; kind: string; metadata: { name: string } } {
  return { apiVersion: admission, kind, metadata: { name } };
}
