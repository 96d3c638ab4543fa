import { byVersion } from '../../e2e/requests.js';
import { canary, openPlane, primary, shareOf, type Plane, type PlaneProvider } from './plane.js';

/** So many that chance stays within 3 points of a weight; some gateways throw dice for each. */
const many = 5_000;

/** The canary gets what it is given, at every weight, and no request is lost on the way. */
export function splitsBy(provider: PlaneProvider): void {
  let plane: Plane;
  beforeAll(async () => {
    plane = await openPlane(provider);
  }, 120_000);
  afterAll(() => plane.remove());

  it('the canary gets the share of the requests that it is given', async () => {
    const measured: Record<string, number> = {};
    // Neighbours lie far apart, so that it shows when a weight has reached the gateway.
    for (const weight of [0, 50, 1, 99, 10, 100]) {
      await plane.lead(weight);
      measured[String(weight)] = shareOf(await plane.clients.askMany(many));
    }

    console.log(`${provider}: ${JSON.stringify(measured)}`);
    for (const [weight, share] of Object.entries(measured)) {
      const tolerance = ['0', '100'].includes(weight) ? 0 : 3;
      expect(Math.abs(share - Number(weight))).toBeLessThanOrEqual(tolerance);
    }
  }, 180_000);

  it('no request fails while the weights change', async () => {
    await plane.lead(0);
    const sending = { isOver: false };
    const asked = plane.clients.askMany(10_000).finally(() => (sending.isOver = true));
    let changes = 0;
    for (const weights = [30, 100, 60, 0]; !sending.isOver; changes += 1) {
      await plane.write(weights[changes % weights.length]!);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const counts = byVersion(await asked);

    console.log(`${provider}: ${JSON.stringify({ changes, counts })}`);
    expect(changes).toBeGreaterThan(3);
    expect(Object.keys(counts).sort()).toEqual([primary, canary]);
  }, 180_000);
}
