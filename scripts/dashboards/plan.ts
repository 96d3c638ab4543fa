/** What a dashboard shows, before Grafana's many words for it. */
export interface DashboardPlan {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** A choice at the top of the dashboard, filled by a query of labels. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(SERIES, LABEL)`. */
  readonly query: string;
  /** Offers all values at once as well. */
  readonly all?: boolean;
  /** It follows from the other variables, so that nobody has to choose. */
  readonly hidden?: boolean;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  /** What it shows, and what to make of it. */
  readonly description: string;
  /** One of Grafana's, see `@grafana/grafana-foundation-sdk/units`. */
  readonly unit: string;
  /** PromQL by what its series are called in the legend. */
  readonly queries: Readonly<Record<string, string>>;
  /** Of the 24 columns. */
  readonly width: number;
  /** A number with its recent course, lines, or lines upon each other; lines by default. */
  readonly shape?: 'number' | 'lines' | 'stack';
  /** The least value of each colour; the first is the colour of what is below all others. */
  readonly colours?: readonly (readonly [least: number | null, colour: string])[];
}
