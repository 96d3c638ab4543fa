import { committedRules } from './files.js';
import { seriesIn } from './promql.js';
import { knownSeries } from './series.js';

const known = knownSeries();
const rules = await committedRules();

it('no two alerts have the same name', () => {
  const names = rules.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
});

it.each(rules)('$alert says how bad it is, what is the matter, and what to do', (rule) => {
  expect(['warning', 'critical']).toContain(rule.labels['severity']);
  const { summary = '', description = '', runbook = '' } = rule.annotations;
  for (const text of [summary, description, runbook]) expect(text.length).toBeGreaterThan(20);
  expect(rule.for ?? '1m').toMatch(/^\d+[smh]$/);
});

it.each(rules)('$alert queries series that exist, and keeps the labels it tells of', (rule) => {
  expect(seriesIn(rule.expr).filter((name) => !known.has(name))).toEqual([]);
  const texts = Object.values(rule.annotations).join(' ');
  for (const [, label = ''] of texts.matchAll(/\$labels\.(\w+)/g)) {
    expect(rule.expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  }
});

it('the alert that Flagger documents is among them', () => {
  expect(rules.map(({ expr }) => expr).join()).toMatch(/flagger_canary_status\) > 1/);
});
