import type { KubeObject, ObjectRef, Service } from '../../domain/objects.js';
import { newPrimary } from '../../domain/primary.js';
import { newService } from '../../domain/services.js';
import { disorderOf } from '../../domain/upkeep.js';
import { aCanary } from '../activities/a-canary.js';
import { aDeployment } from '../activities/a-deployment.js';

const canary = aCanary({ service: { portDiscovery: true, targetPort: 'http' } });
const target = aDeployment();
const selector = { label: 'app', value: 'podinfo' };
const containers = target.spec.template.spec?.containers ?? [];
const rules = { selectorLabels: ['app'], includeLabelPrefixes: [] };
const generated: readonly KubeObject[] = [
  newPrimary(canary, { target, selector, rules, revision: 'r1', id: 'an-id' }),
  ...(['apex', 'primary', 'canary'] as const).map((role) =>
    newService(canary, role, { selector, containers }),
  ),
];

/** What is amiss when one of the generated objects is changed, or lost. */
function disorder(name = '', change: (object: Service) => object | undefined = () => undefined) {
  const live = generated.map((object) =>
    object.metadata.name === name ? change(object as Service) : object,
  ) as (KubeObject | undefined)[];
  const find = (ref: ObjectRef) =>
    live.find((object) => object?.metadata.name === ref.name && object.kind === ref.kind);
  return disorderOf(canary, target, { find, selectorLabels: ['app'] });
}

it('everything is in order as it was made', () => {
  expect(disorder()).toEqual([]);
});

it.each<[string, string, (service: Service) => object | undefined, string[]]>([
  ['the primary is missing', 'podinfo-primary', () => undefined, ['deployment', 'service']],
  ['the apex service is missing', 'podinfo', () => undefined, ['service']],
  ['the canary service is missing', 'podinfo-canary', () => undefined, ['service']],
  [
    'the apex service selects the target',
    'podinfo',
    (live) => ({ ...live, spec: { ...live.spec, selector: { app: 'podinfo' } } }),
    ['service'],
  ],
  [
    'the apex service selects fewer pods',
    'podinfo',
    ({ spec, ...live }) => ({
      ...live,
      spec: { ...spec, selector: { ...spec.selector, version: '2' } },
    }),
    ['service'],
  ],
  [
    'the apex service lost a port',
    'podinfo',
    ({ spec, ...live }) => ({ ...live, spec: { ...spec, ports: spec.ports!.slice(1) } }),
    ['service'],
  ],
  [
    'a port leads elsewhere',
    'podinfo',
    ({ spec, ...live }) => ({
      ...live,
      spec: { ...spec, ports: spec.ports!.map((port) => ({ ...port, targetPort: 1 })) },
    }),
    ['service'],
  ],
])('it is noticed that %s', (_name, object, change, kinds) => {
  expect(disorder(object, change).map((sentence) => sentence.split(' ')[0])).toEqual(kinds);
});

it.each<[string, (service: Service) => object]>([
  [
    'labels and annotations',
    (live) => ({ ...live, metadata: { ...live.metadata, labels: { a: 'b' }, annotations: {} } }),
  ],
  [
    'node ports and the order of ports',
    ({ spec, ...live }) => ({
      ...live,
      spec: {
        ...spec,
        type: 'NodePort',
        ports: spec.ports!.map((port, i) => ({ ...port, nodePort: 30_000 + i })).reverse(),
      },
    }),
  ],
])('nobody minds %s', (_name, change) => {
  expect(disorder('podinfo', change)).toEqual([]);
});
