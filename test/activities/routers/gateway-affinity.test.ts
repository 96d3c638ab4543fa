import { gatewayApi } from '../../../activities/routers/gateway-api.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary, type Cookies } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';

const router = gatewayApi({ version: 'v1' });
const gatewayRefs = [{ name: 'contour', namespace: 'projectcontour' }];
const gatewayCanary = ({ service, ...parts }: CanaryParts = {}) =>
  aCanary({ ...parts, spec: { provider: 'gatewayapi:v1' }, service: { gatewayRefs, ...service } });

interface HttpRoute extends KubeObject {
  readonly spec: { readonly rules: readonly Record<string, unknown>[] };
}

const sessionAffinity = {
  cookieName: 'flagger-cookie',
  primaryCookieName: 'primary-cookie',
  maxAge: 3600,
  httpOnly: false,
  partitioned: false,
  secure: false,
};
const cookies: Cookies = {
  canary: 'flagger-cookie=aBcDeFgHiJ',
  primary: 'primary-cookie=KlMnOpQrSt',
  expired: 'flagger-cookie=lastOneLOL',
};
const sticky = ({ service, analysis }: CanaryParts = {}, more: object = {}) => {
  const canary = gatewayCanary({
    service: service ?? {},
    analysis: { interval: '30s', ...analysis },
  });
  const affinity = { ...sessionAffinity, ...more };
  return { ...canary, analysis: { ...canary.analysis, sessionAffinity: affinity } };
};
const rulesOf = (canary: ReturnType<typeof sticky>, weight: number, given: Cookies = cookies) =>
  (router.render(canary, { routes: toCanary(weight), cookies: given }, []) as HttpRoute[])[0]!.spec
    .rules;
const backends = (primary: number, canary: number, ...setCookies: (string | undefined)[]) =>
  [
    { name: 'podinfo-primary', weight: primary },
    { name: 'podinfo-canary', weight: canary },
  ].map((ref, i) => ({
    ...{ group: '', kind: 'Service', port: 80, ...ref },
    ...(setCookies[i] === undefined
      ? {}
      : {
          filters: [
            {
              type: 'ResponseHeaderModifier',
              responseHeaderModifier: { add: [{ name: 'Set-Cookie', value: setCookies[i] }] },
            },
          ],
        }),
  }));
const path = { type: 'PathPrefix', value: '/' };
const cookie = (value: string) => ({ type: 'RegularExpression', name: 'Cookie', value });
const matching = (value: string) => [{ path, headers: [cookie(value)] }];

it('keeps clients on the version they got, and gives the others cookies', () => {
  expect(rulesOf(sticky(), 30)).toEqual([
    { matches: matching('.*flagger-cookie.*aBcDeFgHiJ.*'), backendRefs: backends(0, 100) },
    { matches: matching('.*primary-cookie.*KlMnOpQrSt.*'), backendRefs: backends(100, 0) },
    {
      matches: [{ path }],
      backendRefs: backends(
        70,
        30,
        'primary-cookie=KlMnOpQrSt; Max-Age=30',
        'flagger-cookie=aBcDeFgHiJ; Max-Age=3600',
      ),
    },
  ]);
});

it('needs no cookie of the primary', () => {
  const rules = rulesOf(sticky(), 30, { canary: 'flagger-cookie=aBcDeFgHiJ' });

  expect(rules).toHaveLength(2);
  expect(rules[1]?.['backendRefs']).toEqual(
    backends(70, 30, undefined, 'flagger-cookie=aBcDeFgHiJ; Max-Age=3600'),
  );
});

it('lets clients forget the cookie of the last release when the canary has no traffic', () => {
  const forget = 'flagger-cookie=lastOneLOL; Max-Age=-1';

  expect(rulesOf(sticky(), 0)).toEqual([
    {
      matches: matching('.*flagger-cookie.*lastOneLOL.*'),
      backendRefs: backends(100, 0, forget, forget),
    },
    { matches: [{ path }], backendRefs: backends(100, 0) },
  ]);
  expect(rulesOf(sticky(), 0, {})).toHaveLength(1);
});

it('writes the attributes in their order, also of the cookie to be forgotten', () => {
  const attributes = {
    domain: 'example.com',
    httpOnly: true,
    partitioned: true,
    path: '/app',
    sameSite: 'Strict',
    secure: true,
  };
  const written = 'Domain=example.com; HttpOnly; Partitioned; Path=/app; SameSite=Strict; Secure';

  expect(rulesOf(sticky({}, attributes), 30)[2]?.['backendRefs']).toEqual(
    backends(
      70,
      30,
      `primary-cookie=KlMnOpQrSt; Max-Age=30; ${written}`,
      `flagger-cookie=aBcDeFgHiJ; Max-Age=3600; ${written}`,
    ),
  );
  expect(rulesOf(sticky({}, attributes), 0)[0]?.['backendRefs']).toEqual(
    backends(100, 0, ...Array<string>(2).fill(`flagger-cookie=lastOneLOL; Max-Age=-1; ${written}`)),
  );
});

it('applies to the requests of the service, with everything they get', () => {
  const service = {
    timeout: '5s',
    rewrite: { uri: '/x' },
    match: [
      { uri: { prefix: '/a' }, headers: { 'x-a': { exact: '1' }, cookie: { exact: 'b' } } },
      { uri: { exact: '/b' } },
    ],
  };
  const [canary, , weighted] = rulesOf(sticky({ service }, { cookieName: 'a.b' }), 30, {
    ...cookies,
    canary: 'a.b=c',
  });

  expect(canary).toEqual({
    ...weighted,
    matches: [
      {
        path: { type: 'PathPrefix', value: '/a' },
        headers: [cookie('.*a\\.b.*c.*'), { type: 'Exact', name: 'x-a', value: '1' }],
      },
      { path: { type: 'Exact', value: '/b' }, headers: [cookie('.*a\\.b.*c.*')] },
    ],
    backendRefs: backends(0, 100),
  });
});

it('outranks the requests of A/B testing, which match more closely than all others', () => {
  const match = [{ headers: { 'x-canary': { exact: 'yes' } } }];
  const [canary] = rulesOf(sticky({ analysis: { iterations: 3, match } }), 30);

  expect(canary?.['matches']).toEqual([
    {
      path,
      headers: [
        cookie('.*flagger-cookie.*aBcDeFgHiJ.*'),
        { type: 'Exact', name: 'x-canary', value: 'yes' },
      ],
    },
    { path, headers: [cookie('.*flagger-cookie.*aBcDeFgHiJ.*')] },
  ]);
});

it('is not there without being asked for', () => {
  const canary = gatewayCanary();
  const routes = toCanary(30);

  expect(router.render(canary, { routes, cookies }, [])).toEqual(
    router.render(canary, { routes, cookies: {} }, []),
  );
});
