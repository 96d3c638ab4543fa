import { connectKube, type Kube } from '../../activities/kube.js';
import { keptn } from '../../activities/metrics/keptn.js';
import type { KubeObject } from '../../domain/objects.js';
import { failureOf } from './laws.js';
import { until } from '../cluster/activity-bench.js';
import { defineKeptn, keptnApi } from './keptn-kinds.js';

const namespace = `keptn-${String(process.pid)}`;

let kube: Kube;
beforeAll(async () => {
  kube = connectKube();
  await defineKeptn(kube);
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
}, 60_000);
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);

const ask = (query: string, timeoutMs = 10_000, signal?: AbortSignal) =>
  keptn({ kube, timeoutMs }).query(query, signal);

describe('a KeptnMetric', () => {
  const ref = { apiVersion: keptnApi, kind: 'KeptnMetric', namespace, name: 'errors' };
  const query = `keptnmetric/${namespace}/errors`;
  beforeAll(async () => {
    const metric = {
      ...{ apiVersion: keptnApi, kind: 'KeptnMetric', metadata: { name: 'errors', namespace } },
      spec: { provider: { name: 'any' }, query: 'any', fetchIntervalSeconds: 5 },
    };
    await kube.create(metric);
  });
  const measured = (status: object) => kube.patch(ref, { status }, 'status');

  it('that was not measured yet has nothing to measure', async () => {
    expect(await ask(query)).toEqual({ kind: 'no-data' });
  });

  it('is measured by its status', async () => {
    await measured({ value: '3.25' });

    expect(await ask(query)).toEqual({ kind: 'value', value: 3.25 });
    expect(await ask(query.toUpperCase())).toEqual({ kind: 'value', value: 3.25 });
  });

  it('that Keptn failed to measure is an error', async () => {
    await measured({ value: '3.25', errMsg: 'the provider is gone' });

    expect((await failureOf(ask(query))).message).toContain('the provider is gone');
  });

  it('that does not exist is an error', async () => {
    const { message } = await failureOf(ask(`keptnmetric/${namespace}/other`));

    expect(message).toBe(`KeptnMetric ${namespace}/other: not found`);
  });
});

describe('an Analysis', () => {
  const analyses = (): Promise<(KubeObject & { spec?: unknown })[]> =>
    kube.list({ apiVersion: keptnApi, kind: 'Analysis', namespace });
  const query = `analysis/${namespace}/slo`;

  /** Plays Keptn for the next Analysis, which it returns as it found it. */
  async function conclude(status: object): Promise<KubeObject & { spec?: unknown }> {
    await until(async () => (await analyses()).length > 0);
    const [found] = await analyses();
    if (found === undefined) throw new Error('there is no Analysis');
    const { name } = found.metadata;
    await kube.patch(
      { apiVersion: keptnApi, kind: 'Analysis', namespace, name },
      { status },
      'status',
    );
    return found;
  }

  it.each([
    [true, 1],
    [false, 0],
  ])('is made for the query, passes: %s, and is removed', async (pass, value) => {
    const answer = ask(`${query}/5m/env=test;tier=web`);
    const found = await conclude({ state: 'Completed', pass });

    expect(await answer).toEqual({ kind: 'value', value });
    expect(found.metadata.name).toMatch(/^slo-[0-9a-f]{6}$/);
    expect(found.spec).toEqual({
      analysisDefinition: { name: 'slo' },
      timeframe: { recent: '5m' },
      args: { env: 'test', tier: 'web' },
    });
    expect(await analyses()).toEqual([]);
  });

  it('is about the last minute unless the query says otherwise', async () => {
    const answer = ask(query);
    const found = await conclude({ state: 'Completed', pass: true });
    await answer;

    expect(found.spec).toMatchObject({ timeframe: { recent: '1m' }, args: {} });
  });

  it('that does not end in time is an error, and is removed', async () => {
    expect((await failureOf(ask(query, 500))).message).toContain('no answer within 0.5 s');
    expect(await analyses()).toEqual([]);
  });

  it('is removed when the caller gives up', async () => {
    const controller = new AbortController();
    const reason = new Error('called off');
    const answer = failureOf(ask(query, 10_000, controller.signal));
    await until(async () => (await analyses()).length > 0);
    controller.abort(reason);

    expect(await answer).toBe(reason);
    expect(await analyses()).toEqual([]);
  });

  it('that the API server refuses is an error', async () => {
    const { message } = await failureOf(ask(`${query}/never`));

    expect(message).toContain('spec.timeframe.recent');
  });
});

it('answers a ping where Keptn is installed', async () => {
  await expect(keptn({ kube }).ping()).resolves.toBeUndefined();
});
