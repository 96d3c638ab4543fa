import { hostsFile, podHostname, resolvConf } from '../../../sandbox/node/pod-files.js';

const pod = { metadata: { name: 'web-1', namespace: 'shop' }, spec: { containers: [] } };

it('searches the namespace of the pod first', () => {
  expect(resolvConf(pod, '10.96.0.10')).toBe(
    'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
  );
});

it('takes names from dnsConfig alone with the policy None', () => {
  const spec = {
    containers: [],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['1.2.3.4'], options: [{ name: 'ndots', value: '2' }] },
  };
  expect(resolvConf({ ...pod, spec }, '10.96.0.10')).toBe('nameserver 1.2.3.4\noptions ndots:2\n');
});

it('knows the pod by its own name and its aliases', () => {
  const spec = { containers: [], hostAliases: [{ ip: '9.9.9.9', hostnames: ['x', 'y'] }] };
  const lines = hostsFile({ ...pod, spec }, '10.244.0.2').split('\n');
  expect(lines).toContain('10.244.0.2\tweb-1');
  expect(lines).toContain('9.9.9.9\tx\ty');
});

it('cuts a host name at 63 characters', () => {
  const name = `${'a'.repeat(62)}-tail`;
  expect(podHostname({ metadata: { name } })).toBe('a'.repeat(62));
});
