import { parseCanary } from '../../domain/manifest.js';
import { aManifest } from '../activities/a-canary.js';

/** The problems of a manifest in the namespace `test`. */
function problemsOf(parts: Parameters<typeof aManifest>[0], blocked = true): readonly string[] {
  const parsed = parseCanary(aManifest(parts), {
    ...{ provider: 'contour', minIntervalMs: 1_000 },
    ...(blocked ? { noCrossNamespaceRefs: true } : {}),
  });
  return parsed.ok ? [] : parsed.problems;
}

const metric = (templateRef: object) => ({
  analysis: { metrics: [{ name: 'errors', templateRef }] },
});
const alert = (providerRef: object) => ({
  analysis: { alerts: [{ name: 'on-call', providerRef }] },
});
const upstream = (upstreamRef: object) => ({ spec: { upstreamRef } });

describe.each([
  [
    'a metric template',
    metric,
    "spec.analysis.metrics.errors.templateRef: can't access metric template r.ops, cross-namespace references are blocked",
  ],
  [
    'an alert provider',
    alert,
    "spec.analysis.alerts.on-call.providerRef: can't access alert provider r.ops, cross-namespace references are blocked",
  ],
  [
    'a Gloo upstream',
    upstream,
    "spec.upstreamRef: can't access gloo upstream r.ops, cross-namespace references are blocked",
  ],
])('%s of another namespace', (_, refer, problem) => {
  it('is refused where such references are blocked', () => {
    expect(problemsOf(refer({ name: 'r', namespace: 'ops' }))).toEqual([problem]);
  });

  it('is allowed elsewhere', () => {
    expect(problemsOf(refer({ name: 'r', namespace: 'ops' }), false)).toEqual([]);
  });

  it.each([{ name: 'r' }, { name: 'r', namespace: '' }, { name: 'r', namespace: 'test' }])(
    'is not one of its own: %j',
    (ref) => {
      expect(problemsOf(refer(ref))).toEqual([]);
    },
  );
});
