import type { Kube } from '../../activities/kube.js';
import { imageOf } from './manifests.js';

const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * Makes the API server refuse every pod of a primary that has the image of a tag, by an admission
 * policy of its own, so that a revision is well as a canary and breaks when it is promoted. Gives
 * the function that lifts it.
 */
export async function refusePrimaryPods(
  kube: Kube,
  {
    namespace,
    name,
    tag,
  }: { readonly namespace: string; readonly name: string; readonly tag: string },
): Promise<() => Promise<void>> {
  const policy = `${namespace}.${name}.pods`;
  const metadata = { name: policy };
  const isOfPrimary = `object.metadata.?labels.?app.orValue('') == '${name}-primary'`;
  const hasImage = `object.spec.containers[0].image == '${imageOf(tag)}'`;
  await kube.create({
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          { apiGroups: [''], apiVersions: ['*'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      validations: [{ expression: `!(${isOfPrimary} && ${hasImage})`, message: 'not promoted' }],
    },
  });
  await kube.create({
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: policy, validationActions: ['Deny'] },
  });
  return async () => {
    for (const kind of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy']) {
      await kube.remove({ apiVersion, kind, namespace: '', name: policy });
    }
  };
}
