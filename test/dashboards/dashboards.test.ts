import { readFile } from 'node:fs/promises';

import * as units from '@grafana/grafana-foundation-sdk/units';

import { generatedFiles } from '../../scripts/dashboards/files.js';
import { committedDashboards, showing } from './files.js';
import { filled, seriesIn } from './promql.js';
import { knownSeries } from './series.js';

/** Grafana's own variables, and some values for ours. */
const values = {
  ...{ __rate_interval: '1m', datasource: 'prometheus' },
  ...{ namespace: 'shop', canary: 'web', target: 'web', service: 'web' },
};
const known = knownSeries();
const dashboards = Object.entries(await committedDashboards());
const panels = dashboards.flatMap(([name, dashboard]) =>
  showing(dashboard).map((panel) => ({ name, title: String(panel.title), panel })),
);
const queries = panels.flatMap(({ name, title, panel: { targets = [] } }) =>
  targets.map(({ expr, refId }) => ({ name, title, expr, refId })),
);

it.each(Object.entries(await generatedFiles()))(
  '%s is what npm run dashboards writes',
  async (path, content) => {
    expect(await readFile(path, 'utf8')).toBe(content);
  },
);

it('there is a dashboard for every data plane, and one for Sluice', () => {
  expect(dashboards.map(([name]) => name).sort()).toEqual([
    'app-mesh',
    'envoy',
    'gateway-api',
    'istio',
    'sluice',
  ]);
});

it.each(dashboards)('%s has ids of its own and panels that do not overlap', (_, dashboard) => {
  const taken = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24);
    return cells(w, h).map(([right, down]) => `${String(x + right)},${String(y + down)}`);
  });
  expect(new Set(taken).size).toBe(taken.length);
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(dashboard.uid).toMatch(/^[a-z-]{1,40}$/);
});

it.each(panels)('$name: $title says what it shows, in which unit', ({ panel }) => {
  expect(panel.title).toMatch(/^\S.*\S$/);
  expect(panel.description).toMatch(/\w.*\.$/);
  expect(Object.values(units)).toContain(panel.fieldConfig?.defaults.unit);
  expect(panel.targets?.length).toBeGreaterThan(0);
});

it.each(queries)('$name: $title ($refId) queries series that exist', ({ expr }) => {
  const series = seriesIn(filled(expr, values));
  expect(series.length).toBeGreaterThan(0);
  expect(series.filter((name) => !known.has(name))).toEqual([]);
});

it.each(dashboards)('%s fills its variables from series that exist', (_, { templating }) => {
  for (const { type, definition = '' } of templating.list) {
    if (type !== 'query') continue;
    const [, series = ''] = /^label_values\((.+), \w+\)$/.exec(definition) ?? [];
    expect(seriesIn(filled(series, values)).filter((name) => known.has(name))).toHaveLength(1);
  }
});

function cells(width: number, height: number): (readonly [number, number])[] {
  return Array.from({ length: width * height }, (_, at) => [at % width, Math.floor(at / width)]);
}
