import { WorkflowNotFoundError, type Client } from '@temporalio/client';

import { releaseId, taskQueueOf, type CanaryRef } from '../domain/release.js';
import {
  changedSignal,
  type Change,
  type ReleaseInput,
  type ReleaseResult,
} from '../workflows/messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import type { Sight } from './wanted.js';

/** The release workflows of one cluster, as the watch uses them. */
export interface Releases {
  /** Starts a run, or tells the open one what the target is now. */
  start(canary: CanaryRef, sight: Sight): Promise<void>;
  /** Tells the open run, if there is one. */
  tell(canary: CanaryRef, sight: Sight): Promise<void>;
  /** The workflow ids of the open runs. */
  listOpen(): Promise<ReadonlySet<string>>;
  /** Whether the canary's last run came to an end of its own, rather than being ended from outside. */
  hasDecided(canary: CanaryRef): Promise<boolean>;
}

/** The type of the release workflow. */
export type ReleaseWorkflow = (input: ReleaseInput) => Promise<ReleaseResult>;

const deadlineMs = 10_000;

/** The releases of a cluster, through a Temporal client. Each call gives up after ten seconds. */
export function releasesOf(client: Client, cluster: string): Releases {
  const { workflow, connection } = client;
  const soon = <T>(call: () => Promise<T>): Promise<T> =>
    connection.withDeadline(Date.now() + deadlineMs, call);

  return {
    async start(canary, sight) {
      await soon(() =>
        workflow.signalWithStart<ReleaseWorkflow, [Change]>('release', {
          workflowId: releaseId(canary),
          taskQueue: taskQueueOf(cluster),
          args: [{ canary, trigger: { kind: 'change' } }],
          signal: changedSignal,
          signalArgs: [changeOf(sight)],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          ...textsOf(canary, sight),
          typedSearchAttributes: [
            { key: searchAttributes.cluster, value: canary.cluster },
            { key: searchAttributes.namespace, value: canary.namespace },
            { key: searchAttributes.canary, value: canary.name },
            { key: searchAttributes.revision, value: sight.revision },
            ...(sight.phase === '' ? [] : [{ key: searchAttributes.phase, value: sight.phase }]),
          ],
        }),
      );
    },
    async tell(canary, sight) {
      try {
        await soon(() =>
          workflow.getHandle(releaseId(canary)).signal(changedSignal, changeOf(sight)),
        );
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    async listOpen() {
      const query = `WorkflowType = 'release' AND ExecutionStatus = 'Running' AND ${searchAttributes.cluster.name} = '${cluster}'`;
      return soon(async () => {
        const ids = new Set<string>();
        for await (const { workflowId } of workflow.list({ query })) ids.add(workflowId);
        return ids;
      });
    },
    async hasDecided(canary) {
      try {
        const { status } = await soon(() => workflow.getHandle(releaseId(canary)).describe());
        return status.name === 'COMPLETED' || status.name === 'FAILED';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
}

function changeOf({ revision, generation }: Sight): Change {
  return { revision, generation };
}

/** What Temporal's UI shows of the run beside its id. */
function textsOf(
  { namespace, name }: CanaryRef,
  { revision, phase, images }: Sight,
): { readonly staticSummary: string; readonly staticDetails: string } {
  const what = images.length === 0 ? 'no target' : images.join(', ');
  return {
    staticSummary: `${namespace}/${name} → ${what}`,
    staticDetails: [
      `Canary **${namespace}/${name}**, phase ${phase === '' ? 'new' : phase}`,
      '',
      `- revision: \`${revision}\``,
      ...images.map((image) => `- image: \`${image}\``),
    ].join('\n'),
  };
}
