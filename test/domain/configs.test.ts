import fc from 'fast-check';
import { createHash } from 'node:crypto';

import {
  checksumText,
  configKey,
  configRefsOf,
  isTracked,
  withCopies,
  type Config,
} from '../../domain/configs.js';
import type { PodTemplate } from '../../domain/objects.js';

/** One reference of every sort, each to a config of its own. */
const everySort = {
  metadata: { labels: { app: 'shop' } },
  spec: {
    volumes: [
      { name: 'a', configMap: { name: 'mounted', items: [{ key: 'k', path: 'p' }] } },
      { name: 'b', secret: { secretName: 'mounted', optional: true } },
      {
        name: 'c',
        projected: {
          sources: [
            { configMap: { name: 'projected' } },
            { secret: { name: 'projected', optional: false } },
            { serviceAccountToken: { path: 'token' } },
          ],
        },
      },
      { name: 'd', emptyDir: {} },
      { name: 'e', csi: { driver: 'x', nodePublishSecretRef: { name: 'csi' } } },
    ],
    initContainers: [
      { name: 'setup', image: 'setup:1', envFrom: [{ configMapRef: { name: 'early' } }] },
    ],
    containers: [
      {
        name: 'shop',
        image: 'shop:1',
        env: [
          { name: 'PLAIN', value: 'mounted' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'valued', key: 'a' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 'valued', key: 'b', optional: true } } },
        ],
        envFrom: [{ prefix: 'S_', secretRef: { name: 'all' } }],
      },
    ],
    imagePullSecrets: [{ name: 'registry' }],
    serviceAccountName: 'mounted',
  },
};

describe('what a pod template refers to', () => {
  it('is found in volumes, variables and both kinds of containers', () => {
    expect(configRefsOf(everySort)).toEqual([
      { kind: 'ConfigMap', name: 'mounted', optional: false },
      { kind: 'Secret', name: 'mounted', optional: true },
      { kind: 'ConfigMap', name: 'projected', optional: false },
      { kind: 'Secret', name: 'projected', optional: false },
      { kind: 'ConfigMap', name: 'early', optional: false },
      { kind: 'ConfigMap', name: 'valued', optional: false },
      { kind: 'Secret', name: 'valued', optional: true },
      { kind: 'Secret', name: 'all', optional: false },
    ]);
  });

  // B15
  it.each([
    ['no flag', [{}], false],
    ['the flag false', [{ optional: false }], false],
    ['the flag true', [{ optional: true }], true],
    ['the flag true in one of two places', [{ optional: true }, {}], false],
    ['the same the other way round', [{}, { optional: true }], false],
  ])('is optional or not with %s', (_, flags, optional) => {
    const envFrom = flags.map((flag) => ({ configMapRef: { name: 'settings', ...flag } }));
    const template = { spec: { containers: [{ name: 'shop', envFrom }] } };

    expect(configRefsOf(template)).toEqual([{ kind: 'ConfigMap', name: 'settings', optional }]);
  });

  it.each([
    ['an empty template', {}],
    ['pods without containers', { spec: {} }],
    ['a reference without a name', podsOf({ envFrom: [{ configMapRef: {} }] })],
    ['empty fields', podsOf({ envFrom: null, env: [] })],
  ])('is nothing in %s', (_, template) => {
    expect(configRefsOf(template as PodTemplate)).toEqual([]);
    expect(withCopies(template as PodTemplate, [])).toEqual(template);
  });
});

describe('the template of the primary', () => {
  it('refers to the copies of what is tracked, and to nothing else by another name', () => {
    const rewritten = withCopies(everySort, ['configmap/mounted', 'secret/valued', 'secret/csi']);

    expect(JSON.stringify(rewritten)).toBe(
      JSON.stringify(everySort)
        .replace('"configMap":{"name":"mounted"', '"configMap":{"name":"mounted-primary"')
        .replace('"secretKeyRef":{"name":"valued"', '"secretKeyRef":{"name":"valued-primary"'),
    );
  });

  it('differs in the names of tracked configs only, whatever the template is', () => {
    fc.assert(
      fc.property(someTemplate(), fc.array(fc.constantFrom(...someKeys)), (template, tracked) => {
        const before = configRefsOf(template);
        const rewritten = withCopies(template, tracked);
        const expected = before.map((ref) =>
          tracked.includes(configKey(ref)) ? { ...ref, name: `${ref.name}-primary` } : ref,
        );
        const [got, wanted] = [configRefsOf(rewritten), expected].map((refs) =>
          refs.map((ref) => JSON.stringify(ref)).sort(),
        );
        if (JSON.stringify(got) !== JSON.stringify(wanted)) return false;
        // Names end in a mark of their own, so taking it away again must give back every byte.
        const text = JSON.stringify(rewritten);
        return text.replaceAll('-primary"', '"') === JSON.stringify(template);
      }),
    );
  });
});

