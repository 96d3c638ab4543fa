import { resolve } from '../../../sandbox/node/dns-answers.js';
import type { Zone } from '../../../sandbox/node/dns-answers.js';

const services = {
  'shop/web': {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { clusterIP: '10.96.1.2', ports: [{ name: 'http', port: 80 }] },
  },
  'shop/db': { metadata: { name: 'db', namespace: 'shop' }, spec: { clusterIP: 'None' } },
  'shop/out': { spec: { type: 'ExternalName', externalName: 'example.com' } },
};
const zone: Zone = {
  service: (namespace, name) => services[`${namespace}/${name}` as keyof typeof services],
  slices: (_namespace, service) =>
    service === 'db'
      ? [
          {
            addressType: 'IPv4',
            endpoints: [
              { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
              { addresses: ['10.244.0.6'], conditions: { ready: false } },
            ],
          },
        ]
      : [],
};

function data(name: string, type: 'A' | 'AAAA' | 'SRV' = 'A'): unknown[] | 'unknown' {
  const { found, answers } = resolve({ name, type }, zone);
  return found ? answers.map((answer) => ('data' in answer ? answer.data : undefined)) : 'unknown';
}

describe('resolve', () => {
  it.each([
    ['web.shop.svc.cluster.local', 'A', ['10.96.1.2']],
    ['WEB.shop.svc.Cluster.Local', 'A', ['10.96.1.2']],
    ['web.shop.svc.cluster.local', 'AAAA', []],
    ['db.shop.svc.cluster.local', 'A', ['10.244.0.5']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['10.244.0.5']],
    ['db-1.db.shop.svc.cluster.local', 'A', 'unknown'],
    ['out.shop.svc.cluster.local', 'A', ['example.com']],
    ['10-244-0-7.shop.pod.cluster.local', 'A', ['10.244.0.7']],
    [
      '_http._tcp.web.shop.svc.cluster.local',
      'SRV',
      [{ port: 80, target: 'web.shop.svc.cluster.local' }],
    ],
    ['none.shop.svc.cluster.local', 'A', 'unknown'],
    ['web.shop.svc', 'A', 'unknown'],
    ['example.com', 'A', 'unknown'],
    ['svc.cluster.local', 'A', 'unknown'],
  ] as const)('answers %s %s with %j', (name, type, expected) => {
    expect(data(name, type)).toEqual(expected);
  });
});
