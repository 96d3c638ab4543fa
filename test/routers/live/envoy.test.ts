import { byVersion } from '../../e2e/requests.js';
import { measuresOf } from './metrics.js';
import { canary, openPlane, primary, type Plane } from './plane.js';
import { releasesBy } from './releases.js';
import { splitsBy } from './splits.js';

// Releases by the other two are in test/e2e.
describe('contour', () => {
  splitsBy('contour');
  measuresOf('contour');
});

describe('gatewayapi:v1', () => {
  splitsBy('gatewayapi:v1');
  measuresOf('gatewayapi:v1');
});

describe('gatewayapi:v1beta1', () => {
  splitsBy('gatewayapi:v1beta1');
  measuresOf('gatewayapi:v1beta1');
  releasesBy('gatewayapi:v1beta1');
});

describe('A/B testing by gatewayapi:v1beta1', () => {
  let plane: Plane;
  const insider = { 'x-canary': 'yes' };
  beforeAll(async () => {
    const match = [
      { headers: { 'x-canary': { exact: 'yes' } } },
      { headers: { cookie: { regex: '^(.*?; ?)?(canary=always)(;.*)?$' } } },
    ];
    plane = await openPlane('gatewayapi:v1beta1', { analysis: { iterations: 3, match } });
  }, 120_000);
  afterAll(() => plane.remove());

  it('misses nobody', async () => {
    await plane.lead(100, insider);
    for (const [headers, version] of [
      [insider, canary],
      [{ cookie: 'a=b; canary=always; c=d' }, canary],
      [{}, primary],
      [{ 'x-canary': 'no' }, primary],
      [{ cookie: 'canary=never' }, primary],
    ] as const) {
      const counts = byVersion(await plane.clients.askMany(2_000, { ...headers }));
      expect({ headers, counts }).toEqual({ headers, counts: { [version]: 2_000 } });
    }
  }, 120_000);
});
