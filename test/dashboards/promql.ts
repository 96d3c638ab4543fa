import { parser } from '@prometheus-io/lezer-promql';

/** What a query of PromQL reads; throws where it is no PromQL. */
export function seriesIn(query: string): readonly string[] {
  const series = new Set<string>();
  parser.parse(query).iterate({
    enter: ({ type, name, from, node }) => {
      if (type.isError) throw new Error(`no PromQL at ${String(from)}: ${query}`);
      if (name !== 'VectorSelector') return;
      const metric = node.getChild('Identifier');
      if (metric === null)
        throw new Error(`a selector without a name at ${String(from)}: ${query}`);
      series.add(query.slice(metric.from, metric.to));
    },
  });
  return [...series];
}

/** A query as Grafana sends it, with the values of its variables. */
export function filled(query: string, variables: Readonly<Record<string, string>>): string {
  return query.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = variables[name];
    if (value === undefined) throw new Error(`no value for the variable ${name}: ${query}`);
    return value;
  });
}
