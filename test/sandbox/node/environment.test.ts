import type { V1Container, V1Pod } from '@kubernetes/client-node';

import { containerEnvironment } from '../../../sandbox/node/environment.js';
import type { EnvironmentSources } from '../../../sandbox/node/environment.js';
import { serviceEnvironment } from '../../../sandbox/node/service-environment.js';

const container: V1Container = {
  name: 'main',
  resources: { limits: { cpu: '500m', memory: '128Mi' } },
};
const pod: V1Pod = {
  metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
  spec: { containers: [container] },
};

function sources(overrides: Partial<EnvironmentSources> = {}): EnvironmentSources {
  return {
    pod,
    addresses: { podIp: '10.244.0.9', hostIp: '10.244.0.1' },
    image: {},
    services: {},
    configMap: (name) => (name === 'conf' ? { data: { level: 'debug' } } : undefined),
    secret: (name) => (name === 'login' ? { data: { password: 'aHVudGVyMg==' } } : undefined),
    ...overrides,
  };
}

describe('containerEnvironment', () => {
  it('lets env win over envFrom, envFrom over services, services over the image', () => {
    const spec: V1Container = {
      name: 'main',
      envFrom: [{ configMapRef: { name: 'conf' } }],
      env: [{ name: 'D', value: 'env' }],
    };
    const given = sources({
      image: { A: 'image', B: 'image', level: 'image', D: 'image' },
      services: { B: 'service', level: 'service' },
    });
    expect(containerEnvironment(spec, given)).toEqual({
      A: 'image',
      B: 'service',
      level: 'debug',
      D: 'env',
    });
  });

  it('reads keys, fields and resources', () => {
    const env = [
      { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'conf', key: 'level' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      {
        name: 'MEMORY',
        valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
      },
      { name: 'BOTH', value: '$(LEVEL)/$(IP)/$(LATER)' },
    ];
    expect(containerEnvironment({ name: 'main', env }, sources())).toEqual({
      LEVEL: 'debug',
      PASSWORD: 'hunter2',
      IP: '10.244.0.9',
      APP: 'web',
      CPU: '1',
      MEMORY: '128',
      BOTH: 'debug/10.244.0.9/$(LATER)',
    });
  });

  it.each([
    [{ configMapKeyRef: { name: 'gone', key: 'k' } }, 'configmap "gone" not found'],
    [{ secretKeyRef: { name: 'gone', key: 'k' } }, 'secret "gone" not found'],
    [{ configMapKeyRef: { name: 'conf', key: 'k' } }, "couldn't find key k in ConfigMap shop/conf"],
  ])('refuses %j', (valueFrom, message) => {
    const spec: V1Container = { name: 'main', env: [{ name: 'X', valueFrom }] };
    expect(() => containerEnvironment(spec, sources())).toThrow(message);
  });

  it('leaves out what is optional and missing', () => {
    const spec: V1Container = {
      name: 'main',
      envFrom: [{ secretRef: { name: 'gone', optional: true } }],
      env: [
        { name: 'X', valueFrom: { secretKeyRef: { name: 'login', key: 'no', optional: true } } },
      ],
    };
    expect(containerEnvironment(spec, sources())).toEqual({});
  });
});

describe('serviceEnvironment', () => {
  const services = [
    {
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] },
    },
    {
      metadata: { name: 'my-db', namespace: 'shop' },
      spec: { clusterIP: '10.96.3.4', ports: [{ port: 5432 }] },
    },
    {
      metadata: { name: 'quiet', namespace: 'shop' },
      spec: { clusterIP: 'None', ports: [{ port: 1 }] },
    },
  ];

  it('names the API server and the services of the namespace', () => {
    expect(serviceEnvironment(services, 'shop', true)).toMatchObject({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      MY_DB_SERVICE_HOST: '10.96.3.4',
      MY_DB_PORT: 'tcp://10.96.3.4:5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.96.3.4',
    });
  });

  it('leaves out headless services, and all but the API server without service links', () => {
    expect(Object.keys(serviceEnvironment(services, 'shop', true))).not.toContain(
      'QUIET_SERVICE_HOST',
    );
    expect(Object.keys(serviceEnvironment(services, 'shop', false))).not.toContain(
      'MY_DB_SERVICE_HOST',
    );
    expect(serviceEnvironment(services, 'shop', false)).toHaveProperty('KUBERNETES_SERVICE_HOST');
  });
});
