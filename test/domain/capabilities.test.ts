import { parseCanary } from '../../domain/manifest.js';
import { capabilities, providers } from '../../domain/providers.js';
import { aManifest } from '../activities/a-canary.js';

const asks = {
  matchRequests: {
    iterations: 3,
    stepWeight: undefined,
    match: [{ headers: { a: { exact: 'b' } } }],
  },
  mirror: { mirror: true },
  affinity: { sessionAffinity: { cookieName: 'at', primaryCookieName: 'at-first' } },
} as const;

/** Needed by some provider or other, and of no harm to the others. */
const refs = { ingressRef: { name: 'shop' }, routeRef: { name: 'shop' } };
const service = { meshName: 'global', gatewayRefs: [{ name: 'public' }] };
const knative = {
  targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' },
};

/** Where there is no router other strategies take their place, with a warning. */
const routed = providers.filter((provider) => provider !== 'kubernetes');

describe.each(routed)('%s', (provider) => {
  it.each(Object.keys(asks) as (keyof typeof asks)[])(
    'is asked for nothing it cannot do: %s',
    (what) => {
      const spec = { provider, ...refs, ...(provider === 'knative' ? knative : {}) };
      const manifest = aManifest({ spec, service, analysis: asks[what] });

      const parsed = parseCanary(manifest, { provider: 'contour', minIntervalMs: 1_000 });

      expect(parsed.ok ? [] : parsed.problems).toEqual(
        capabilities[provider][what]
          ? []
          : [expect.stringContaining(`provider ${provider} cannot `)],
      );
    },
  );
});