describe('the checksum', () => {
  // §13.6
  it('is of the text that Flagger takes it of', () => {
    expect(sha256(checksumText(aConfig({ data: { color: 'red' } })))).toBe('241889ca0604e333');
  });

  it.each([
    ['sorts keys', { data: { b: '2', a: '1' } }, '{"a":"1","b":"2"}'],
    ['has the JSON of Go', { data: { a: '<b>&\u2028' } }, '{"a":"\\u003cb\\u003e\\u0026\\u2028"}'],
    ['has no data', {}, 'null'],
    ['has empty data', { data: {} }, 'null'],
    ['leaves out empty binary data', { data: { a: '1' }, binaryData: {} }, '{"a":"1"}'],
    [
      'has binary data too',
      { data: { a: '1' }, binaryData: { z: 'AA==', y: 'AQ==' } },
      '{"binaryData":{"y":"AQ==","z":"AA=="},"data":{"a":"1"}}',
    ],
    [
      'has binary data alone',
      { binaryData: { z: 'AA==' } },
      '{"binaryData":{"z":"AA=="},"data":{}}',
    ],
  ])('is of a text that %s', (_, content, text) => {
    expect(checksumText(aConfig(content))).toBe(text);
  });
});

describe('a config is tracked', () => {
  it.each<[string, Partial<Config>, boolean]>([
    ['as a rule', {}, true],
    // B10, B11
    ['unless it says disabled', annotated('flagger.app/config-tracking', 'disabled'), false],
    ['unless it says disable', annotated('flagger.app/config-tracking', 'disable'), false],
    ['when it says enabled', annotated('flagger.app/config-tracking', 'enabled'), true],
    ['when another annotation says it', annotated('config-tracking', 'disabled'), true],
    ['as a Secret', { kind: 'Secret', type: 'Opaque' }, true],
    ['as a Secret without a type', { kind: 'Secret' }, true],
    ['as a password', { kind: 'Secret', type: 'kubernetes.io/basic-auth' }, true],
    ['as a key', { kind: 'Secret', type: 'kubernetes.io/ssh-auth' }, true],
    ['as a certificate', { kind: 'Secret', type: 'kubernetes.io/tls' }, true],
    ['not as a login', { kind: 'Secret', type: 'kubernetes.io/dockerconfigjson' }, false],
    ['not as a token', { kind: 'Secret', type: 'kubernetes.io/service-account-token' }, false],
    ['not as a Helm release', { kind: 'Secret', type: 'helm.sh/release.v1' }, false],
  ])('%s', (_, parts, tracked) => {
    expect(isTracked(aConfig(parts))).toBe(tracked);
  });
});

const someNames = ['a', 'b', 'c'] as const;
const someKeys = someNames.flatMap((name) => [`configmap/${name}`, `secret/${name}`]);

/** Templates that refer to a few configs over and over, with fields in between that mean nothing. */
function someTemplate(): fc.Arbitrary<PodTemplate> {
  const name = fc.constantFrom(...someNames);
  const optional = fc.option(fc.boolean(), { nil: undefined });
  const ref = fc.record({ name, key: fc.string(), optional }, { requiredKeys: ['name'] });
  const noise = fc.record({ name, value: fc.string(), items: fc.array(fc.string()) });
  const source = fc.oneof(
    noise,
    fc.record({ configMap: ref }),
    fc.record({ secret: ref }),
    fc.record({ downwardAPI: noise }),
  );
  const volume = fc.oneof(
    source,
    fc.record({ name, secret: fc.record({ secretName: name, optional }) }),
    fc.record({ name, projected: fc.record({ sources: fc.array(source) }) }),
    fc.record({ name, csi: fc.record({ nodePublishSecretRef: ref }) }),
  );
  const variable = fc.oneof(
    noise,
    fc.record({ name, valueFrom: fc.record({ configMapKeyRef: ref }) }),
    fc.record({ name, valueFrom: fc.record({ secretKeyRef: ref }) }),
    fc.record({ name, valueFrom: fc.record({ fieldRef: noise }) }),
  );
  const envFrom = fc.oneof(fc.record({ configMapRef: ref }), fc.record({ secretRef: ref }));
  const container = fc.record(
    { name, image: fc.string(), env: fc.array(variable), envFrom: fc.array(envFrom) },
    { requiredKeys: ['name'] },
  );
  const spec = fc.record(
    {
      containers: fc.array(container),
      volumes: fc.array(volume),
      initContainers: fc.array(container),
      imagePullSecrets: fc.array(fc.record({ name })),
      nodeSelector: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: [] },
  );
  // As the API server would send it: what is undefined is not there.
  return fc.record({ spec }).map((template) => JSON.parse(JSON.stringify(template)) as PodTemplate);
}

function podsOf(container: object): object {
  return { spec: { containers: [{ name: 'shop', ...container }] } };
}

function aConfig(parts: Partial<Config>): Config {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, ...parts };
}

function annotated(key: string, value: string): Partial<Config> {
  return { metadata: { name: 'settings', annotations: { [key]: value } } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
