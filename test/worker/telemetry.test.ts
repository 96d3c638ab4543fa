import { Registry } from 'prom-client';

import type { CanaryStatus } from '../../domain/canary.js';
import type { CanaryObject } from '../../worker/canary-cache.js';
import { createTelemetry } from '../../worker/telemetry.js';

function aCanary(name: string, status: CanaryStatus = {}): CanaryObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: `${name}-canary`, namespace: 'demo' },
    spec: { targetRef: { kind: 'Deployment', name } },
    status,
  };
}

/** Telemetry over canaries that the test may change, and what a scrape shows of it. */
function scraped(...canaries: CanaryObject[]) {
  const registry = new Registry();
  const telemetry = createTelemetry({
    registry,
    canaries: { values: () => canaries },
    version: '0.1.0',
    meshProvider: 'contour',
  });
  const scrape = async (prefix: string): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith(prefix));
  return { canaries, telemetry, scrape };
}

const ref = { cluster: 'default', namespace: 'demo', name: 'web-canary', target: 'web' };

it('shows status and weight of every canary under the name of its target', async () => {
  const { scrape } = scraped(
    aCanary('web', { phase: 'Progressing', canaryWeight: 30 }),
    aCanary('api', { phase: 'Failed' }),
    aCanary('new'),
  );
  expect(await scrape('flagger_canary_status')).toEqual([
    'flagger_canary_status{name="web",namespace="demo"} 0',
    'flagger_canary_status{name="api",namespace="demo"} 2',
    'flagger_canary_status{name="new",namespace="demo"} 1',
  ]);
  expect(await scrape('flagger_canary_weight')).toContain(
    'flagger_canary_weight{workload="web-primary",namespace="demo"} 70',
  );
  expect(await scrape('flagger_canary_weight')).toContain(
    'flagger_canary_weight{workload="web",namespace="demo"} 30',
  );
  expect(await scrape('flagger_canary_total')).toEqual([
    'flagger_canary_total{namespace="demo"} 3',
  ]);
  expect(await scrape('flagger_info')).toEqual([
    'flagger_info{version="0.1.0",mesh_provider="contour"} 1',
  ]);
});

it('shows the standing of every canary under its own name', async () => {
  const { scrape } = scraped(
    aCanary('web', { phase: 'WaitingPromotion', lastTransitionTime: '2026-01-02T03:04:05Z' }),
    aCanary('new'),
  );
  expect(await scrape('sluice_canary_info')).toEqual([
    'sluice_canary_info{namespace="demo",name="web-canary",target="web",service="web"} 1',
    'sluice_canary_info{namespace="demo",name="new-canary",target="new",service="new"} 1',
  ]);
  expect(await scrape('sluice_canary_phase')).toEqual([
    'sluice_canary_phase{namespace="demo",name="web-canary",phase="WaitingPromotion"} 1',
    'sluice_canary_phase{namespace="demo",name="new-canary",phase=""} 1',
  ]);
  expect(await scrape('sluice_canary_last_transition_timestamp_seconds')).toEqual([
    'sluice_canary_last_transition_timestamp_seconds{namespace="demo",name="web-canary"} 1767323045',
  ]);
});

it('has what alerts wait for at 0 before the first one happens', async () => {
  const { telemetry, scrape } = scraped(aCanary('web'));
  expect(await scrape('sluice_releases_total')).toContain(
    'sluice_releases_total{namespace="demo",name="web-canary",outcome="promotion-failed"} 0',
  );
  expect(await scrape('sluice_deliveries_total')).toContain(
    'sluice_deliveries_total{namespace="demo",name="web-canary",outcome="given-up"} 0',
  );
  telemetry.activityBegan('check', 0.3);
  expect(await scrape('sluice_activity_failures_total')).toEqual([
    'sluice_activity_failures_total{activity="check"} 0',
  ]);
  expect(await scrape('sluice_activity_start_delay_seconds_sum')).toEqual([
    'sluice_activity_start_delay_seconds_sum{activity="check"} 0.3',
  ]);
});

