import { deliveriesId, type DeliveryRecord } from '../domain/deliveries.js';
import { journalQuery, type DeliveriesWorkflow } from '../workflows/delivery-messages.js';
import { soon, type CanaryName, type ClusterClient } from './connection.js';
import { isUnanswered } from './errors.js';

/** As many of the newest journals as are read. */
const maxRuns = 100;
const answerTimeoutMs = 2_000;

/**
 * What became of what was to be delivered about a canary, oldest first. The part of an outbox that
 * is open now is left out when no worker answers for it.
 */
export async function deliveriesOf(
  reach: ClusterClient,
  canary: CanaryName,
): Promise<DeliveryRecord[]> {
  const { client, cluster } = reach;
  const workflowId = deliveriesId({ cluster, ...canary });
  const runs = await soon(client, async () => {
    const found = [];
    for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      found.push(run);
      if (found.length === maxRuns) break;
    }
    return found;
  });
  const journals = await Promise.all(
    runs.map(async ({ runId, status }) => {
      const handle = client.workflow.getHandle<DeliveriesWorkflow>(workflowId, runId, {
        followRuns: false,
      });
      // A run that went on in another one left its journal to that one.
      if (status.name === 'COMPLETED') return soon(client, () => handle.result());
      return status.name === 'RUNNING' ? journalOf(reach, () => handle.query(journalQuery)) : [];
    }),
  );
  const byKey = new Map(journals.flat().map((record) => [record.key, record]));
  return [...byKey.values()].sort((a, b) => a.at - b.at);
}

async function journalOf(
  { client }: ClusterClient,
  query: () => Promise<readonly DeliveryRecord[]>,
): Promise<readonly DeliveryRecord[]> {
  try {
    return await soon(client, query, answerTimeoutMs);
  } catch (error) {
    if (isUnanswered(error)) return [];
    throw error;
  }
}
