import { messageOf } from '../../worker/log.js';
import { textOfConfigMap } from '../cluster.js';
import { duration, environment, filledText, optionalText, toggle } from '../metadata.js';
import { BadRequest } from '../payload.js';
import { runProgram, type Program } from '../processes.js';
import { wordsOf } from '../words.js';
import { identityOf, type Outcome, type ReadTask, type Surroundings } from './task.js';

const sources = ['script', 'scriptFile', 'configMap'] as const;
const defaultKey = 'script.js';

/**
 * `k6`: runs a k6 script by the `k6` on PATH; it fails when k6 does, also for its thresholds. The
 * script is text (`script`), a file of the load tester (`scriptFile`), or in a ConfigMap of the
 * canary's namespace (`configMap`, `key`). `args` are more words for `k6 run`, `env.NAME` variables.
 * https://grafana.com/docs/k6/latest/using-k6/k6-options/reference/
 */
export const readK6: ReadTask = (order, around) => {
  const { metadata, namespace } = order;
  const given = sources.filter((name) => optionalText(metadata, name) !== undefined);
  const [source] = given;
  if (source === undefined || given.length > 1) {
    throw new BadRequest(`metadata: needs exactly one of ${sources.join(', ')}`);
  }
  const value = filledText(metadata, source);
  const key = optionalText(metadata, 'key') ?? defaultKey;
  const args = wordsOf(optionalText(metadata, 'args') ?? '');
  const env = environment(metadata);

  async function perform(signal: AbortSignal): Promise<Outcome> {
    const words: Program['words'] = ['k6', 'run', '--quiet', '--no-color', ...args];
    if (source === 'scriptFile') return runProgram({ words: [...words, value], env }, signal);
    const script = source === 'script' ? value : await fromCluster(around, namespace, value, key);
    return runProgram({ words: [...words, '-'], env, input: script }, signal);
  }

  return {
    mode: toggle(metadata, 'background') ? 'background' : 'joined',
    identity: identityOf(order, 'k6'),
    label: 'k6 run',
    returnOutput: toggle(metadata, 'returnCmdOutput'),
    logOutput: toggle(metadata, 'logCmdOutput'),
    secrets: Object.values(env),
    timeoutMs: duration(metadata, 'timeout', around.timeoutMs),
    perform: (signal) =>
      perform(signal).catch((error: unknown) => ({
        ok: false,
        output: '',
        cause: messageOf(error),
      })),
  };
};

function fromCluster(
  { cluster }: Surroundings,
  namespace: string,
  name: string,
  key: string,
): Promise<string> {
  return textOfConfigMap(cluster().kube, { namespace, name }, key);
}