it('counts what became of deliveries and failed attempts', async () => {
  const { telemetry, scrape } = scraped();
  telemetry.deliveryEnded(ref, 'given-up');
  telemetry.activityFailed('route');
  expect(await scrape('sluice_deliveries_total')).toEqual([
    'sluice_deliveries_total{namespace="demo",name="web-canary",outcome="given-up"} 1',
  ]);
  expect(await scrape('sluice_activity_failures_total')).toEqual([
    'sluice_activity_failures_total{activity="route"} 1',
  ]);
});

it('counts how releases ended', async () => {
  const { telemetry, scrape } = scraped();
  const ended = { seconds: 65, waitedForPeopleSeconds: 5 };
  telemetry.releaseEnded(ref, { ...ended, outcome: 'promoted', skippedAnalysis: false });
  telemetry.releaseEnded(ref, { ...ended, outcome: 'promoted', skippedAnalysis: true });
  telemetry.releaseEnded(ref, { ...ended, outcome: 'rolled-back', skippedAnalysis: false });
  telemetry.releaseEnded(ref, { ...ended, outcome: 'superseded', skippedAnalysis: false });
  const flagger = 'name="web",namespace="demo",deployment_strategy="canary",analysis_status=';
  expect(await scrape('flagger_canary_successes_total')).toEqual([
    `flagger_canary_successes_total{${flagger}"completed"} 1`,
    `flagger_canary_successes_total{${flagger}"skipped"} 1`,
  ]);
  expect(await scrape('flagger_canary_failures_total')).toEqual([
    `flagger_canary_failures_total{${flagger}"completed"} 1`,
  ]);
  expect(await scrape('sluice_releases_total')).toEqual([
    'sluice_releases_total{namespace="demo",name="web-canary",outcome="promoted"} 2',
    'sluice_releases_total{namespace="demo",name="web-canary",outcome="rolled-back"} 1',
    'sluice_releases_total{namespace="demo",name="web-canary",outcome="superseded"} 1',
  ]);
  expect(await scrape('sluice_release_duration_seconds_bucket')).toContain(
    'sluice_release_duration_seconds_bucket{le="120",namespace="demo",name="web-canary",outcome="promoted"} 2',
  );
  expect(await scrape('sluice_release_people_wait_seconds_sum')).toContain(
    'sluice_release_people_wait_seconds_sum{namespace="demo",name="web-canary",outcome="promoted"} 10',
  );
});

it('shows measurements and the time checks take', async () => {
  const { telemetry, scrape } = scraped();
  telemetry.metricMeasured(ref, 'request-success-rate', 99.5);
  telemetry.checkTook(ref, 0.2);
  telemetry.watchSent('start');
  expect(await scrape('flagger_canary_metric_analysis')).toEqual([
    'flagger_canary_metric_analysis{name="web",namespace="demo",metric="request-success-rate"} 99.5',
  ]);
  expect(await scrape('flagger_canary_duration_seconds_count')).toEqual([
    'flagger_canary_duration_seconds_count{name="web",namespace="demo"} 1',
  ]);
  expect(await scrape('sluice_watch_signals_total')).toEqual([
    'sluice_watch_signals_total{kind="start"} 1',
  ]);
  expect(await scrape('process_cpu_user_seconds_total')).toHaveLength(1);
});

it('shows nothing of a canary that was deleted', async () => {
  const web = aCanary('web', { phase: 'Succeeded' });
  const { canaries, telemetry, scrape } = scraped(web);
  const ended = { seconds: 65, waitedForPeopleSeconds: 5, skippedAnalysis: false };
  telemetry.metricMeasured(ref, 'errors', 1);
  telemetry.checkTook(ref, 0.2);
  telemetry.releaseEnded(ref, { ...ended, outcome: 'promoted' });
  telemetry.deliveryEnded(ref, 'delivered');
  telemetry.releaseEnded({ ...ref, name: 'other' }, { ...ended, outcome: 'superseded' });

  canaries.splice(0);
  await telemetry.forget(web);

  expect((await scrape('flagger_')).filter((line) => !line.startsWith('flagger_info'))).toEqual([]);
  expect(await scrape('sluice_releases_total')).toEqual([
    'sluice_releases_total{namespace="demo",name="other",outcome="superseded"} 1',
  ]);
  expect(await scrape('sluice_release_duration_seconds_count')).toHaveLength(1);
  for (const prefix of ['sluice_deliveries_total', 'sluice_canary_']) {
    expect(await scrape(prefix)).toEqual([]);
  }
});
