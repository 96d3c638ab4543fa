import { readdir, readFile } from 'node:fs/promises';

import { load } from 'js-yaml';

import { rulesFile } from '../../scripts/dashboards/files.js';

/** The parts of a dashboard that are tested here. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const folder = 'deploy/grafana';

/** The committed dashboards by name. */
export async function committedDashboards(): Promise<Readonly<Record<string, Dashboard>>> {
  const files = await readdir(folder);
  const read = files.map(async (file) => {
    const json = JSON.parse(await readFile(`${folder}/${file}`, 'utf8')) as Dashboard;
    return [file.replace('.json', ''), json] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** The panels of a dashboard that show something; the others are headings. */
export function showing({ panels }: Dashboard): readonly Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}

export async function committedRules(): Promise<readonly Rule[]> {
  const { groups } = load(await readFile(rulesFile, 'utf8')) as {
    groups: { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}
