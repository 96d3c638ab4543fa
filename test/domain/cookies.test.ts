import { cookiesOf, cookieStatus, cookiesWith } from '../../domain/cookies.js';
import { allToPrimary, toCanary } from '../../domain/routes.js';
import { aPlan } from '../workflows/fake-cluster.js';

const plan = aPlan({ affinity: { cookieName: 'stay', primaryCookieName: 'wait' } });

describe('the cookies of a release', () => {
  it('are given with the first traffic, as a name and ten letters', () => {
    const { canary, primary, expired } = cookiesWith(plan, { cookies: {} }, toCanary(10), 'run 1');

    expect(canary).toMatch(/^stay=[a-zA-Z]{10}$/);
    expect(primary).toMatch(/^wait=[a-zA-Z]{10}$/);
    expect(canary?.slice(5)).not.toBe(primary?.slice(5));
    expect(expired).toBeUndefined();
  });

  it('stay the same from step to step', () => {
    const first = cookiesWith(plan, { cookies: {} }, toCanary(10), 'run 1');

    expect(cookiesWith(plan, { cookies: first }, toCanary(50), 'another')).toEqual(first);
  });

  it('are taken back from clients when the canary has no traffic any more', () => {
    const { canary = '' } = cookiesWith(plan, { cookies: {} }, toCanary(10), 'run 1');

    expect(cookiesWith(plan, { cookies: { canary } }, allToPrimary, '')).toEqual({
      expired: canary,
    });
  });

  it('are others for another release', () => {
    const of = (seed: string) => cookiesWith(plan, { cookies: {} }, toCanary(1), seed).canary;

    expect(of('run 1')).not.toBe(of('run 2'));
  });

  it('are none where the manifest asks for none', () => {
    expect(cookiesWith(aPlan(), { cookies: { canary: 'a=b' } }, toCanary(10), 'x')).toEqual({});
    expect(cookieStatus(aPlan(), { canary: 'a=b' })).toEqual({});
  });

  it('come back from the status as they were written there', () => {
    const cookies = { canary: 'a=b', primary: 'c=d', expired: 'e=f' };

    expect(cookiesOf(cookieStatus(plan, cookies))).toEqual(cookies);
    expect(cookieStatus(plan, { expired: 'e=f' })).toMatchObject({ sessionAffinityCookie: '' });
  });
});
