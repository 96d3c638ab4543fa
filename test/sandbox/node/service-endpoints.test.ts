import type { V1Endpoint, V1EndpointSlice } from '@kubernetes/client-node';

import { serviceRoutes } from '../../../sandbox/node/service-endpoints.js';

const service = { spec: { clusterIP: '10.96.1.2', ports: [{ name: 'http', port: 80 }] } };

function slice(...endpoints: V1Endpoint[]): V1EndpointSlice {
  return { addressType: 'IPv4', ports: [{ name: 'http', port: 8080 }], endpoints };
}

const ready = { addresses: ['10.244.0.2'], conditions: { ready: true } };
const unready = { addresses: ['10.244.0.3'], conditions: { ready: false } };
const ending = {
  addresses: ['10.244.0.4'],
  conditions: { ready: false, serving: true, terminating: true },
};

describe('serviceRoutes', () => {
  it.each([
    ['ready endpoints only', [ready, unready, ending], ['10.244.0.2']],
    ['ending endpoints while none is ready', [unready, ending], ['10.244.0.4']],
    ['nobody', [unready], []],
  ])('sends connections to %s', (_name, endpoints, addresses) => {
    expect(serviceRoutes(service, [slice(...endpoints)])).toEqual([
      {
        clusterIp: '10.96.1.2',
        port: 80,
        backends: addresses.map((address) => ({ address, port: 8080 })),
      },
    ]);
  });

  it('has no routes for headless services and for other protocols', () => {
    expect(serviceRoutes({ spec: { ...service.spec, clusterIP: 'None' } }, [])).toEqual([]);
    const udp = { spec: { clusterIP: '10.96.1.2', ports: [{ port: 53, protocol: 'UDP' }] } };
    expect(serviceRoutes(udp, [])).toEqual([]);
  });
});
