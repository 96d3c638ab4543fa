import { istio } from '../../../activities/routers/istio.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary, type Cookies } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';

const router = istio({ version: 'v1beta1' });

interface VirtualService extends KubeObject {
  readonly spec: { readonly http: readonly Readonly<Record<string, unknown>>[] };
}

const cookies: Cookies = {
  canary: 'at=canary',
  primary: 'at-first=primary',
  expired: 'at=last',
};
const sticky = (sessionAffinity: object, parts: object = {}) =>
  aCanary({
    spec: { provider: 'istio' },
    service: parts,
    analysis: { interval: '30s', sessionAffinity: { cookieName: 'at', ...sessionAffinity } },
  });
const rules = (canary = sticky({}), weight = 30, given: Cookies = cookies) => {
  const split = { routes: toCanary(weight), cookies: given };
  const [, , service] = router.render(canary, split, []);
  return (service as VirtualService).spec.http;
};
const destinations = (primary: number, canary: number) =>
  [
    ['podinfo-primary', primary],
    ['podinfo-canary', canary],
  ].map(([host, weight]) => ({ destination: { host }, weight }));
const matching = (regex: string) => [{ headers: { Cookie: { regex } } }];
const setting = (routes: object[], ...values: (string | undefined)[]) =>
  routes.map((destination, i) =>
    values[i] === undefined
      ? destination
      : { ...destination, headers: { response: { add: { 'Set-Cookie': values[i] } } } },
  );

it('keeps clients on the version they got, and gives the others cookies', () => {
  const canary = sticky({ primaryCookieName: 'at-first', maxAge: 60, path: '/', secure: true });

  expect(rules(canary)).toEqual([
    { match: matching('.*at.*canary.*'), route: destinations(0, 100) },
    { match: matching('.*at-first.*primary.*'), route: destinations(100, 0) },
    {
      route: setting(
        destinations(70, 30),
        'at-first=primary; Max-Age=30; Path=/; Secure',
        'at=canary; Max-Age=60; Path=/; Secure',
      ),
    },
  ]);
});

it('lets clients forget the cookie of the last release when the canary has no traffic', () => {
  const forget = 'at=last; Max-Age=-1';

  expect(rules(sticky({}), 0)).toEqual([
    { match: matching('.*at.*last.*'), route: setting(destinations(100, 0), forget, forget) },
    { route: destinations(100, 0) },
  ]);
});

it('leaves the headers of the manifest on every rule, and to themselves', () => {
  const headers = { response: { add: { 'x-served': 'yes' } } };
  const canary = sticky({}, { headers, match: [{ uri: { prefix: '/a' } }] });

  const found = rules(canary, 30, { canary: 'at=canary' });

  expect(found.map((rule) => rule['headers'])).toEqual([headers, headers]);
  expect(found[0]?.['match']).toEqual([
    { uri: { prefix: '/a' }, headers: { Cookie: { regex: '.*at.*canary.*' } } },
  ]);
});
