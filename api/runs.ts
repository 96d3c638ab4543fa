import { searchAttributes } from '../workflows/search-attributes.js';
import { soon, type CanaryName, type ClusterClient } from './connection.js';
import { endingOf, isRunning, outcomeOf, type Ending, type RunOutcome } from './endings.js';

/** One run as the list shows it. Times are epoch milliseconds. */
export interface Run {
  readonly canary: CanaryName;
  readonly runId: string;
  readonly running: boolean;
  readonly revision: string;
  readonly phase: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Absent while it runs. */
  readonly outcome?: RunOutcome;
}

/** Which runs to list; everything of the cluster by default, newest first. */
export interface RunFilter {
  readonly namespace?: string;
  readonly name?: string;
  readonly running?: boolean;
  readonly limit?: number;
}

/** Lists runs by their search attributes; the list may be a second behind. */
export async function runsOf(reach: ClusterClient, filter: RunFilter): Promise<Run[]> {
  const { client } = reach;
  const query = queryOf(reach.cluster, filter);
  return soon(client, async () => {
    const runs: Run[] = [];
    for await (const info of client.workflow.list({ query })) {
      const { typedSearchAttributes: written, runId, startTime, closeTime } = info;
      const running = isRunning(info);
      runs.push({
        canary: {
          namespace: written.get(searchAttributes.namespace) ?? '',
          name: written.get(searchAttributes.canary) ?? '',
        },
        runId,
        running,
        revision: written.get(searchAttributes.revision) ?? '',
        phase: written.get(searchAttributes.phase) ?? '',
        startedAt: startTime.getTime(),
        ...(closeTime === undefined ? {} : { endedAt: closeTime.getTime() }),
        ...(running ? {} : { outcome: outcomeOf(info) ?? outcomeByStatus(info.status.name) }),
      });
      if (runs.length === filter.limit) break;
    }
    return runs;
  });
}

/**
 * The ending of a canary's last run that decided something: a run that found nothing to do does not
 * count.
 *
 * @param newest the newest run, which is closed
 */
export async function lastDecision(
  reach: ClusterClient,
  canary: CanaryName,
  newest: string,
): Promise<Ending> {
  const endingSoon = (runId: string): Promise<Ending> =>
    soon(reach.client, () => endingOf(reach, canary, runId));
  const ending = await endingSoon(newest);
  if (ending.outcome !== 'unchanged') return ending;
  const runs = await runsOf(reach, canary);
  const decided = runs.find(({ running, outcome }) => !running && outcome !== 'unchanged');
  return decided === undefined ? ending : endingSoon(decided.runId);
}

function queryOf(cluster: string, { namespace, name, running }: RunFilter): string {
  return [
    `WorkflowType = 'release'`,
    `${searchAttributes.cluster.name} = '${cluster}'`,
    ...(namespace === undefined ? [] : [`${searchAttributes.namespace.name} = '${namespace}'`]),
    ...(name === undefined ? [] : [`${searchAttributes.canary.name} = '${name}'`]),
    ...(running === true ? [`ExecutionStatus = 'Running'`] : []),
  ].join(' AND ');
}

/** What the end of a run that wrote no outcome means. */
function outcomeByStatus(status: string): RunOutcome {
  switch (status) {
    case 'TERMINATED':
      return 'terminated';
    case 'CONTINUED_AS_NEW':
      return 'continued';
    case 'COMPLETED':
      return 'gone';
    default:
      return 'failed';
  }
}
