import { jest } from '@jest/globals';

import type { KubeObject } from '../../domain/objects.js';
import { vectorOf } from '../providers/prometheus-server.js';
import { openRig, same, type App, type Rig } from './rig.js';

jest.setTimeout(150_000);

let rig: Rig;
let elsewhere: string;

beforeAll(async () => {
  rig = await openRig('metrics');
  rig.metrics.answer(200, vectorOf('1'));
  elsewhere = `${rig.namespace}-templates`;
  await rig.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: elsewhere } });
  await rig.kube.create(templateOf(elsewhere, 'distant'));
  await rig.kube.create(templateOf(rig.namespace, 'near'));
}, 60_000);

afterAll(async () => {
  await rig.kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: elsewhere });
  await rig.close();
}, 60_000);

const thresholdRange = { max: 5 };

describe('metrics', () => {
  it.concurrent(
    same('M1', 'a template is looked for in the namespace it is said to be in'),
    async () => {
      const templateRef = { name: 'distant', namespace: elsewhere };
      const app = await released('m-distant', { name: 'errors', templateRef, thresholdRange });

      await app.untilPhase('Succeeded');
    },
  );

  it.concurrent(same('M1', 'a template that is not there fails the check'), async () => {
    const templateRef = { name: 'distant' };
    const app = await released('m-missing', { name: 'errors', templateRef, thresholdRange });
    await app.untilPhase('Failed');

    expect(await app.events()).toContainEqual(
      expect.stringMatching(/^Warning Metric template distant\.test error: /),
    );
  });

  it.concurrent(same('M1', 'a template without a namespace is in that of the Canary'), async () => {
    const templateRef = { name: 'near' };
    const app = await released('m-near', { name: 'errors', templateRef, thresholdRange });

    await app.untilPhase('Succeeded');
  });

  it.concurrent(
    same('M2', 'a metric without template, query and known name fails the check'),
    async () => {
      const app = await released('m-empty', { name: 'errors', thresholdRange });
      await app.untilPhase('Failed');

      expect(await app.events()).toContain(
        'Warning Metric query failed for no usable metrics template and query were configured',
      );
    },
  );

  it.concurrent(same('M3', 'a metric with an inline query alone needs no template'), async () => {
    const app = await released('m-inline', { name: 'errors', query: 'errors', thresholdRange });

    await app.untilPhase('Succeeded');
  });

  it.concurrent(
    same('M4', 'a custom metric without range and threshold fails above 0'),
    async () => {
      const app = await released('m-zero', { name: 'errors', query: 'errors' });
      await app.untilPhase('Failed');

      expect(await app.events()).toContain('Warning Halt m-zero.test advancement errors 1.00 > 0');
    },
  );

  it.concurrent(
    same('M5', 'a metric provider that is off at the start is told of, and stops nothing'),
    async () => {
      const app = await rig.open('m-off', {
        spec: { metricsServer: 'http://127.0.0.1:1' },
        analysis: { metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }] },
      });
      await app.untilPhase('Initialized');

      const told = (await app.timeline()).filter((text) => /^(Normal|Warning) /.test(text));
      expect(told).toEqual([
        expect.stringMatching(
          /^Warning Error checking metric providers: prometheus not avaiable: ./,
        ),
        'Normal Initialization done! m-off.test',
      ]);
    },
  );
});

/** An app with one metric, whose image is being released. */
async function released(name: string, metric: object): Promise<App> {
  const app = await rig.open(name, { analysis: { threshold: 1, metrics: [metric] } });
  await app.untilPhase('Initialized');
  await app.setImage('2');
  return app;
}

function templateOf(namespace: string, name: string): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name, namespace },
    spec: { provider: { type: 'prometheus', address: rig.metrics.address }, query: 'errors' },
  };
}
