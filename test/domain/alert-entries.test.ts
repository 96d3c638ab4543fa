import { alertEntriesOf, isWanted, settingFacts } from '../../domain/alert-entries.js';
import type { Alert } from '../../domain/alerts.js';
import { aManifest } from '../activities/a-canary.js';

describe('the alerts of a manifest', () => {
  const withAlerts = (...alerts: object[]) => aManifest({ analysis: { alerts } });
  const alert = (severity: Alert['severity']): Alert => ({ severity, message: '', facts: [] });

  it('name providers of their own namespace, unless they say otherwise', () => {
    const manifest = withAlerts(
      { name: 'a', severity: 'warn', providerRef: { name: 'p' } },
      { name: 'b', severity: 'error', providerRef: { name: 'p', namespace: 'ops' } },
      { name: 'c', providerRef: { name: 'p', namespace: '' } },
    );
    expect(alertEntriesOf(manifest)).toEqual([
      { severity: 'warn', provider: { namespace: 'test', name: 'p' } },
      { severity: 'error', provider: { namespace: 'ops', name: 'p' } },
      { severity: 'info', provider: { namespace: 'test', name: 'p' } },
    ]);
  });

  it('are read where manifests had them before v1beta1, and where there are none', () => {
    const analysis = { alerts: [{ name: 'a', providerRef: { name: 'p' } }] };
    const old = aManifest({ spec: { analysis: undefined, canaryAnalysis: analysis } });
    expect(alertEntriesOf(old)).toHaveLength(1);
    expect(alertEntriesOf({ ...old, spec: undefined })).toEqual([]);
  });

  it.each([
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['', ['info', 'warn', 'error']],
    [undefined, ['info', 'warn', 'error']],
  ])('with severity %j want %j', (severity, wanted) => {
    const [entry] = alertEntriesOf(withAlerts({ name: 'a', severity, providerRef: { name: 'p' } }));
    const all = ['info', 'warn', 'error'] as const;
    expect(all.filter((level) => entry && isWanted(entry, alert(level)))).toEqual(wanted);
  });
});

describe('the settings in alerts', () => {
  const facts = (parts: Parameters<typeof aManifest>[0]): Record<string, string> =>
    Object.fromEntries(settingFacts(aManifest(parts)).map(({ name, value }) => [name, value]));

  it('are target, threshold, deadline and routing', () => {
    expect(facts({ spec: { progressDeadlineSeconds: 60 } })).toEqual({
      Target: 'Deployment/podinfo.test',
      'Failed checks threshold': '3',
      'Progress deadline': '60s',
      'Traffic routing': 'Weight step: 10 max: 50',
    });
  });

  it.each([
    [{ iterations: 3, match: [{ headers: {} }] }, 'A/B Testing'],
    [{ iterations: 3 }, 'Blue/Green'],
    [{ stepWeight: 5, maxWeight: undefined }, 'Weight step: 5 max: 0'],
    [{ stepWeight: 0, stepWeights: [1, 2, 50], maxWeight: 80 }, 'Weight steps: 1,2,50 max: 80'],
    [{ stepWeight: 0, stepWeights: [1, 2], maxWeight: undefined }, 'Weight steps: 1,2 max: 0'],
    [{ stepWeight: 0 }, undefined],
  ])('name the routing of %j', (analysis, routing) => {
    expect(facts({ analysis })['Traffic routing']).toBe(routing);
  });

  it('have the defaults of the analysis', () => {
    expect(facts({ analysis: { threshold: 0 } })).toMatchObject({
      'Failed checks threshold': '1',
      'Progress deadline': '600s',
    });
  });
});
