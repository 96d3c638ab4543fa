import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { provideTools } from '../../sandbox/tools/provide.js';

/** A real Flagger at work in the cluster. */
export interface Flagger {
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts Flagger on the host, with the rights that KUBECONFIG has; by default its canaries are
 * Contour's. The first call on a machine builds it, which takes minutes.
 */
export async function startFlagger(): Promise<Flagger> {
  const { flagger = '' } = await provideTools(['flagger'], {
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const { KUBECONFIG = '', PROMETHEUS_URL = '' } = process.env;
  const child = spawn(
    flagger,
    [
      ...['-kubeconfig', KUBECONFIG, '-metrics-server', PROMETHEUS_URL],
      ...['-mesh-provider', 'contour', '-control-loop-interval', '1s', '-port', '0'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  await untilAtWork(child, log);
  return {
    async stop() {
      if (child.exitCode !== null) throw new Error(`Flagger ended by itself: ${log.join('')}`);
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}

async function untilAtWork(child: ChildProcess, log: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error(`Flagger does not start: ${log.join('')}`));
    });
    child.stderr?.on('data', () => {
      if (log.join('').includes('Started operator workers')) resolve();
    });
  });
}
