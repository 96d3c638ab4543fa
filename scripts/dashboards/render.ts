import {
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

import type { DashboardPlan, Panel, Variable } from './plan.js';

/** Whichever Prometheus is chosen at the top of the dashboard. */
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** Grafana's own description of a dashboard. */
export function render(plan: DashboardPlan): object {
  // The newer schema is one that Grafana before version 13 cannot read from a file.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const dashboard = new grafana.DashboardBuilder(plan.title)
    .uid(plan.uid)
    .description(plan.description)
    .tags([...plan.tags])
    .refresh('10s')
    .time({ from: 'now-15m', to: 'now' })
    .timezone('browser')
    .tooltip(grafana.DashboardCursorSync.Crosshair)
    .withVariable(
      new grafana.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    );
  for (const variable of plan.variables) dashboard.withVariable(choice(variable));
  let id = 0;
  for (const { title, panels } of plan.rows) {
    dashboard.withRow(new grafana.RowBuilder(title).id(++id));
    for (const panel of panels) dashboard.withPanel(drawn(panel).id(++id));
  }
  return dashboard.build();
}

function choice({ name, label, query, all, hidden }: Variable): grafana.QueryVariableBuilder {
  const variable = new grafana.QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(grafana.VariableRefresh.OnTimeRangeChanged)
    .sort(grafana.VariableSort.AlphabeticalAsc);
  if (hidden) variable.hide(grafana.VariableHide.HideVariable);
  return all ? variable.includeAll(true).allValue('.*') : variable;
}

function drawn(panel: Panel): StatBuilder | TimeSeriesBuilder {
  const { title, description, unit, queries, width, shape = 'lines', colours } = panel;
  const drawing = shape === 'number' ? lastNumber() : lines(shape === 'stack');
  drawing
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .span(width)
    .height(shape === 'number' ? 4 : 8);
  Object.entries(queries).forEach(([legend, expr], place) => {
    drawing.withTarget(
      new DataqueryBuilder()
        .expr(expr)
        .legendFormat(legend)
        .refId(String.fromCharCode('A'.charCodeAt(0) + place)),
    );
  });
  if (colours !== undefined) {
    const steps = colours.map(([value, color]) => ({ value, color }));
    drawing.thresholds(
      new grafana.ThresholdsConfigBuilder().mode(grafana.ThresholdsMode.Absolute).steps(steps),
    );
  }
  return drawing;
}

function lastNumber(): StatBuilder {
  return new StatBuilder().reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

function lines(stacked: boolean): TimeSeriesBuilder {
  const panel = new TimeSeriesBuilder()
    .min(0)
    .fillOpacity(stacked ? 40 : 10)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  return stacked ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
}
