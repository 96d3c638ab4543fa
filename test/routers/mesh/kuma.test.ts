import { jest } from '@jest/globals';

import { kuma } from '../../../activities/routers/kuma.js';
import { namesOf } from '../../../domain/names.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../../activities/a-canary.js';
import { byVersion, clientsOf, type Clients } from '../../e2e/requests.js';
import { until } from '../../e2e/until.js';
import { startApp, type App } from '../../sandbox/apps/start-app.js';
import { openKumaMesh, type KumaMesh } from './kuma-mesh.js';

/**
 * The TrafficRoutes that are written for Kuma, taken by its own control plane and carried out by
 * an Envoy that it leads.
 */
jest.setTimeout(180_000);

const [primary, fresh] = ['1.0.0', '2.0.0'] as const;
const canary = aCanary({ spec: { provider: 'kuma' } });
const router = kuma();
const { apexService, primaryService, canaryService } = namesOf(canary);
const tagOf = (service: string): string => `${service}_${canary.namespace}_svc_80`;

let apps: readonly App[] = [];
let mesh: KumaMesh;
let clients: Clients;
let live: readonly KubeObject[] = [];

beforeAll(async () => {
  apps = await Promise.all([primary, fresh].map((VERSION) => startApp('demo-app.js', { VERSION })));
  const [portOfPrimary = 0, portOfCanary = 0] = apps.map(({ url }) => Number(new URL(url).port));
  mesh = await openKumaMesh(tagOf(apexService), [
    { name: tagOf(primaryService), port: portOfPrimary },
    { name: tagOf(canaryService), port: portOfCanary },
  ]);
  // Kuma's routes are part of listeners: a connection keeps the weights it was opened under.
  clients = clientsOf(mesh.url, 'podinfo', { keepAlive: false });
});
afterAll(async () => {
  clients.close();
  await mesh.close();
  for (const app of apps) app.stop();
});

async function write(weight: number): Promise<void> {
  const split = { routes: toCanary(weight), cookies: {} };
  live = router.render(canary, split, live);
  for (const object of live) await mesh.write(object);
}

async function lead(weight: number): Promise<void> {
  await write(weight);
  await until(`weight ${String(weight)}`, async () => {
    const answers = await clients.askMany(200).catch(() => []);
    const { [primary]: old = 0, [fresh]: newer = 0 } = byVersion(answers);
    const share = (newer / answers.length) * 100;
    const isWhole = old > 0 === weight < 100 && newer > 0 === weight > 0;
    return isWhole && old + newer === answers.length && Math.abs(share - weight) < 20;
  });
}

it('the canary gets the share of the requests that it is given', async () => {
  const shares: Record<string, number> = {};
  // Neighbours lie far apart, so that it shows when a weight has reached the proxy.
  for (const weight of [0, 50, 1, 99, 10, 100]) {
    await lead(weight);
    const {
      [primary]: old = 0,
      [fresh]: newer = 0,
      ...others
    } = byVersion(await clients.askMany(5_000));
    expect(others).toEqual({});
    shares[String(weight)] = (newer / (old + newer)) * 100;
  }
  console.log(`kuma: ${JSON.stringify(shares)}`);
  for (const [weight, share] of Object.entries(shares)) {
    const tolerance = ['0', '100'].includes(weight) ? 0 : 3;
    expect(Math.abs(share - Number(weight))).toBeLessThanOrEqual(tolerance);
  }
});

it('no request fails while the weights change', async () => {
  await lead(50);
  const sending = { isOver: false };
  const asked = clients.askMany(10_000).finally(() => (sending.isOver = true));
  let changes = 0;
  // Not to 0 or 100: Kuma takes away a destination without weight before it changes the route.
  for (const weights = [30, 99, 60, 1]; !sending.isOver; changes += 1) {
    await write(weights[changes % weights.length]!);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const counts = byVersion(await asked);
  console.log(`kuma: ${JSON.stringify({ changes, counts })}`);
  expect(changes).toBeGreaterThan(1);
  expect(Object.keys(counts).sort()).toEqual([primary, fresh]);
});

it('a route without destinations is refused, which shows that Kuma looks at them', async () => {
  const [route] = router.render(canary, { routes: toCanary(10), cookies: {} }, live);
  const { destinations: _, ...spec } = route!.spec as Record<string, unknown>;
  await expect(mesh.write({ ...route!, spec })).rejects.toMatchObject({
    response: { status: 400 },
  });
});
