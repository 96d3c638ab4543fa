import { byVersion } from '../../e2e/requests.js';
import { canary, openPlane, primary, type Plane, type PlaneProvider } from './plane.js';

const many = 2_000;

/** Requests that match are the canary's, all others the primary's. */
export function matchesBy(provider: PlaneProvider): void {
  let plane: Plane;
  const insider = { 'x-canary': 'yes' };
  beforeAll(async () => {
    const match = [
      { headers: { 'x-canary': { exact: 'yes' } } },
      { headers: { cookie: { regex: '^(.*?; ?)?(canary=always)(;.*)?$' } } },
    ];
    plane = await openPlane(provider, { analysis: { iterations: 3, match } });
  }, 120_000);
  afterAll(() => plane.remove());

  it('A/B testing misses nobody', async () => {
    await plane.lead(100, insider);
    for (const [headers, version] of [
      [insider, canary],
      [{ cookie: 'a=b; canary=always; c=d' }, canary],
      [{}, primary],
      [{ 'x-canary': 'no' }, primary],
      [{ cookie: 'canary=never' }, primary],
    ] as const) {
      const counts = byVersion(await plane.clients.askMany(many, { ...headers }));
      expect({ headers, counts }).toEqual({ headers, counts: { [version]: many } });
    }
  }, 120_000);
}
