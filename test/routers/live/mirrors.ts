import { mirrored } from '../../../domain/routes.js';
import { byVersion } from '../../e2e/requests.js';
import { until } from '../../e2e/until.js';
import { openPlane, primary, type Plane, type PlaneProvider } from './plane.js';

const many = 2_000;

/** The canary gets a copy of each request, and users the answers of the primary alone. */
export function mirrorsBy(provider: PlaneProvider): void {
  let plane: Plane;
  beforeAll(async () => {
    plane = await openPlane(provider, { analysis: { iterations: 3, mirror: true } });
  }, 120_000);
  afterAll(() => plane.remove());

  it('mirroring copies the requests to the canary, and users see the primary alone', async () => {
    await plane.lead(0);
    const unmirrored = await plane.requestsToCanary();
    await plane.writeSplit({ routes: mirrored, cookies: {} });
    await until('copies', async () => {
      await plane.clients.ask();
      return (await plane.requestsToCanary()) > unmirrored;
    });

    const before = await plane.requestsToCanary();
    expect(byVersion(await plane.clients.askMany(many))).toEqual({ [primary]: many });
    const copies = await until('all copies', async () => {
      const count = (await plane.requestsToCanary()) - before;
      return count >= many * 0.99 && count;
    });
    console.log(`${provider}: ${JSON.stringify({ requests: many, copies })}`);
    expect(copies).toBeLessThanOrEqual(many * 1.01);
  }, 120_000);
}
