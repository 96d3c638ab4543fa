import { readFile } from 'node:fs/promises';

import { dump, load } from 'js-yaml';
import { format } from 'prettier';

import { dataPlanes } from './data-planes.js';
import { releaseDashboard } from './release.js';
import { render } from './render.js';
import { sluiceDashboard } from './sluice.js';

/** The alert rules as Prometheus loads them; the other form of them is made from this file. */
export const rulesFile = 'deploy/alerts/rules.yaml';

/** What `npm run dashboards` writes: content by path in the repository. */
export async function generatedFiles(): Promise<Readonly<Record<string, string>>> {
  const plans = {
    sluice: sluiceDashboard,
    ...Object.fromEntries(
      Object.entries(dataPlanes).map(([name, plane]) => [name, releaseDashboard(plane)]),
    ),
  };
  const files = Object.entries(plans).map(async ([name, plan]) => {
    const json = await format(JSON.stringify(render(plan)), { parser: 'json', printWidth: 100 });
    return [`deploy/grafana/${name}.json`, json] as const;
  });
  const rule = ['deploy/alerts/prometheus-rule.yaml', await prometheusRule()] as const;
  return Object.fromEntries([...(await Promise.all(files)), rule]);
}

/** The rules as the Prometheus Operator wants them. */
async function prometheusRule(): Promise<string> {
  const spec = load(await readFile(rulesFile, 'utf8'));
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'sluice', namespace: 'sluice-system', labels: { app: 'sluice' } },
    spec,
  };
  const text = `# Made from rules.yaml by npm run dashboards.\n${dump(object, { lineWidth: -1 })}`;
  return format(text, { parser: 'yaml', printWidth: 100, singleQuote: true });
}
