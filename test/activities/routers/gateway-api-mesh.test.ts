import { gatewayApi } from '../../../activities/routers/gateway-api.js';
import type { KubeObject } from '../../../domain/objects.js';
import { aCanary } from '../a-canary.js';
import { at } from './laws.js';

const router = gatewayApi({ version: 'v1' });

describe('attached to the service that is called in a mesh', () => {
  const parent = { group: 'core', kind: 'Service', name: 'podinfo', port: 80 };
  const meshed = aCanary({
    spec: { provider: 'gatewayapi:v1' },
    service: { gatewayRefs: [parent] },
  });
  const [rendered] = router.render(meshed, at(30), []);
  // As Linkerd reports: with the namespace, and without the generation.
  const reported = (status: string, fields: object = {}, ref: object = {}): KubeObject => ({
    ...rendered!,
    metadata: { ...rendered!.metadata, generation: 3 },
    status: {
      parents: [
        {
          parentRef: { ...parent, namespace: 'test', ...ref },
          controllerName: 'linkerd.io/policy-controller',
          conditions: [
            { type: 'Accepted', status, reason: 'Accepted', message: '', ...fields },
            { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' },
          ],
        },
      ],
    },
  });

  it('names the service as its parent', () => {
    expect(rendered?.spec).toMatchObject({ parentRefs: [parent] });
  });

  it.each<[string, KubeObject, object]>([
    ['given', reported('True'), { kind: 'accepted' }],
    [
      'given in the group without a name',
      reported('True', {}, { group: '' }),
      { kind: 'accepted' },
    ],
    [
      'refused with the reason',
      reported('False', { reason: 'NoMatchingParent' }),
      { kind: 'refused', reason: 'service podinfo: NoMatchingParent' },
    ],
    [
      'refused with the message',
      reported('False', { message: 'parent service must have a ClusterIP' }),
      { kind: 'refused', reason: 'service podinfo: parent service must have a ClusterIP' },
    ],
    [
      'pending for an older generation, where one is named',
      reported('True', { observedGeneration: 2 }),
      { kind: 'pending' },
    ],
    [
      'unreported by a service of another namespace',
      reported('True', {}, { namespace: 'other' }),
      { kind: 'unreported' },
    ],
    ['unreported for another port', reported('True', {}, { port: 81 }), { kind: 'unreported' }],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(meshed, [live])).toEqual(expected);
  });
});
