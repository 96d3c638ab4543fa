import { environment, optionalText, requiredText, toggle } from '../metadata.js';
import { runProgram, type Program } from '../processes.js';
import { wordsOf } from '../words.js';
import { canaryOf, type Order, type ReadTask, type Task } from './task.js';

/** `cmd`: a shell command in the background, normally a load test that outlasts many webhooks. */
export const readCmd: ReadTask = (order) => {
  const cmd = requiredText(order.metadata, 'cmd');
  return {
    ...commandTask(order, cmd, ['sh', '-c', cmd]),
    mode: 'background',
    identity: JSON.stringify([canaryOf(order), 'cmd', cmd]),
  };
};

/** `bash`: a script whose end is the answer. Without one it is empty, and succeeds. */
export const readBash: ReadTask = (order) => {
  const cmd = optionalText(order.metadata, 'cmd') ?? '';
  return commandTask(order, cmd, ['bash', '-c', cmd]);
};

/** `helm`, `kubectl`: a program with the words of `cmd`, without a shell. */
export function readProgram(program: string): ReadTask {
  return (order) => {
    const cmd = optionalText(order.metadata, 'cmd') ?? '';
    return commandTask(order, cmd, [program, ...wordsOf(cmd)]);
  };
}

function commandTask(order: Order, cmd: string, words: Program['words']): Task {
  const { metadata } = order;
  const env = environment(metadata);
  return {
    mode: 'blocking',
    identity: JSON.stringify([canaryOf(order), words]),
    label: cmd,
    returnOutput: toggle(metadata, 'returnCmdOutput'),
    logOutput: toggle(metadata, 'logCmdOutput'),
    secrets: Object.values(env),
    perform: (signal) => runProgram({ words, env }, signal),
  };
}
