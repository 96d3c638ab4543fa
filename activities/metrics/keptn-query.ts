/** What a query of Keptn asks for. */
export interface Inquiry {
  readonly kind: 'KeptnMetric' | 'Analysis';
  readonly namespace: string;
  /** The KeptnMetric, or the AnalysisDefinition to analyse by. */
  readonly name: string;
  /** How far an Analysis looks back, as Go writes durations. */
  readonly timeframe: string;
  readonly args: Readonly<Record<string, string>>;
}

const kinds: Readonly<Record<string, Inquiry['kind']>> = {
  keptnmetric: 'KeptnMetric',
  keptnmetrics: 'KeptnMetric',
  analysis: 'Analysis',
  analyses: 'Analysis',
};

const form = 'KIND/NAMESPACE/NAME[/TIMEFRAME[/KEY=VALUE;...]]';

/**
 * Takes apart `KIND/NAMESPACE/NAME[/TIMEFRAME[/KEY=VALUE;...]]`, of which capitals do not count.
 * Throws an error that says what is wrong with it.
 */
export function inquiryIn(query: string): Inquiry {
  const text = query.trim().toLowerCase();
  const [kindName = '', namespace, name, timeframe = '', ...args] = text.split('/');
  if (!isName(namespace) || !isName(name))
    throw new Error(`the query must be ${form}, not ${text}`);
  const kind = Object.hasOwn(kinds, kindName) ? kinds[kindName] : undefined;
  if (kind === undefined) {
    throw new Error(`the query must ask for a keptnmetric or an analysis, not for ${kindName}`);
  }
  return { kind, namespace, name, timeframe: timeframe || '1m', args: argsIn(args.join('/')) };
}

/** A name in Kubernetes; it becomes part of a path. */
function isName(text: string | undefined): text is string {
  return text !== undefined && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text);
}

function argsIn(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(';').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value, ...rest] = pair.split('=');
      if (key === '' || value === undefined || rest.length > 0) {
        throw new Error(`the arguments in the query must be KEY=VALUE;..., not ${pair}`);
      }
      return [key, value];
    }),
  );
}
