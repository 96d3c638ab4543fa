import type { Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Description } from '../../sandbox/description.js';
import { executeIn } from './execute.js';

interface Pod extends KubeObject {
  readonly status?: { readonly podIP?: string };
}

/** How many requests the pods of an app have had since they started, whoever sent them. */
export async function requestsTo(
  sandbox: Description,
  kube: Kube,
  { namespace, app }: { readonly namespace: string; readonly app: string },
): Promise<number> {
  const pods = await kube.list<Pod>({
    ...{ apiVersion: 'v1', kind: 'Pod', namespace },
    labelSelector: `app=${app}`,
  });
  const counts = await Promise.all(
    pods.map(async ({ status }) => {
      const page = `http://${status?.podIP ?? ''}:8080/metrics`;
      const { output } = await executeIn(sandbox, `curl --silent --show-error --fail ${page}`);
      return [...output.matchAll(/^http_request_duration_seconds_count\{[^}]*\} (\d+)$/gm)]
        .map(([, count]) => Number(count))
        .reduce((sum, count) => sum + count, 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
