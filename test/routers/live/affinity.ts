import { toCanary } from '../../../domain/routes.js';
import { byVersion } from '../../e2e/requests.js';
import { until } from '../../e2e/until.js';
import { canary, openPlane, primary, type Plane, type PlaneProvider } from './plane.js';

const many = 2_000;
const cookie = 'at=abcdefghij';

/** Who was answered by the canary once gets a cookie, and stays there with it. */
export function affinityBy(provider: PlaneProvider): void {
  let plane: Plane;
  beforeAll(async () => {
    const sessionAffinity = { cookieName: 'at', maxAge: 3600 };
    plane = await openPlane(provider, { analysis: { sessionAffinity } });
  }, 120_000);
  afterAll(() => plane.remove());

  it('session affinity keeps clients with the cookie on the canary', async () => {
    await plane.writeSplit({ routes: toCanary(50), cookies: { canary: cookie } });
    const { setCookies } = await until('an answer of the canary', async () => {
      // Envoy does not listen before there is something to lead anywhere.
      const answer = await plane.clients.ask().catch(() => undefined);
      return answer?.version === canary && answer;
    });

    expect(setCookies).toEqual([`${cookie}; Max-Age=3600`]);
    expect(byVersion(await plane.clients.askMany(many, { cookie }))).toEqual({ [canary]: many });
    const others = byVersion(await plane.clients.askMany(200));
    expect(Object.keys(others).sort()).toEqual([primary, canary]);
  }, 120_000);
}
