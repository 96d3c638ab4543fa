import { until, worker, type App, type Stage } from './stage.js';

type Inside = Pick<Stage, 'exec'>;

/**
 * SIGKILL, and a new pod at once: the kubelet would let the old one wait longer each time before it
 * starts again in place.
 */
export async function killWorker(stage: Inside): Promise<void> {
  const { namespace, name } = worker;
  await inside(
    stage,
    [
      "kill -9 $(pgrep -f '[-]-metrics-server=')",
      `kubectl -n ${namespace} delete pod -l app=${name} --force --grace-period=0`,
    ].join('\n'),
  );
}

/** SIGKILL to the Temporal server; resolves when the pod in its place is ready. */
export async function killTemporal(stage: Inside): Promise<void> {
  await inside(
    stage,
    [
      "kill -9 $(pgrep -f '[s]erver start-dev')",
      'kubectl -n temporal delete pod temporal-0 --force --grace-period=0',
    ].join('\n'),
  );
  await until('Temporal', async () => {
    const { code } = await stage.exec(
      'kubectl -n temporal wait pod temporal-0 --for=condition=Ready --timeout=1s',
    );
    return code === 0;
  });
}

/** SIGKILL to the API server; resolves when the one in its place answers. */
export async function killApiServer(stage: Inside, app: App): Promise<void> {
  await inside(stage, 'kill -9 $(cat $SLUICE_SANDBOX/pids/kube-apiserver)');
  await until('the API server', () => app.routes().catch(() => undefined));
}

async function inside(stage: Inside, command: string): Promise<void> {
  const { code, output } = await stage.exec(command);
  if (code !== 0) throw new Error(`${command}: ${output}`);
}
